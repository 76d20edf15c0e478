// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package treedata

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

func TestReaderReadsFieldsAndLeavesTheRestAsAttributes(t *testing.T) {
	attrs := pcommon.NewMap()
	require.NoError(t, attrs.FromRaw(map[string]any{
		lifecycle.AttrTaskID: int64(1) << 60, lifecycle.AttrStepID: "0198c5a1", lifecycle.AttrAttemptNumber: 2,
		lifecycle.AttrBacktrace: []any{"a.rb:1", "b.rb:2"}, lifecycle.AttrToState: "pending", lifecycle.AttrTimestamp: "x",
	}))
	e := NewReader().Event(lifecycle.StepInitializeRequested, pcommon.TraceID{1}, 7, 9, nil, attrs)
	require.Equal(t, event.ID{Text: "1152921504606846976", Integer: true}, e.TaskID)
	require.Equal(t, event.ID{Text: "0198c5a1"}, e.StepID)
	require.Equal(t, 2, e.Attempt)
	require.Equal(t, "a.rb:1\nb.rb:2", e.Backtrace)
	require.Equal(t, []attribute.KeyValue{attribute.String(lifecycle.AttrToState, "pending")}, e.Attributes)
}

// span_to_metrics reads them in the same way, so a tree and its metrics agree.
func TestReaderReadsNumbersThatAreTexts(t *testing.T) {
	attrs := pcommon.NewMap()
	require.NoError(t, attrs.FromRaw(map[string]any{lifecycle.AttrDuration: "0.25", lifecycle.AttrStepCount: "3", lifecycle.AttrAttemptNumber: "none"}))
	e := NewReader().Event(lifecycle.DatabaseQueryExecuted, pcommon.TraceID{1}, 7, 9, nil, attrs)
	require.Equal(t, 0.25, e.QueryDuration)
	require.Equal(t, 3, e.StepCount)
	require.Equal(t, -1, e.Attempt)
}

// With payload::decode used, tasker_events does not decode what trees do not read.
func TestTreesReadNothingUnused(t *testing.T) {
	for event, unused := range lifecycle.UnusedPayloadKeys() {
		for _, key := range unused {
			require.False(t, ReadsOf(event).Key(lifecycle.AttributePrefix+key), "%s of %s", key, event)
		}
	}
}

func TestReaderForgetsTheEventBefore(t *testing.T) {
	r := NewReader()
	attrs := pcommon.NewMap()
	require.NoError(t, attrs.FromRaw(map[string]any{lifecycle.AttrStepIDs: []any{1, 2}, lifecycle.AttrJobID: "j", lifecycle.AttrEventType: "initialization_failed"}))
	e := r.Event(lifecycle.WorkflowViableStepsDiscovered, pcommon.TraceID{1}, 1, 1, nil, attrs)
	require.Equal(t, []string{"1", "2"}, e.StepIDs)
	require.True(t, e.HasJob)
	require.True(t, e.Refused)
	e = r.Event("x", pcommon.TraceID{2}, 1, 1, nil, pcommon.NewMap())
	require.Empty(t, e.StepIDs)
	require.False(t, e.HasJob)
	require.False(t, e.Refused)
	require.Equal(t, -1, e.Attempt)
}

func TestEqualResourcesAreOne(t *testing.T) {
	r := NewReader()
	a, b := pcommon.NewMap(), pcommon.NewMap()
	a.PutStr(lifecycle.AttrServiceName, "shop")
	b.PutStr(lifecycle.AttrServiceName, "shop")
	require.Same(t, r.Resource(a), r.Resource(b))
	b.PutInt("shard", 1)
	require.NotSame(t, r.Resource(a), r.Resource(b))
}

func TestWriterWritesSpansUnderTheirResource(t *testing.T) {
	shop := &event.Resource{Attributes: []attribute.KeyValue{attribute.String(lifecycle.AttrServiceName, "shop")}}
	w := NewWriter()
	for trace := range byte(2) {
		w.Write(&tree.Tree{Trace: event.TraceID{trace + 1}, Resource: shop, Spans: []tree.Span{{
			ID: event.SpanID{1}, Name: lifecycle.SpanTask, Start: 1, End: 3, Outcome: tree.OutcomeError, Message: "broke",
			Attributes: []attribute.KeyValue{
				attribute.Int("i", 1), attribute.Double("d", 0.5), attribute.Bool("b", true), attribute.Strings("l", []string{"x", "y"}),
			},
			Events: []tree.SpanEvent{{Name: "exception", At: 2}},
			Link:   &tree.Link{Trace: event.TraceID{9}, Span: event.SpanID{8}},
		}}})
	}
	require.Equal(t, 2, w.Spans())
	td := w.Take()
	require.Zero(t, w.Spans())
	require.Equal(t, 1, td.ResourceSpans().Len())
	scope := td.ResourceSpans().At(0).ScopeSpans().At(0)
	require.Equal(t, lifecycle.ScopeSpans, scope.Scope().Name())
	require.Equal(t, lifecycle.SchemaURL, scope.SchemaUrl())
	require.Equal(t, 2, scope.Spans().Len())
	span := scope.Spans().At(0)
	require.Equal(t, map[string]any{"i": int64(1), "d": 0.5, "b": true, "l": []any{"x", "y"}}, span.Attributes().AsRaw())
	require.Equal(t, ptrace.StatusCodeError, span.Status().Code())
	require.Equal(t, "broke", span.Status().Message())
	require.Equal(t, pcommon.SpanID{8}, span.Links().At(0).SpanID())
	require.Equal(t, "exception", span.Events().At(0).Name())
}

func BenchmarkRead(b *testing.B) {
	attrs := pcommon.NewMap()
	require.NoError(b, attrs.FromRaw(map[string]any{
		lifecycle.AttrTaskID: 1, lifecycle.AttrTaskName: "process_order", lifecycle.AttrStepID: 2, lifecycle.AttrStepName: "validate_cart",
		lifecycle.AttrAttemptNumber: 0, lifecycle.AttrRetryLimit: 3, lifecycle.AttrEventType: "started", lifecycle.AttrCorrelationID: "tsk_a_b",
		lifecycle.AttrTimestamp: "2026-06-01T12:00:00Z", lifecycle.AttrStepDependencies: []any{"a", "b"},
	}))
	r := NewReader()
	b.ReportAllocs()
	for b.Loop() {
		r.Event(lifecycle.StepExecutionRequested, pcommon.TraceID{1}, 1, 1, nil, attrs)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkWrite(b *testing.B) {
	written := &tree.Tree{Trace: event.TraceID{1}, Resource: &event.Resource{}}
	for range 30 {
		written.Spans = append(written.Spans, tree.Span{Name: lifecycle.SpanStep, Attributes: []attribute.KeyValue{
			attribute.Int(lifecycle.AttrTaskID, 1), attribute.String(lifecycle.AttrTaskName, "process_order"),
			attribute.Int(lifecycle.AttrStepID, 1), attribute.String(lifecycle.AttrStepName, "validate_cart"),
			attribute.Int(lifecycle.AttrAttemptNumber, 1), attribute.String(lifecycle.AttrCorrelationID, "tsk_a_b"),
			attribute.String(lifecycle.AttrStatus, "success"),
		}})
	}
	w := NewWriter()
	b.ReportAllocs()
	start := time.Now()
	for b.Loop() {
		w.Write(written)
		w.Take()
	}
	b.ReportMetric(float64(b.N*len(written.Spans))/time.Since(start).Seconds(), "spans/s")
}
