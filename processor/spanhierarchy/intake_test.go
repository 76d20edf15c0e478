// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"encoding/binary"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/journal/journaltest"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// inBatches returns td with one span for the events of each scope, as routed_events makes it.
func inBatches(td ptrace.Traces) ptrace.Traces { return inBatchesWith(td, nil) }

// inBatchesWith adds events to each batch before those of the scope.
func inBatchesWith(td ptrace.Traces, others func(*eventbatch.RecordWriter)) ptrace.Traces {
	batched := ptrace.NewTraces()
	td.CopyTo(batched)
	for _, rs := range batched.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			var w eventbatch.RecordWriter
			w.Reset(0)
			if others != nil {
				others(&w)
			}
			events := 0
			for _, span := range ss.Spans().All() {
				addSpan(&w, span)
				events++
			}
			ss.Spans().RemoveIf(func(ptrace.Span) bool { return true })
			span := ss.Spans().AppendEmpty()
			span.SetName(lifecycle.EventBatch)
			eventbatch.PutIn(span.Attributes(), w.Batch(), events)
		}
	}
	return batched
}

func addSpan(w *eventbatch.RecordWriter, span ptrace.Span) {
	id := span.SpanID()
	head := eventbatch.Head{TraceID: span.TraceID(), Identity: binary.BigEndian.Uint64(id[:]), Time: span.StartTimestamp()}
	addAs(w, span, &head)
}

func addAs(w *eventbatch.RecordWriter, span ptrace.Span, head *eventbatch.Head) {
	record := plog.NewLogRecord()
	record.SetEventName(span.Name())
	span.Attributes().CopyTo(record.Attributes())
	w.Add(record, head, func(string) bool { return true })
}

// A batch that the router has written also has events for other signals, which are neither observed nor stored.
func TestEventsOfABatchForOtherSignals(t *testing.T) {
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 8, Seed: 4, Failures: true, Planned: true})
	others := func(w *eventbatch.RecordWriter) {
		for _, span := range whole("9").ResourceSpans().At(0).ScopeSpans().At(0).Spans().All() {
			head := eventbatch.Head{TraceID: span.TraceID(), Time: span.StartTimestamp(), Routed: true}
			for _, head.Signals = range []lifecycle.Signals{lifecycle.SignalsNone, lifecycle.SignalMetrics | lifecycle.SignalLogs} {
				addAs(w, span, &head)
			}
			head.TraceID, head.Signals = pcommon.TraceID{}, lifecycle.SignalsAll // routed_events counts it
			addAs(w, span, &head)
			span.SetName("")
			addAs(w, span, &eventbatch.Head{TraceID: span.TraceID(), Time: span.StartTimestamp()})
		}
	}
	for _, shards := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			storage := journaltest.New()
			life := incarnate(t, storage, func(cfg *Config) { cfg.Shards = shards })
			td := inBatchesWith(eventSpansOf(t, lines), others)
			require.EqualValues(t, len(lines), countEvents(td))
			require.NoError(t, life.hierarchy.ConsumeTraces(t.Context(), td))
			require.Zero(t, life.noTask.Load())
			require.EqualValues(t, len(lines), life.state.logged)
			next := incarnate(t, storage.Crashed(), nil)
			time.Sleep(time.Hour)
			want := next.stop(t)
			require.Empty(t, streamtest.Compare(truth, want))
			require.ElementsMatch(t, want, life.stop(t))
		})
	}
}

// Events in batches and events as single spans have the same result, also when mixed with each other and with other spans.
func TestEventsInBatches(t *testing.T) {
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 8, Seed: 4, Failures: true, Planned: true})
	for _, shards := range []int{1, 3} {
		var want []streamtest.Span
		for _, form := range []string{"spans", "batches", "both"} {
			sink := new(consumertest.TracesSink)
			h := newTest(t, sink, func(cfg *Config) { cfg.Shards = shards })
			for i, part := range streamtest.Batches(lines, 100) {
				td := eventSpansOf(t, part)
				if form == "batches" || form == "both" && i%2 == 0 {
					td = inBatches(td)
					td.ResourceSpans().At(0).ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName("an application's")
				}
				require.NoError(t, h.ConsumeTraces(t.Context(), td))
			}
			require.NoError(t, h.Shutdown(t.Context()))
			var spans []streamtest.Span
			for _, td := range sink.AllTraces() {
				spans = append(spans, streamtest.FromTraces(td)...)
			}
			spans = slices.DeleteFunc(spans, func(s streamtest.Span) bool { return s.Name == "an application's" })
			if form == "spans" {
				want = spans
			}
			require.Empty(t, streamtest.Compare(truth, spans))
			require.ElementsMatch(t, want, spans, form)
		}
	}
}

