// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// twoLevels returns what Tasker's own subscriber sends of a task with two steps, one request per span.
func twoLevels(prefix string) []ptrace.Traces {
	one := func(id byte, parent pcommon.SpanID, name string, start, end pcommon.Timestamp) (ptrace.Traces, ptrace.Span) {
		td := ptrace.NewTraces()
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr(lifecycle.AttrServiceName, "shop")
		ss := rs.ScopeSpans().AppendEmpty()
		ss.Scope().SetName("tasker")
		span := ss.Spans().AppendEmpty()
		span.SetName(name)
		span.SetTraceID(pcommon.TraceID{7})
		span.SetSpanID(pcommon.SpanID{id})
		span.SetParentSpanID(parent)
		span.TraceState().FromRaw("a=b")
		span.SetFlags(0x301)
		span.SetStartTimestamp(start)
		span.SetEndTimestamp(end)
		span.Attributes().PutInt(prefix+"task_id", 42)
		span.Attributes().PutStr(prefix+"task_name", "process_order")
		return td, span
	}
	task, span := one(1, pcommon.SpanID{99}, lifecycle.SpanTask, 100, 900)
	span.Status().SetCode(ptrace.StatusCodeError)
	requests := []ptrace.Traces{task}
	for i := range 2 {
		step, span := one(byte(2+i), pcommon.SpanID{1}, lifecycle.SpanStep, pcommon.Timestamp(200+300*i), pcommon.Timestamp(400+300*i))
		span.Attributes().PutInt(prefix+"step_id", int64(5+i))
		span.Attributes().PutStr(prefix+"step_name", "fetch")
		requests = append(requests, step)
	}
	return requests
}

func passed(t require.TestingT, requests ...ptrace.Traces) map[pcommon.SpanID]ptrace.Span {
	spans := map[pcommon.SpanID]ptrace.Span{}
	for _, td := range requests {
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, span := range ss.Spans().All() {
					require.NotContains(t, spans, span.SpanID())
					spans[span.SpanID()] = span
				}
			}
		}
	}
	return spans
}

func copied(td ptrace.Traces) ptrace.Traces {
	c := ptrace.NewTraces()
	td.CopyTo(c)
	return c
}

func TestTwoLevelsBecomeFive(t *testing.T) {
	for _, prefix := range []string{"", "tasker."} {
		sink := new(consumertest.TracesSink)
		h := newTest(t, sink, nil)
		require.NoError(t, h.Start(t.Context(), componenttest.NewNopHost()))
		for _, td := range twoLevels(prefix) {
			require.NoError(t, h.ConsumeTraces(t.Context(), td))
		}
		spans := passed(t, sink.AllTraces()...)
		require.Len(t, spans, 8)
		handlers := 0
		for id, span := range spans {
			require.Equal(t, pcommon.TraceID{7}, span.TraceID())
			require.Equal(t, "a=b", span.TraceState().AsRaw())
			require.EqualValues(t, 0x301, span.Flags())
			taskID, ok := payload(span.Attributes(), lifecycle.AttrTaskID)
			require.True(t, ok)
			require.EqualValues(t, 42, taskID.Int())
			_, synthesized := span.Attributes().Get(lifecycle.AttrSynthesized)
			require.Equal(t, id[1] != 0, synthesized, "the given ids have one byte")
			if span.Name() == lifecycle.SpanTask {
				require.Equal(t, pcommon.SpanID{99}, span.ParentSpanID(), "its caller's child still")
				continue
			}
			parent, ok := spans[span.ParentSpanID()]
			require.True(t, ok, "%s has no parent", span.Name())
			require.LessOrEqual(t, parent.StartTimestamp(), span.StartTimestamp())
			require.GreaterOrEqual(t, parent.EndTimestamp(), span.EndTimestamp())
			if span.Name() == lifecycle.SpanHandler {
				handlers++
				var levels []string
				for up, ok := span, true; ok; up, ok = spans[up.ParentSpanID()] {
					levels = append(levels, up.Name())
				}
				require.Equal(t, []string{lifecycle.SpanHandler, lifecycle.SpanStep, lifecycle.SpanBatch, lifecycle.SpanOrchestration, lifecycle.SpanTask}, levels)
			}
		}
		require.Equal(t, 2, handlers)

		// A second collector changes nothing.
		again := new(consumertest.TracesSink)
		second := newTest(t, again, nil)
		var before []ptrace.Traces
		for _, td := range sink.AllTraces() {
			before = append(before, copied(td))
			require.NoError(t, second.ConsumeTraces(t.Context(), td))
		}
		require.Equal(t, before, again.AllTraces())
		require.NoError(t, h.Shutdown(t.Context()))
		require.NoError(t, second.Shutdown(t.Context()))
	}
}

// The result does not depend on the order of spans or their division into requests.
func TestCompletionDoesNotDependOnTheWay(t *testing.T) {
	var together []ptrace.Traces
	for _, td := range twoLevels("tasker.") {
		complete(td)
		together = append(together, td)
	}
	want := passed(t, together...)
	rapid.Check(t, func(t *rapid.T) {
		requests := twoLevels("tasker.")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		random.Shuffle(len(requests), func(i, j int) { requests[i], requests[j] = requests[j], requests[i] })
		for len(requests) > 1 && random.IntN(2) == 0 {
			last := requests[len(requests)-1]
			requests = requests[:len(requests)-1]
			last.ResourceSpans().MoveAndAppendTo(requests[random.IntN(len(requests))].ResourceSpans())
		}
		for _, td := range requests {
			complete(td)
		}
		got := passed(t, requests...)
		require.Len(t, got, len(want))
		for id, span := range want {
			require.Contains(t, got, id)
			require.Equal(t, span, got[id])
		}
	})
}

func TestWhatIsNotTwoLevelsIsNotCompleted(t *testing.T) {
	change := func(name string, with func(ptrace.ScopeSpans, ptrace.Span)) {
		t.Run(name, func(t *testing.T) {
			for _, td := range twoLevels("tasker.") {
				ss := td.ResourceSpans().At(0).ScopeSpans().At(0)
				with(ss, ss.Spans().At(0))
				before := copied(td)
				require.Zero(t, complete(td))
				require.Equal(t, before, td)
			}
		})
	}
	change("real trees", func(ss ptrace.ScopeSpans, _ ptrace.Span) { ss.Scope().SetName(lifecycle.ScopeSpans) })
	change("other names", func(_ ptrace.ScopeSpans, span ptrace.Span) { span.SetName("GET /orders") })
	change("no ids", func(_ ptrace.ScopeSpans, span ptrace.Span) { span.Attributes().Clear() })
	change("no parent", func(_ ptrace.ScopeSpans, span ptrace.Span) {
		span.SetName(lifecycle.SpanStep)
		span.SetParentSpanID(pcommon.SpanID{})
	})

	sink := new(consumertest.TracesSink)
	h := newTest(t, sink, func(c *Config) { c.CompleteSpans = false })
	td := twoLevels("tasker.")[0]
	before := copied(td)
	require.NoError(t, h.ConsumeTraces(t.Context(), td))
	require.Equal(t, []ptrace.Traces{before}, sink.AllTraces())
	require.NoError(t, h.Shutdown(t.Context()))
}
