// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tasker-otel/otelcol-tasker/connector/routedevents/internal/metadatatest"
	"github.com/tasker-otel/otelcol-tasker/internal/journal/journaltest"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// recording is a connector with both inputs, and its output.
type recording struct {
	events  connector.Logs
	spans   connector.Traces
	tel     *componenttest.Telemetry
	refuses error
	records []streamtest.Record
}

func (r *recording) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (r *recording) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	if r.refuses != nil {
		return r.refuses
	}
	r.records = append(r.records, streamtest.FromLogs(logs)...)
	return nil
}

// startRecording starts a connector. Nothing stops it, as in a crash.
func startRecording(t require.TestingT, storage *journaltest.Storage, change func(*Config)) *recording {
	cfg := createDefaultConfig()
	host := componenttest.NewNopHost()
	if storage != nil {
		cfg.Storage, host = &journaltest.ID, storage.Host()
	}
	if change != nil {
		change(cfg)
	}
	r := &recording{tel: componenttest.NewTelemetry()}
	set, factory := metadatatest.NewSettings(r.tel), NewFactory()
	var err error
	r.events, err = factory.CreateLogsToLogs(context.Background(), set, cfg, r)
	require.NoError(t, err)
	r.spans, err = factory.CreateTracesToLogs(context.Background(), set, cfg, r)
	require.NoError(t, err)
	require.NoError(t, r.events.Start(context.Background(), host))
	require.NoError(t, r.spans.Start(context.Background(), host))
	return r
}

var finished = origin.Mark(context.Background(), origin.Hierarchy)

func (r *recording) stop(t require.TestingT) {
	for range 2 {
		require.NoError(t, r.events.Shutdown(context.Background()))
		require.NoError(t, r.spans.Shutdown(context.Background()))
	}
}

// dealt divides logs into parts in random order: each record is in one of them, and some are repeated.
func dealt(logs plog.Logs, random *rand.Rand) []plog.Logs {
	var parts []plog.Logs
	for _, rl := range logs.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				for range 1 + random.IntN(5)/4 {
					if len(parts) == 0 || random.IntN(40) == 0 {
						parts = append(parts, plog.NewLogs())
					}
					part := parts[random.IntN(len(parts))].ResourceLogs().AppendEmpty()
					rl.Resource().CopyTo(part.Resource())
					record.CopyTo(part.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
				}
			}
		}
	}
	random.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	return parts
}

// dealtSpans divides finished spans in the same way.
func dealtSpans(td ptrace.Traces, random *rand.Rand) []ptrace.Traces {
	var parts []ptrace.Traces
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				for range 1 + random.IntN(5)/4 {
					if len(parts) == 0 || random.IntN(10) == 0 {
						parts = append(parts, ptrace.NewTraces())
					}
					part := parts[random.IntN(len(parts))].ResourceSpans().AppendEmpty()
					rs.Resource().CopyTo(part.Resource())
					scope := part.ScopeSpans().AppendEmpty()
					ss.Scope().CopyTo(scope.Scope())
					span.CopyTo(scope.Spans().AppendEmpty())
				}
			}
		}
	}
	random.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	return parts
}

// routedAsBuiltIn gives each event the signals that the built-in routes have for it, or none.
func routedAsBuiltIn(logs plog.Logs) plog.Logs {
	signals := map[string]string{}
	for _, route := range lifecycle.DefaultRoutes() {
		signals[route.Event] = route.Signals.String()
	}
	for _, rl := range logs.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				record.Attributes().PutStr(lifecycle.AttrSignals, signals[record.EventName()])
			}
		}
	}
	return logs
}

// outcomesAndStarts leaves out the records of backoffs, which the truth does not count.
func outcomesAndStarts(records []streamtest.Record) (kept []streamtest.Record, backoffs int) {
	for _, r := range records {
		if r.Event == lifecycle.ObservabilityStepBackoff {
			backoffs++
			continue
		}
		kept = append(kept, r)
	}
	return kept, backoffs
}