// With storage, an event is read once, for the journal and the assembler, up to a number of events a call. The result is
// the same with more, for a second call with the same memory, and after a restart.
func TestStoredEvents(t *testing.T) {
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 60, Seed: 4, Failures: true, Planned: true})
	require.Greater(t, len(lines), maxDecoded+1000)
	batched := func(lines [][]byte) ptrace.Traces { return inBatches(eventSpansOf(t, lines)) }
	single := func(lines [][]byte) ptrace.Traces { return eventSpansOf(t, lines) }
	for _, test := range []struct {
		shards int
		events func([][]byte) ptrace.Traces
	}{{1, batched}, {3, batched}, {1, single}, {3, single}} {
		synctest.Test(t, func(t *testing.T) {
			storage := journaltest.New()
			change := func(cfg *Config) { cfg.Shards = test.shards }
			life := incarnate(t, storage, change)
			require.NoError(t, life.hierarchy.ConsumeTraces(t.Context(), test.events(lines[:maxDecoded+500])))
			for _, part := range streamtest.Batches(lines[maxDecoded+500:], 100) {
				require.NoError(t, life.hierarchy.ConsumeTraces(t.Context(), test.events(part)))
			}
			next := incarnate(t, storage.Crashed(), change)
			time.Sleep(time.Hour)
			want := next.stop(t)
			require.Empty(t, streamtest.Compare(truth, want))
			require.ElementsMatch(t, want, life.stop(t))
		})
	}
}

// An intake that waits for the next call holds nothing of the previous one, and no long lists.
func TestAnIdleIntakeIsSmall(t *testing.T) {
	h := newTest(t, consumertest.NewNop(), func(cfg *Config) { cfg.Shards = 1 })
	in := newIntake()
	require.NoError(t, in.sort(h, inBatches(whole("1"))))
	reader := newEventReader()
	require.NoError(t, reader.decode(in, &in.parts[1], 0, func(e *event.Event) {
		require.NotEmpty(t, e.Name)
		e.StepIDs = append(e.StepIDs[:0], "a", "b")
		e.Dependencies = make([]string, 100)
	}))
	require.Len(t, in.decoded, 6)
	require.True(t, in.forget())
	require.Empty(t, in.decoded)
	for _, e := range in.decoded[:6] {
		require.Equal(t, []string{"", ""}, e.StepIDs[:2], "only the memory is kept")
		require.Zero(t, cap(e.Dependencies))
		e.StepIDs, e.Attributes = nil, nil
		require.Zero(t, e)
	}
	require.NoError(t, h.Shutdown(t.Context()))
}

// A malformed batch is rejected permanently and as a whole. As many events are counted as it can have.
func TestAMalformedBatch(t *testing.T) {
	for name, test := range map[string]struct {
		change func(ptrace.Span)
		events int64
	}{
		"cut":       {func(s ptrace.Span) { cutBatch(s) }, 6},
		"empty":     {func(s ptrace.Span) { s.Attributes().PutStr(lifecycle.AttrEventBatch, "") }, 1},
		"a version": {func(s ptrace.Span) { s.Attributes().PutStr(lifecycle.AttrEventBatch, "\x7f of another collector") }, 1},
		"no string": {func(s ptrace.Span) { s.Attributes().PutEmptyBytes(lifecycle.AttrEventBatch) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			i := incarnate(t, journaltest.New(), nil)
			td := inBatches(whole("1"))
			test.change(td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0))
			require.Equal(t, test.events, countEvents(td))
			err := i.hierarchy.ConsumeTraces(t.Context(), td)
			require.Error(t, err)
			require.True(t, consumererror.IsPermanent(err))
			require.Zero(t, i.shards[0].stats().OpenTasks+i.shards[1].stats().OpenTasks)
			require.Empty(t, i.stop(t))
		})
	}
}

func cutBatch(span ptrace.Span) {
	batch, _ := span.Attributes().Get(lifecycle.AttrEventBatch)
	batch.SetStr(batch.Str()[:len(batch.Str())-1])
}

// An event without a trace is counted, in both forms.
func TestEventsWithoutATask(t *testing.T) {
	h := newTest(t, consumertest.NewNop(), nil)
	td := whole("1")
	td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).SetTraceID(pcommon.TraceID{})
	require.NoError(t, h.ConsumeTraces(t.Context(), inBatches(td)))
	require.NoError(t, h.ConsumeTraces(t.Context(), td))
	require.Equal(t, int64(2), h.noTask.Load())
	require.NoError(t, h.Shutdown(t.Context()))
}
