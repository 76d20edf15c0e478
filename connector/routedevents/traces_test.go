// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/tasker-otel/otelcol-tasker/connector/routedevents/internal/metadatatest"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/treedata"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

func TestEventSpans(t *testing.T) {
	set, tel := settings(t)
	sink := &consumertest.TracesSink{}
	c, err := NewFactory().CreateLogsToTraces(context.Background(), set, &Config{}, sink)
	require.NoError(t, err)
	logs := logsOf(t,
		routed{"step.completed", "traces,metrics", task, eventAt, map[string]any{"tasker.task_id": int64(7)}},
		routed{"step.failed", "", task, pcommon.SpanID{}, map[string]any{"tasker.task_id": int64(7)}},
		routed{"memory.spike_detected", "metrics", task, eventAt, nil},
		routed{"handler.registered", "traces", pcommon.TraceID{}, eventAt, nil},
		routed{"", "", task, eventAt, nil},
	)
	before := copyOf(logs)

	require.NoError(t, c.ConsumeLogs(context.Background(), logs))

	assert.Equal(t, before, logs, "the input is only read")
	assert.False(t, c.Capabilities().MutatesData)
	require.Len(t, sink.AllTraces(), 1)
	resourceSpans := sink.AllTraces()[0].ResourceSpans().At(0)
	assert.Equal(t, map[string]any{"service.name": "shop"}, resourceSpans.Resource().Attributes().AsRaw())
	assert.Equal(t, "schema", resourceSpans.SchemaUrl())
	assert.Equal(t, lifecycle.ScopeEvents, resourceSpans.ScopeSpans().At(0).Scope().Name())
	assert.Equal(t, lifecycle.SchemaURL, resourceSpans.ScopeSpans().At(0).SchemaUrl())
	spans := resourceSpans.ScopeSpans().At(0).Spans()
	require.Equal(t, 2, spans.Len())

	span := spans.At(0)
	assert.Equal(t, "step.completed", span.Name())
	assert.Equal(t, task, span.TraceID())
	assert.Equal(t, eventAt, span.SpanID())
	assert.Equal(t, ptrace.SpanKindInternal, span.Kind())
	assert.Equal(t, happened, span.StartTimestamp())
	assert.Equal(t, happened, span.EndTimestamp())
	assert.Equal(t, map[string]any{"tasker.task_id": int64(7), "tasker.route.signals": "traces,metrics"}, span.Attributes().AsRaw())

	unrouted := spans.At(1)
	id := unrouted.SpanID()
	assert.Equal(t, eventrecord.Fingerprint("step.failed", happened, unrouted.Attributes()), binary.BigEndian.Uint64(id[:]),
		"without a router, the same id as with one")

	metadatatest.AssertEqualConnectorRoutedEventsConverted(t, tel, converted("traces", 2), metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualConnectorRoutedEventsDropped(t, tel,
		dropped("traces", map[string]int64{"not_routed": 1, "no_task": 1, "no_name": 1}), metricdatatest.IgnoreTimestamp())
}

func TestNoEventSpansNoCall(t *testing.T) {
	set, _ := settings(t)
	sink := &consumertest.TracesSink{}
	c, err := NewFactory().CreateLogsToTraces(context.Background(), set, &Config{}, sink)
	require.NoError(t, err)
	require.NoError(t, c.ConsumeLogs(context.Background(), logsOf(t)))
	require.NoError(t, c.ConsumeLogs(context.Background(), logsOf(t, routed{"step.completed", "logs", task, eventAt, nil})))
	assert.Empty(t, sink.AllTraces())
}

// A batch that was refused is converted to the same spans again, and counted once.
func TestTracesErrorIsReturned(t *testing.T) {
	set, tel := settings(t)
	failure := errors.New("queue is full")
	var got []ptrace.Traces
	next := &refusing{failures: []error{failure}, traces: &got}
	c, err := NewFactory().CreateLogsToTraces(context.Background(), set, &Config{}, next)
	require.NoError(t, err)
	logs := logsOf(t, routed{"step.completed", "traces", task, eventAt, nil})
	require.ErrorIs(t, c.ConsumeLogs(context.Background(), logs), failure)
	require.NoError(t, c.ConsumeLogs(context.Background(), logs))
	require.Len(t, got, 2)
	assert.Equal(t, got[0], got[1])
	metadatatest.AssertEqualConnectorRoutedEventsConverted(t, tel, converted("traces", 1), metricdatatest.IgnoreTimestamp())
}

// refusing returns each failure once, then accepts.
type refusing struct {
	consumertest.TracesSink
	failures []error
	traces   *[]ptrace.Traces
}

func (r *refusing) ConsumeTraces(_ context.Context, traces ptrace.Traces) error {
	*r.traces = append(*r.traces, traces)
	if len(r.failures) == 0 {
		return nil
	}
	failure := r.failures[0]
	r.failures = r.failures[1:]
	return failure
}

func TestStreamsBecomeEventSpans(t *testing.T) {
	for _, name := range []string{"order_processing", "mixed", "planned", "real/linear5", "real/retry"} {
		t.Run(name, func(t *testing.T) {
			logs := routedStream(t, name)
			traces, counts := eventSpans(logs, true)
			assert.EqualValues(t, logs.LogRecordCount(), counts.converted+counts.noTask)
			assert.EqualValues(t, traces.SpanCount(), counts.converted)
			ids := map[pcommon.SpanID]bool{}
			for _, resourceSpans := range traces.ResourceSpans().All() {
				for _, span := range resourceSpans.ScopeSpans().At(0).Spans().All() {
					assert.False(t, ids[span.SpanID()])
					ids[span.SpanID()] = true
					assert.NotZero(t, span.StartTimestamp())
				}
			}
		})
	}
}

// The trees of event spans with all attributes, with event_attributes: tree, and of events in batches are the same.
func TestTreesNeedNoMoreAttributes(t *testing.T) {
	for _, name := range []string{"order_processing", "mixed", "planned", "real/linear5", "real/retry"} {
		logs := routedStream(t, name)
		whole, _ := eventSpans(logs, true)
		enough, _ := eventSpans(logs, false)
		require.NotZero(t, trees(whole).SpanCount())
		require.Equal(t, trees(whole), trees(enough))
		require.Less(t, attributesIn(enough), attributesIn(whole)*2/3)
		batched, counts, err := newBatcher().spans(logs)
		require.NoError(t, err)
		require.EqualValues(t, whole.SpanCount(), counts.converted)
		require.Equal(t, whole.ResourceSpans().Len(), batched.SpanCount(), "one an application")
		require.Equal(t, trees(whole), trees(batched))
	}
}

func trees(td ptrace.Traces) ptrace.Traces {
	reader, writer := treedata.NewReader(), treedata.NewWriter()
	assembler := assembly.New(assembly.DefaultLimits(), writer.Write)
	for _, rs := range td.ResourceSpans().All() {
		resource := reader.Resource(rs.Resource().Attributes())
		for _, span := range rs.ScopeSpans().At(0).Spans().All() {
			if batch, batched := eventbatch.OfSpan(span); batched {
				observeBatch(assembler, batch, resource)
				continue
			}
			id := span.SpanID()
			assembler.Observe(reader.Event(span.Name(), span.TraceID(), binary.BigEndian.Uint64(id[:]), span.StartTimestamp(), resource, span.Attributes()), time.Unix(1, 0))
		}
	}
	assembler.Flush()
	return writer.Take()
}

func observeBatch(assembler *assembly.Assembler, batch eventbatch.Batch, resource *event.Resource) {
	offsets, reader := eventbatch.NewPlainReader(), treedata.NewReader()
	err := errors.Join(offsets.Open(batch), reader.Open(batch.Events))
	for err == nil && offsets.Next() {
		if signals, _ := offsets.Signals(); !signals.Has(lifecycle.SignalTraces) || offsets.TraceID().IsEmpty() || offsets.Shape().Name == "" {
			continue
		}
		var e *event.Event
		if e, err = reader.At(offsets.Offset(), resource); err == nil {
			assembler.Observe(e, time.Unix(1, 0))
		}
	}
	if err = errors.Join(err, offsets.Err()); err != nil {
		panic(err)
	}
}

// A batch omits the same attributes and events as event spans, and counts them equally.
func TestBatched(t *testing.T) {
	set, tel := settings(t)
	sink := &consumertest.TracesSink{}
	cfg := createDefaultConfig()
	cfg.EventSpans = spansBatched
	c, err := NewFactory().CreateLogsToTraces(t.Context(), set, cfg, sink)
	require.NoError(t, err)
	logs := logsOf(t,
		routed{"step.completed", "traces,metrics", task, eventAt, map[string]any{"tasker.task_id": int64(7), "tasker.step_name": "charge"}},
		routed{"order.placed", "traces", task, pcommon.SpanID{2}, map[string]any{"tasker.amount": 1.5, "tasker.of": map[string]any{"a": []any{int64(1), "b"}}}},
		routed{"memory.spike_detected", "metrics", task, eventAt, nil},
		routed{"handler.registered", "traces", pcommon.TraceID{}, eventAt, nil},
		routed{"", "", task, eventAt, nil},
	)
	before := copyOf(logs)
	require.NoError(t, c.ConsumeLogs(t.Context(), logs))
	require.NoError(t, c.ConsumeLogs(t.Context(), logsOf(t, routed{"memory.spike_detected", "metrics", task, eventAt, nil})))
	require.Equal(t, before, logs, "the input is only read")
	require.Len(t, sink.AllTraces(), 1, "nothing is handed on where there is nothing")
	require.Equal(t, 1, sink.SpanCount())
	rs := sink.AllTraces()[0].ResourceSpans().At(0)
	require.Equal(t, map[string]any{"service.name": "shop"}, rs.Resource().Attributes().AsRaw())
	require.Equal(t, lifecycle.ScopeEvents, rs.ScopeSpans().At(0).Scope().Name())
	span := rs.ScopeSpans().At(0).Spans().At(0)
	require.Equal(t, lifecycle.EventBatch, span.Name())
	require.Equal(t, task, span.TraceID())
	require.Equal(t, eventAt, span.SpanID())
	count, _ := span.Attributes().Get(lifecycle.AttrEventCount)
	require.EqualValues(t, 2, count.Int())
	metadatatest.AssertEqualConnectorRoutedEventsConverted(t, tel, converted("traces", 2), metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualConnectorRoutedEventsDropped(t, tel,
		dropped("traces", map[string]int64{"not_routed": 2, "no_task": 1, "no_name": 1}), metricdatatest.IgnoreTimestamp())
}

// An event that a batch cannot have is a span of its own beside the others.
func TestAnEventThatCannotBeBatched(t *testing.T) {
	unmarshaler := plog.JSONUnmarshaler{}
	twice, err := unmarshaler.UnmarshalLogs([]byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"order.placed","attributes":[
		{"key":"a","value":{"intValue":"1"}},{"key":"a","value":{"intValue":"2"}}]}]}]}]}`))
	require.NoError(t, err)
	logs := routedStream(t, "real/linear5")
	records := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	record := records.AppendEmpty()
	twice.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).CopyTo(record)
	record.SetTraceID(records.At(0).TraceID())
	id, _ := records.At(0).Attributes().Get(lifecycle.AttrTaskID)
	id.CopyTo(record.Attributes().PutEmpty(lifecycle.AttrTaskID))
	record.SetTimestamp(records.At(records.Len() / 2).Timestamp())
	eventrecord.SetIdentity(record.Attributes(), 7)
	events, want := eventSpans(logs, false)
	batched, counts, err := newBatcher().spans(logs)
	require.NoError(t, err)
	require.Equal(t, want, counts)
	require.Equal(t, logs.ResourceLogs().Len()+1, batched.SpanCount())
	require.ElementsMatch(t, streamtest.FromTraces(trees(events)), streamtest.FromTraces(trees(batched)))
}

func attributesIn(td ptrace.Traces) (n int) {
	for _, rs := range td.ResourceSpans().All() {
		for _, span := range rs.ScopeSpans().At(0).Spans().All() {
			n += span.Attributes().Len()
		}
	}
	return n
}

func BenchmarkEventSpans(b *testing.B) {
	logs := routedStream(b, "mixed")
	batches, batcher := packed(b, logs), newBatcher()
	for name, convert := range map[string]func(){
		attributesAll:  func() { eventSpans(logs, true) },
		attributesTree: func() { eventSpans(logs, false) },
		spansBatched:   func() { _, _, _ = batcher.spans(logs) },
		"carriers":     func() { _, _, _ = batcher.spans(batches) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				convert()
			}
			events := float64(b.N) * float64(logs.LogRecordCount())
			b.ReportMetric(events/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/events, "ns/event")
		})
	}
}