// Whatever the order, repetition and division of events and spans, and with refusals, stops and crashes, every fact is one record,
// equal to the truth.
func TestEachFactIsOneRecord(t *testing.T) {
	for _, name := range []string{streamtest.OrderProcessing, streamtest.Mixed, streamtest.Planned, "real/" + streamtest.RealLinear, "real/" + streamtest.RealRetry} {
		t.Run(strings.ReplaceAll(name, "/", " "), func(t *testing.T) {
			logs := routedAsBuiltIn(routedStream(t, name))
			events, _ := eventSpans(logs, true)
			spans := trees(events)
			announced := 0
			for _, rl := range logs.ResourceLogs().All() {
				for _, record := range rl.ScopeLogs().At(0).LogRecords().All() {
					if record.EventName() == lifecycle.ObservabilityStepBackoff {
						announced++
					}
				}
			}
			for seed := range uint64(6) {
				records := recordAll(t, logs, spans, rand.New(rand.NewPCG(seed, 1)))
				facts, backoffs := outcomesAndStarts(records)
				require.Equal(t, announced, backoffs)
				require.Empty(t, compareFacts(t, name, facts), "seed %d", seed)
			}
		})
	}
}

func compareFacts(t require.TestingT, name string, facts []streamtest.Record) []string {
	if captured, is := strings.CutPrefix(name, "real/"); is {
		_, truth, err := streamtest.LoadReal(captured)
		require.NoError(t, err)
		return streamtest.CompareRealRecords(truth, facts)
	}
	_, truth, err := streamtest.Load(name)
	require.NoError(t, err)
	return streamtest.CompareRecords(truth, facts)
}

// recordAll sends everything to a connector that is at times refused, stopped and killed.
func recordAll(t require.TestingT, logs plog.Logs, spans ptrace.Traces, random *rand.Rand) (records []streamtest.Record) {
	storage := journaltest.New()
	r := startRecording(t, storage, nil)
	give := func(consume func(*recording) error) {
		switch random.IntN(12) {
		case 0:
			r.refuses = errors.New("full")
			_ = consume(r) // an error if there is a new fact in it
			r.refuses = nil
		case 1:
			r.stop(t)
			records = append(records, r.records...)
			r = startRecording(t, storage, nil)
		case 2:
			storage = storage.Crashed()
			records = append(records, r.records...)
			r = startRecording(t, storage, nil)
		}
		require.NoError(t, consume(r))
	}
	for _, part := range dealt(logs, random) {
		give(func(r *recording) error { return r.events.ConsumeLogs(context.Background(), part) })
	}
	for _, part := range dealtSpans(spans, random) {
		give(func(r *recording) error { return r.spans.ConsumeTraces(finished, part) })
	}
	r.stop(t)
	return append(records, r.records...)
}

