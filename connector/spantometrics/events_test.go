// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// counted returns the metrics of one batch of events.
func counted(t *testing.T, fill func(plog.LogRecordSlice)) (pmetric.Metrics, *pair) {
	t.Helper()
	p := newPair(t, nil)
	ld, records := shopLogs()
	fill(records)
	p.consumeLogs(t, ld)
	p.stop(t)
	return p.sink.last(), p
}

func TestEventsAreCountedAsAnnounced(t *testing.T) {
	md, p := counted(t, func(records plog.LogRecordSlice) {
		now := time.Now()
		addEvent(records, "step.completed", 1, now, nil)
		addEvent(records, "tasker.step.completed", 1, now, nil)
		addEvent(records, "tasker.telemetry.cache_synced", 0, now, nil)
		addEvent(records, "step.failed", 1, now, map[string]any{lifecycle.AttrSignals: "traces,metrics"})
		addEvent(records, "step.before_handle", 1, now, map[string]any{lifecycle.AttrSignals: "traces"})
		addEvent(records, "", 1, now, nil)
	})
	require.Equal(t, map[string]uint64{
		"event=step.completed": 2, "event=step.failed": 1, "event=tasker.telemetry.cache_synced": 1,
	}, counts(read(md, "tasker.events")))
	require.Equal(t, map[string]int64{"": 4}, p.own(t, "recorded_events"))
	require.Equal(t, map[string]int64{"not_routed": 1, "not_tasker": 1}, p.own(t, "skipped"))
}

func TestPayloadMetrics(t *testing.T) {
	type attrs = map[string]any
	tests := []struct {
		name   string
		event  string
		attrs  attrs
		metric string
		want   map[string]point
	}{
		{"query", "database.query_executed",
			attrs{lifecycle.AttrDuration: 0.25, lifecycle.AttrSQL: "SELECT * FROM orders WHERE id = 1"},
			"tasker.sql.duration", map[string]point{"db.collection.name=orders db.operation.name=SELECT": {count: 1, sum: 0.25}}},
		{"query counted", "database.query_executed",
			attrs{lifecycle.AttrSQL: "UPDATE orders SET a = 1"},
			"tasker.sql.queries", map[string]point{"db.collection.name=orders db.operation.name=UPDATE": {count: 1}}},
		{"query described before", "database.query_executed",
			attrs{lifecycle.AttrDBOperationName: "DELETE", lifecycle.AttrDBCollectionName: "carts"},
			"tasker.sql.queries", map[string]point{"db.collection.name=carts db.operation.name=DELETE": {count: 1}}},
		{"query of the schema", "database.query_executed", attrs{lifecycle.AttrSQL: "SELECT * FROM pg_class"},
			"tasker.sql.queries", map[string]point{}},
		{"query named SCHEMA", "database.query_executed", attrs{lifecycle.AttrName: "SCHEMA", lifecycle.AttrSQL: "SELECT 1", lifecycle.AttrDuration: 1},
			"tasker.sql.duration", map[string]point{}},
		{"duration in a string", "database.query_executed", attrs{lifecycle.AttrDuration: "0.5"},
			"tasker.sql.duration", map[string]point{"": {count: 1, sum: 0.5}}},
		{"slow operation", "performance.slow_operation", attrs{lifecycle.AttrOperation: "export"},
			"tasker.slow_operations", map[string]point{"operation=export": {count: 1}}},
		{"slow query", "performance.slow_sql_query", attrs{lifecycle.AttrName: "Order Load"},
			"tasker.slow_operations", map[string]point{"operation=Order Load": {count: 1}}},
		{"duration of an operation", "performance.slow_operation",
			attrs{lifecycle.AttrOperation: "export", lifecycle.AttrDuration: 3},
			"tasker.operation.duration", map[string]point{"operation=export": {count: 1, sum: 3}}},
		{"memory", "memory.spike_detected", attrs{lifecycle.AttrOperation: "export", lifecycle.AttrMemoryDeltaMB: 1.5},
			"tasker.operation.memory_delta", map[string]point{"operation=export": {count: 1, sum: 1572864}}},
		{"memory of performance", "performance.memory_spike", attrs{lifecycle.AttrMemoryDeltaMB: 2},
			"tasker.operation.memory_delta", map[string]point{"": {count: 1, sum: 2097152}}},
		{"a memory spike is no slow operation", "memory.spike_detected", attrs{lifecycle.AttrOperation: "export"},
			"tasker.slow_operations", map[string]point{}},
		{"re-enqueue by the finalizer", "task.initialize_requested",
			attrs{lifecycle.AttrReason: "waiting", lifecycle.AttrEventType: "pending_transition"},
			"tasker.task.reenqueues", map[string]point{"reason=waiting": {count: 1}}},
		{"re-enqueue by the state machine", "task.initialize_requested",
			attrs{lifecycle.AttrToState: "pending", lifecycle.AttrTransitionedAt: "2026-06-01T12:00:01.213Z"},
			"tasker.task.reenqueues", map[string]point{}},
		{"re-enqueue requested", "workflow.task_reenqueue_requested", attrs{lifecycle.AttrReason: "retry_backoff"},
			"tasker.task.reenqueues", map[string]point{"reason=retry_backoff": {count: 1}}},
		{"re-enqueue delayed", "workflow.task_reenqueue_delayed", attrs{lifecycle.AttrReason: "retry_backoff"},
			"tasker.task.reenqueues", map[string]point{}},
		{"first of two discoveries", "workflow.viable_steps_discovered",
			attrs{lifecycle.AttrStepNames: []any{"a", "b"}, lifecycle.AttrViableCount: 2, lifecycle.AttrStepCount: 3},
			"tasker.workflow.viable_steps", map[string]point{"": {count: 1, sum: 2}}},
		{"discovery without a viable count", "workflow.viable_steps_discovered",
			attrs{lifecycle.AttrStepNames: []any{}, lifecycle.AttrStepCount: 0},
			"tasker.workflow.viable_steps", map[string]point{"": {count: 1}}},
		{"second of two discoveries", "workflow.viable_steps_discovered", attrs{lifecycle.AttrStepCount: 3},
			"tasker.workflow.viable_steps", map[string]point{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			md, _ := counted(t, func(records plog.LogRecordSlice) {
				addEvent(records, test.event, 0, time.Now(), test.attrs)
			})
			got := read(md, test.metric)
			for labels, p := range got {
				got[labels] = point{count: p.count, sum: p.sum}
			}
			require.Equal(t, test.want, got)
		})
	}
}

