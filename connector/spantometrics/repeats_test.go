// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/metadatatest"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
)

func TestRepeatedSpansCountOnce(t *testing.T) {
	p := newPair(t, nil)
	td := oneTask()
	p.consumeTraces(t, td)
	p.consumeTraces(t, td)
	other := ptrace.NewTraces()
	td.CopyTo(other)
	other.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).SetTraceID(pcommon.TraceID{2})
	p.consumeTraces(t, other)
	p.stop(t)
	require.Equal(t, uint64(2), read(p.sink.last(), "tasker.task.executions")[oneTaskLabels].count, "one of each trace")
	require.Equal(t, map[string]int64{"": 2}, p.own(t, "recorded_spans"))
	require.Equal(t, map[string]int64{"duplicate": 1}, p.own(t, "skipped"))
}

func TestTheCompleteVersionOfAnIncompleteSpanCounts(t *testing.T) {
	p := newPair(t, nil)
	whole := oneTask()
	cut := ptrace.NewTraces()
	whole.CopyTo(cut)
	cut.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes().PutBool(lifecycle.AttrIncomplete, true)
	for _, td := range []ptrace.Traces{cut, cut, whole, cut, whole} {
		p.consumeTraces(t, td)
	}
	p.stop(t)
	require.Equal(t, uint64(1), read(p.sink.last(), "tasker.task.executions")[oneTaskLabels].count)
	require.Equal(t, map[string]int64{"duplicate": 1, "incomplete": 3}, p.own(t, "skipped"))
}

// Two spans without IDs may be different executions.
func TestSpansWithoutIDsAllCount(t *testing.T) {
	p := newPair(t, nil)
	td := oneTask()
	td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).SetSpanID(pcommon.SpanID{})
	p.consumeTraces(t, td)
	p.consumeTraces(t, td)
	p.stop(t)
	require.Equal(t, uint64(2), read(p.sink.last(), "tasker.task.executions")[oneTaskLabels].count)
}

// An event is the same as a record of the router, as a record that no router has processed, and as a span of routed_events;
// in another application it is a different event.
func TestRepeatedEventsCountOnce(t *testing.T) {
	p := newPair(t, func(cfg *Config) { cfg.EventSpans = true })
	plain, records := shopLogs()
	addEvent(records, "tasker.step.completed", 1, time.Unix(1000, 0), nil)
	stamped := plog.NewLogs()
	plain.CopyTo(stamped)
	record := stamped.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	id := eventrecord.Identity(records.At(0))
	eventrecord.SetIdentity(record.Attributes(), id)
	record.Attributes().PutStr(lifecycle.AttrSignals, "traces,metrics")
	elsewhere := plog.NewLogs()
	stamped.CopyTo(elsewhere)
	elsewhere.ResourceLogs().At(0).Resource().Attributes().PutStr(lifecycle.AttrServiceName, "bank")
	td, spans := shopSpans(lifecycle.ScopeEvents)
	td.ResourceSpans().At(0).Resource().Attributes().Remove(lifecycle.AttrServiceNamespace)
	span := spans.AppendEmpty()
	span.SetName("step.completed")
	span.SetSpanID(spanIDOf(id))

	p.consumeLogs(t, plain)
	p.consumeLogs(t, stamped)
	p.consumeTraces(t, td)
	p.consumeLogs(t, elsewhere)
	p.stop(t)
	require.Equal(t, map[string]int64{"": 2}, p.own(t, "recorded_events"), "one of each application")
	require.Equal(t, map[string]int64{"duplicate": 2}, p.own(t, "skipped"))
}

// A record's span ID that no router has set is the sender's context, which several events may share.
func TestASendersSpanIDIsNoIdentity(t *testing.T) {
	p := newPair(t, nil)
	ld, records := shopLogs()
	for range 3 {
		addEvent(records, "step.completed", 1, time.Now(), nil)
		records.At(records.Len() - 1).SetSpanID(pcommon.SpanID{7})
	}
	p.consumeLogs(t, ld)
	p.stop(t)
	require.Equal(t, uint64(3), read(p.sink.last(), "tasker.events")["event=step.completed"].count)
}

func TestMaxEventAge(t *testing.T) {
	p := newPair(t, func(cfg *Config) { cfg.MaxEventAge = time.Hour })
	p.consumeTraces(t, oneTask()) // at a time in 1970
	td := oneTask()
	span := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-48 * time.Hour)))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(-time.Minute)))
	p.consumeTraces(t, td)
	ld, records := shopLogs()
	addEvent(records, "step.completed", 1, time.Now().Add(-2*time.Hour), nil)
	addEvent(records, "step.failed", 1, time.Now(), nil)
	p.consumeLogs(t, ld)
	p.stop(t)
	require.Equal(t, uint64(1), read(p.sink.last(), "tasker.task.executions")[oneTaskLabels].count, "a long task that has just ended")
	require.Equal(t, map[string]uint64{"event=step.failed": 1}, counts(read(p.sink.last(), "tasker.events")))
	require.Equal(t, map[string]int64{"too_old": 2}, p.own(t, "skipped"))
}

func TestNoMaxEventAgeByDefault(t *testing.T) {
	p := newPair(t, nil)
	p.consumeTraces(t, oneTask()) // at a time in 1970
	p.stop(t)
	require.Equal(t, uint64(1), read(p.sink.last(), "tasker.task.executions")[oneTaskLabels].count)
}

// A sender forges the span of a task under the scope of span_hierarchy before the task has one. It is not measured, and the
// genuine execution is not a duplicate of it.
func TestAttackForgedExecution(t *testing.T) {
	p := newPair(t, func(cfg *Config) { cfg.TrustReceived = false })
	td := oneTask()
	require.NoError(t, p.traces.ConsumeTraces(t.Context(), td))
	require.NoError(t, p.traces.ConsumeTraces(origin.Mark(t.Context(), origin.EventSpans), td), "nor are they event spans")
	require.NoError(t, p.traces.ConsumeTraces(finished(t.Context()), td))
	require.NoError(t, p.traces.ConsumeTraces(finished(t.Context()), td))
	each := int64(td.SpanCount())
	metadatatest.AssertEqualConnectorSpanToMetricsSkipped(t, p.tel, []metricdata.DataPoint[int64]{
		{Attributes: attribute.NewSet(attribute.String("reason", "received")), Value: 2 * each},
		{Attributes: attribute.NewSet(attribute.String("reason", "duplicate")), Value: each},
	}, metricdatatest.IgnoreTimestamp())
	p.stop(t)
}