// The complete records of a failed attempt and of a start.
func TestRecordsOfFacts(t *testing.T) {
	r := startRecording(t, nil, nil)
	started := routed{"task.start_requested", "traces,metrics", task, eventAt, map[string]any{
		"tasker.task_id": int64(7), "tasker.task_name": "order", "tasker.to_state": "in_progress", "tasker.correlation_id": "tsk_1",
	}}
	created := started
	created.attrs = map[string]any{"tasker.task_id": int64(7), "tasker.task_name": "order", "tasker.step_count": int64(5), "tasker.event_type": "started"}
	require.NoError(t, r.events.ConsumeLogs(t.Context(), logsOf(t, created)))
	require.Empty(t, r.records, "a task that is created has not started")
	pass := routed{"workflow.task_started", "traces,metrics", task, pcommon.SpanID{0xe, 2}, map[string]any{"tasker.task_id": int64(7)}}
	logs := logsOf(t, pass, started, started)
	made := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1)
	made.SetTimestamp(happened - 1)
	made.Body().SetStr("task order (7) start requested")
	require.NoError(t, r.events.ConsumeLogs(t.Context(), logs))
	require.NoError(t, r.events.ConsumeLogs(t.Context(), logs))
	taskSpan := lifecycle.SpanID(task, lifecycle.SpanTask, "", 0)
	require.Equal(t, []streamtest.Record{{
		TraceID: task, SpanID: taskSpan, Event: "task.started", At: int64(happened) - 1, Severity: "INFO", Body: "task order (7) started", Service: "shop",
		Attributes: map[string]any{
			"tasker.task_id": int64(7), "tasker.task_name": "order", "tasker.to_state": "in_progress", "tasker.correlation_id": "tsk_1",
			"tasker.component": "task", "tasker.entity_type": "task", "tasker.entity_id": "7", "tasker.entity_name": "order", "tasker.event_type": "started",
			"log.record.uid": uidOfStart(task).String(),
		},
	}}, r.records)

	r.records = nil
	require.NoError(t, r.spans.ConsumeTraces(finished, failedAttempt(t)))
	require.NoError(t, r.spans.ConsumeTraces(finished, failedAttempt(t)), "again")
	require.Len(t, r.records, 1)
	assert.Equal(t, streamtest.Record{
		TraceID: task, SpanID: eventAt, Event: "step.failed", At: 2_000_000_000, Severity: "ERROR", Body: "step charge of task 7 failed: no money", Service: "shop",
		Attributes: map[string]any{
			"tasker.task_id": int64(7), "tasker.task_name": "order", "tasker.step_id": int64(9), "tasker.step_name": "charge", "tasker.attempt_number": int64(2),
			"tasker.correlation_id": "tsk_1", "tasker.status": "failure", "error.type": "NoMoney", "tasker.error_class": "NoMoney", "tasker.error_message": "no money",
			"tasker.exception_class": "NoMoney", "tasker.backtrace": []any{"a.rb:1", "b.rb:2"}, "tasker.duration_ms": 1000.0, "tasker.performance_category": "slow",
			"tasker.component": "step", "tasker.entity_type": "step", "tasker.entity_id": "9", "tasker.entity_name": "charge", "tasker.event_type": "failed",
			"log.record.uid": r.records[0].UID(),
		},
	}, r.records[0])
}

func failedAttempt(t testing.TB) ptrace.Traces {
	t.Helper()
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr(lifecycle.AttrServiceName, "shop")
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName(lifecycle.ScopeSpans)
	span := ss.Spans().AppendEmpty()
	span.SetName(lifecycle.SpanStep)
	span.SetTraceID(task)
	span.SetSpanID(eventAt)
	span.SetStartTimestamp(1_000_000_000)
	span.SetEndTimestamp(2_000_000_000)
	span.Status().SetCode(ptrace.StatusCodeError)
	span.Status().SetMessage("no money")
	require.NoError(t, span.Attributes().FromRaw(map[string]any{
		"tasker.task_id": int64(7), "tasker.task_name": "order", "tasker.step_id": int64(9), "tasker.step_name": "charge", "tasker.attempt_number": int64(2),
		"tasker.correlation_id": "tsk_1", "tasker.status": "failure", "error.type": "NoMoney",
	}))
	exception := span.Events().AppendEmpty()
	exception.SetName("exception")
	exception.Attributes().PutStr("exception.stacktrace", "a.rb:1\nb.rb:2")
	return td
}

// Spans received over the network make no records, whatever their scope, unless trust_received is set.
func TestReceivedSpansMakeNoRecords(t *testing.T) {
	events, _ := eventSpans(logsOf(t, routed{"workflow.task_started", "traces", task, eventAt, map[string]any{"tasker.task_id": int64(7)}}), true)
	r := startRecording(t, nil, nil)
	require.NoError(t, r.spans.ConsumeTraces(t.Context(), failedAttempt(t)))
	require.NoError(t, r.spans.ConsumeTraces(finished, events), "nor are event spans finished ones")
	assert.Empty(t, r.records)
	metadatatest.AssertEqualConnectorRoutedEventsDropped(t, r.tel, dropped("logs", map[string]int64{"received": 2}), metricdatatest.IgnoreTimestamp())

	trusting := startRecording(t, nil, func(cfg *Config) { cfg.TrustReceived = true })
	require.NoError(t, trusting.spans.ConsumeTraces(t.Context(), failedAttempt(t)))
	require.NoError(t, trusting.spans.ConsumeTraces(t.Context(), events))
	require.NoError(t, trusting.spans.ConsumeTraces(t.Context(), events))
	require.Len(t, trusting.records, 2)
	assert.Equal(t, "task.started", trusting.records[1].Event, "from an agent's event span")
}