func TestNumbersThatCannotBeMeasured(t *testing.T) {
	for _, value := range []any{-1.0, -3, "slow", math.NaN(), math.Inf(1), 1e300, true} {
		md, p := counted(t, func(records plog.LogRecordSlice) {
			addEvent(records, "database.query_executed", 0, time.Now(), map[string]any{lifecycle.AttrDuration: value})
		})
		require.Empty(t, read(md, "tasker.sql.duration"), "%v", value)
		require.Equal(t, uint64(1), read(md, "tasker.sql.queries")[""].count, "the query is counted all the same")
		require.Equal(t, map[string]int64{"invalid_value": 1}, p.own(t, "skipped"))
	}
}

func TestEventSpans(t *testing.T) {
	p := newPair(t, func(cfg *Config) { cfg.EventSpans = true })
	td, spans := shopSpans(lifecycle.ScopeEvents)
	addSpan(spans, "step.completed", 0, nil)
	addSpan(spans, "step.before_handle", 0, map[string]any{lifecycle.AttrSignals: "traces"})
	p.consumeTraces(t, td)
	p.stop(t)
	require.Equal(t, map[string]uint64{"event=step.completed": 1}, counts(read(p.sink.last(), "tasker.events")))
}

func TestActiveTasksAndSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, func(cfg *Config) { cfg.ActiveMaxAge = time.Hour })
		defer p.stop(t)
		began := time.Now()
		send := func(name string, at time.Duration, attrs map[string]any) {
			ld, records := shopLogs()
			addEvent(records, name, 1, began.Add(at), attrs)
			p.consumeLogs(t, ld)
		}
		expect := func(tasks, steps map[string]int64) {
			t.Helper()
			<-time.After(15 * time.Second)
			synctest.Wait()
			require.Equal(t, tasks, nonZero(read(p.sink.last(), "tasker.tasks.active")))
			require.Equal(t, steps, nonZero(read(p.sink.last(), "tasker.steps.active")))
		}
		none := map[string]int64{}
		charge := map[string]any{lifecycle.AttrStepID: 5, lifecycle.AttrStepName: "charge_001"}

		send("task.start_requested", 1, map[string]any{lifecycle.AttrTaskName: "order"})
		expect(map[string]int64{"state=queued task_name=order": 1}, none)
		send("workflow.task_started", 2, nil)
		send("step.execution_requested", 3, charge)
		send("step.execution_requested", 4, charge)
		expect(map[string]int64{"state=running task_name=order": 1}, map[string]int64{"step_name=charge": 1})
		send("step.completed", 5, map[string]any{lifecycle.AttrStepID: "5", lifecycle.AttrStepName: "charge_001"})
		send("step.execution_requested", 4, charge)
		send("task.failed", 6, map[string]any{lifecycle.AttrTaskName: "order"})
		send("observability.task.enqueue", 9, map[string]any{lifecycle.AttrTaskName: "order"})
		expect(none, none)
		send("workflow.task_started", 20, map[string]any{lifecycle.AttrTaskName: "order"})
		send("step.execution_requested", 21, charge)
		expect(map[string]int64{"state=running task_name=order": 1}, map[string]int64{"step_name=charge": 1})

		// The job of a cancelled task still runs; no terminal event follows.
		send("step.completed", 22, charge)
		send("workflow.task_finalization_completed", 23, map[string]any{lifecycle.AttrFinalStatus: "pending"})
		expect(map[string]int64{"state=waiting task_name=order": 1}, none)
		send("workflow.task_finalization_completed", 24, map[string]any{lifecycle.AttrFinalStatus: "cancelled"})
		expect(none, none)
		send("workflow.task_started", 30, map[string]any{lifecycle.AttrTaskName: "order"})
		send("step.execution_requested", 31, charge)
		expect(map[string]int64{"state=running task_name=order": 1}, map[string]int64{"step_name=charge": 1})

		<-time.After(time.Hour)
		expect(none, none)
		require.Equal(t, map[string]int64{"aged": 2}, p.own(t, "active_evictions"))
		require.Equal(t, map[string]int64{"": 0}, p.own(t, "active_ids"))
	})
}