// A called task's records are in its caller's trace, though only its creation has the context, also across a crash.
func TestRecordsOfACalledTaskLieInItsCallersTrace(t *testing.T) {
	const (
		caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
		worker = "00-1111111111111111111111111111111f-222222222222222f-01"
	)
	at := func(moment pcommon.Timestamp, e routed) plog.Logs {
		logs := logsOf(t, e)
		logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetTimestamp(moment)
		return logs
	}
	storage := journaltest.New()
	r := startRecording(t, storage, nil)
	require.NoError(t, r.events.ConsumeLogs(t.Context(), at(2000, routed{"task.before_transition", "metrics", task, eventAt, map[string]any{"tasker.task_id": int64(7), "tasker.traceparent": worker}})))
	require.NoError(t, r.events.ConsumeLogs(t.Context(), at(1000, routed{"task.start_requested", "traces", task, eventAt, map[string]any{"tasker.task_id": int64(7), "tasker.step_count": int64(5), "tasker.traceparent": caller}})))
	after := startRecording(t, storage.Crashed(), nil)
	require.NoError(t, after.events.ConsumeLogs(t.Context(), at(3000, routed{"workflow.task_started", "traces", task, eventAt, map[string]any{"tasker.task_id": int64(7), "tasker.traceparent": worker}})))
	require.NoError(t, after.events.ConsumeLogs(t.Context(), at(4000, routed{"order.fulfilled", "logs", task, pcommon.SpanID{1}, map[string]any{"tasker.task_id": int64(7)}})))
	require.Len(t, after.records, 2)
	for _, record := range after.records {
		assert.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", fmt.Sprintf("%x", record.TraceID), record.Event)
		assert.Equal(t, lifecycle.SpanID(task, lifecycle.SpanTask, "", 0), pcommon.SpanID(record.SpanID))
	}
}

// Events that the engine announces once, and an application's own, are recorded; repetitions are not.
func TestEventsAreRecordedOnce(t *testing.T) {
	r := startRecording(t, nil, nil)
	of := map[string]any{"tasker.task_id": int64(7), "tasker.step_id": int64(9), "tasker.step_name": "charge"}
	logs := logsOf(t,
		routed{"order.fulfilled", "logs", task, pcommon.SpanID{1}, of},
		routed{"order.fulfilled", "logs", task, pcommon.SpanID{2}, of},
		routed{"order.fulfilled", "traces", task, pcommon.SpanID{3}, of},
		routed{"step.cancelled", "traces,metrics", task, pcommon.SpanID{4}, of},
		routed{"observability.step.backoff", "traces,metrics", task, pcommon.SpanID{5}, of},
		routed{"step.failed", "traces,metrics,logs", task, pcommon.SpanID{6}, of},
		routed{"task.failed", "traces,metrics,logs", pcommon.TraceID{}, pcommon.SpanID{7}, map[string]any{"tasker.initialization_failed": true}},
		routed{"step.completed", "traces,metrics", task, pcommon.SpanID{8}, of},
		routed{"", "logs", task, pcommon.SpanID{9}, of},
	)
	require.NoError(t, r.events.ConsumeLogs(t.Context(), logs))
	var events []string
	for _, record := range r.records {
		events = append(events, record.Event)
	}
	assert.Equal(t, []string{"order.fulfilled", "order.fulfilled", "step.cancelled", "observability.step.backoff", "task.failed"}, events,
		"a task that is refused at its creation has no span")
	require.NoError(t, r.events.ConsumeLogs(t.Context(), logs))
	assert.Len(t, r.records, 5)
	metadatatest.AssertEqualConnectorRoutedEventsDropped(t, r.tel,
		dropped("logs", map[string]int64{"announcement": 2, "not_routed": 4, "no_name": 2, "duplicate": 5}), metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualConnectorRoutedEventsConverted(t, r.tel, converted("logs", 5), metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualConnectorRoutedEventsKnownFacts(t, r.tel, []metricdata.DataPoint[int64]{{Value: 5}}, metricdatatest.IgnoreTimestamp())
}

func TestFewerRecords(t *testing.T) {
	attrs := map[string]any{"tasker.task_id": int64(7)}
	give := func(r *recording) []string {
		require.NoError(t, r.events.ConsumeLogs(t.Context(), logsOf(t,
			routed{"workflow.task_started", "traces", task, pcommon.SpanID{1}, attrs}, routed{"observability.step.backoff", "traces", task, pcommon.SpanID{2}, attrs},
			routed{"payment.failed", "logs", task, pcommon.SpanID{3}, attrs}, routed{"payment.made", "logs", task, pcommon.SpanID{4}, attrs})))
		require.NoError(t, r.spans.ConsumeTraces(finished, failedAttempt(t)))
		var events []string
		for _, record := range r.records {
			events = append(events, record.Event)
		}
		return events
	}
	all := give(startRecording(t, nil, nil))
	assert.Equal(t, []string{"task.started", "observability.step.backoff", "payment.failed", "payment.made", "step.failed"}, all)
	severe := startRecording(t, nil, func(cfg *Config) { cfg.MinSeverity = "warn" })
	assert.Equal(t, []string{"observability.step.backoff", "payment.failed", "step.failed"}, give(severe))
	metadatatest.AssertEqualConnectorRoutedEventsDropped(t, severe.tel, dropped("logs", map[string]int64{"below_severity": 2}), metricdatatest.IgnoreTimestamp())
	assert.Equal(t, []string{"payment.failed", "payment.made"}, give(startRecording(t, nil, func(cfg *Config) { cfg.Records = nil })))
	assert.Equal(t, []string{"payment.failed", "payment.made"}, give(startRecording(t, nil, func(cfg *Config) { cfg.Announcements = announcementsAll })))
	assert.Equal(t, []string{"payment.failed"}, give(startRecording(t, nil, func(cfg *Config) { cfg.Announcements, cfg.MinSeverity = announcementsAll, "error" })))
}

// A configuration that records announcements instead of facts, or nothing, is logged as a warning.
func TestWarnings(t *testing.T) {
	core, seen := observer.New(zap.WarnLevel)
	set, _ := settings(t)
	set.Logger = zap.New(core)
	factory, cfg := NewFactory(), createDefaultConfig()
	alone, err := factory.CreateLogsToLogs(t.Context(), set, cfg, &recording{})
	require.NoError(t, err)
	require.NoError(t, alone.Start(t.Context(), componenttest.NewNopHost()))
	require.Equal(t, 1, seen.FilterMessageSnippet("two or three a fact").Len())
	require.NoError(t, alone.Shutdown(t.Context()))

	cfg = createDefaultConfig()
	cfg.Records = []string{"task.failed"}
	out := &recording{}
	events, err := factory.CreateLogsToLogs(t.Context(), set, cfg, out)
	require.NoError(t, err)
	_, err = factory.CreateTracesToLogs(t.Context(), set, cfg, out)
	require.NoError(t, err)
	require.NoError(t, events.Start(t.Context(), componenttest.NewNopHost()))
	for range 2 {
		require.NoError(t, events.ConsumeLogs(t.Context(), logsOf(t, routed{"step.failed", "logs", task, eventAt, nil}, routed{"task.failed", "logs", task, eventAt, nil})))
	}
	require.Equal(t, 1, seen.FilterField(zap.String("fact", "step.failed")).Len(), "once")
	require.Equal(t, 2, seen.Len())
	assert.Empty(t, out.records)
}

// A failing storage loses no record; the failure is counted, and the state is written with the next batch.
func TestAFailingStorageCostsNoRecord(t *testing.T) {
	storage := journaltest.New()
	r := startRecording(t, storage, nil)
	storage.Fail(errors.New("no space left on device"))
	require.NoError(t, r.spans.ConsumeTraces(finished, failedAttempt(t)))
	require.Len(t, r.records, 1)
	metadatatest.AssertEqualConnectorRoutedEventsUnrememberedRecords(t, r.tel, []metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp())
	storage.Fail(nil)
	require.NoError(t, r.events.ConsumeLogs(t.Context(), logsOf(t, routed{"workflow.task_started", "traces", task, eventAt, nil})))
	after := startRecording(t, storage.Crashed(), nil)
	require.NoError(t, after.spans.ConsumeTraces(finished, failedAttempt(t)))
	assert.Empty(t, after.records)
}

func FuzzRestoreCallers(f *testing.F) {
	f.Add(newCallers(10).note(nil, task, 1, "task.start_requested", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, data []byte) {
		c := newCallers(10)
		if err := c.restore(data); err != nil {
			require.Zero(t, c.tasks.Len())
			return
		}
		require.LessOrEqual(t, c.tasks.Len(), 10)
	})
}

// Whatever a name or a message contains, body, attributes and resource of a record have no line breaks, keys included.
func TestAttackForgedLogLines(t *testing.T) {
	const forged = "x\n2026-06-01T12:00:00Z\terror\tforged\x1b[2J\u009b1m\u202e"
	for _, body := range []string{bodyMessage, bodyJSON} {
		for _, announcements := range []string{announcementsOnce, announcementsAll} {
			out := &consumertest.LogsSink{}
			set, _ := settings(t)
			cfg, factory := createDefaultConfig(), NewFactory()
			cfg.LogBody, cfg.Announcements = body, announcements
			events, err := factory.CreateLogsToLogs(t.Context(), set, cfg, out)
			require.NoError(t, err)
			spans, err := factory.CreateTracesToLogs(t.Context(), set, cfg, out)
			require.NoError(t, err)
			require.NoError(t, events.Start(t.Context(), componenttest.NewNopHost()))
			require.NoError(t, spans.Start(t.Context(), componenttest.NewNopHost()))
			logs := logsOf(t, routed{"order." + forged, "logs", task, eventAt, map[string]any{
				"tasker.task_id": int64(7), "tasker.step_name": forged, "tasker." + forged: "a", "tasker.backtrace": "a.rb:1\nb.rb:2" + forged,
				"tasker.nested": map[string]any{forged: []any{forged}},
			}})
			logs.ResourceLogs().At(0).Resource().Attributes().PutStr("service.name", "shop"+forged)
			require.NoError(t, events.ConsumeLogs(t.Context(), logs))
			attempt := failedAttempt(t)
			attempt.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Status().SetMessage(forged)
			require.NoError(t, spans.ConsumeTraces(finished, attempt))
			require.NotEmpty(t, out.AllLogs())
			for _, made := range out.AllLogs() {
				rl := made.ResourceLogs().At(0)
				record := rl.ScopeLogs().At(0).LogRecords().At(0)
				shown := fmt.Sprint(record.EventName(), record.Body().AsString(), record.Attributes().AsRaw(), rl.Resource().Attributes().AsRaw())
				assert.NotContains(t, shown, "\n", shown)
				assert.NotRegexp(t, `[\x00-\x1f\x7f-\x9f\x{202a}-\x{202e}\x{2028}\x{2029}]`, shown)
			}
			require.NoError(t, events.Shutdown(t.Context()))
			require.NoError(t, spans.Shutdown(t.Context()))
		}
	}
}

// BenchmarkFacts reads a stream without new facts, like most of a stream, as records and in batches: the cost of recording facts per
// event.
func BenchmarkFacts(b *testing.B) {
	records := routedAsBuiltIn(routedStream(b, "mixed"))
	for name, logs := range map[string]plog.Logs{"records": records, "batches": packed(b, records)} {
		b.Run(name, func(b *testing.B) {
			r := startRecording(b, nil, nil)
			require.NoError(b, r.events.ConsumeLogs(b.Context(), logs))
			b.ReportAllocs()
			for b.Loop() {
				if err := r.events.ConsumeLogs(b.Context(), logs); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(records.LogRecordCount()), "ns/event")
		})
	}
}