func TestEventsOfOtherTracesAreNoTasks(t *testing.T) {
	md, _ := counted(t, func(records plog.LogRecordSlice) {
		record := records.AppendEmpty()
		record.SetEventName("user.signed_in")
		record.SetTraceID(pcommon.TraceID{9})
	})
	require.Equal(t, uint64(1), read(md, "tasker.events")["event=user.signed_in"].count)
	require.Empty(t, gauges(read(md, "tasker.tasks.active")))
}

// TestAgeOfTheOldestTask observes two tasks of one name and one of another.
func TestAgeOfTheOldestTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, nil)
		defer p.stop(t)
		began := time.Now()
		send := func(name string, task byte, at time.Duration, taskName string) {
			ld, records := shopLogs()
			addEvent(records, name, task, began.Add(at), map[string]any{lifecycle.AttrTaskName: taskName})
			p.consumeLogs(t, ld)
		}
		ages := func() map[string]float64 {
			<-time.After(15 * time.Second)
			synctest.Wait()
			found := map[string]float64{}
			for labels, point := range read(p.sink.last(), "tasker.tasks.oldest_active_age") {
				found[labels] = point.sum
			}
			return found
		}
		send(lifecycle.TaskStartRequested, 1, -time.Minute, "order")
		send(lifecycle.TaskStartRequested, 2, -time.Hour, "order")
		send(lifecycle.WorkflowTaskStarted, 3, 0, "refund")
		require.Equal(t, map[string]float64{"task_name=order": 3615, "task_name=refund": 15}, ages())
		send(lifecycle.TaskCompleted, 2, 0, "order")
		require.Equal(t, map[string]float64{"task_name=order": 90, "task_name=refund": 30}, ages())
		send(lifecycle.TaskCompleted, 1, 0, "order")
		require.Equal(t, map[string]float64{"task_name=order": 0, "task_name=refund": 45}, ages())
		send(lifecycle.WorkflowTaskStarted, 2, 20*time.Second, "order")
		require.Equal(t, map[string]float64{"task_name=order": 60, "task_name=refund": 60}, ages(), "open again since its last end")
	})
}
