// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"context"
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

func TestFields(t *testing.T) {
	for name, test := range map[string]struct {
		event string
		attrs map[string]any
		want  fields
	}{
		"a step": {"step.failed", map[string]any{
			"tasker.task_id": int64(7), "tasker.step_id": "0190", "tasker.step_name": "charge", "tasker.event_type": "failed",
			"tasker.exception_class": "StandardError", "tasker.error_class": "Shop::NoMoney", "tasker.execution_duration": -0.02,
		}, fields{component: "step", entityType: "step", entityID: "0190", entityName: "charge", eventType: "failed", exceptionClass: "Shop::NoMoney"}},
		"a task": {"task.completed", map[string]any{
			"tasker.task_id": int64(7), "tasker.task_name": "order", "tasker.total_execution_duration": 1.641,
		}, fields{component: "task", entityType: "task", entityID: "7", entityName: "order", eventType: "completed", durationMS: 1641, performanceCategory: "slow"}},
		"a query": {"database.query_executed", map[string]any{"tasker.duration": 0.0123456, "tasker.task_id": 7.0},
			fields{component: "database", entityType: "task", entityID: "7", eventType: "query_executed", durationMS: 12.35, performanceCategory: "fast"}},
		"only the engine's class": {"step.failed", map[string]any{"tasker.exception_class": "StandardError"},
			fields{component: "step", eventType: "failed", exceptionClass: "StandardError"}},
		"an application's": {"order.fulfilled", map[string]any{"tasker.event_type": "custom", "tasker.duration": int64(30)},
			fields{component: "application", eventType: "custom", durationMS: 30_000, performanceCategory: "very_slow"}},
		"moderate":              {"a", map[string]any{"tasker.duration": 0.1}, fields{component: "application", eventType: "a", durationMS: 100, performanceCategory: "moderate"}},
		"the engine of metrics": {"tasker.telemetry.export_failed", nil, fields{component: "telemetry", eventType: "export_failed"}},
		"no duration at all": {"a", map[string]any{"tasker.duration": math.NaN(), "tasker.total_execution_duration": math.Inf(1), "tasker.execution_duration": "5"},
			fields{component: "application", eventType: "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			attrs := pcommon.NewMap()
			require.NoError(t, attrs.FromRaw(test.attrs))
			assert.Equal(t, test.want, fieldsOf(test.event, attrs))
		})
	}
}

func TestBacktraceIsAList(t *testing.T) {
	attrs := pcommon.NewMap()
	attrs.PutStr("tasker.backtrace", "a.rb:1\nb.rb:2\n")
	(&fields{}).put(attrs)
	assert.Equal(t, []any{"a.rb:1", "b.rb:2"}, attrs.AsRaw()["tasker.backtrace"])
	attrs.PutStr("tasker.backtrace", "[FILTERED]")
	(&fields{}).put(attrs)
	assert.Equal(t, "[FILTERED]", attrs.AsRaw()["tasker.backtrace"])
}

func TestLinesOfJSON(t *testing.T) {
	set, _ := settings(t)
	sink := &consumertest.LogsSink{}
	c, err := NewFactory().CreateLogsToLogs(context.Background(), set, &Config{LogBody: bodyJSON}, sink)
	require.NoError(t, err)
	logs := logsOf(t,
		routed{"step.failed", "logs", task, eventAt, map[string]any{
			"tasker.task_id": int64(7), "tasker.step_id": int64(9007199254740993), "tasker.step_name": "charge", "tasker.error_message": "<no> money",
			"tasker.error_class": "NoMoney", "tasker.exception_class": "StandardError", "tasker.correlation_id": "tsk_1",
			"tasker.backtrace": "a.rb:1\nb.rb:2", "tasker.nested": map[string]any{"list": []any{int64(1), math.Inf(1)}}, "own": true,
		}},
		routed{"handler.registered", "logs", pcommon.TraceID{}, eventAt, nil},
	)
	require.NoError(t, c.ConsumeLogs(context.Background(), logs))
	records := sink.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	span := lifecycle.SpanID(task, lifecycle.SpanTask, "", 0)
	assert.Equal(t, `{"timestamp":"1970-01-01T00:00:00.000001Z","level":"error","correlation_id":"tsk_1","component":"step",`+
		`"message":"step charge of task 7 failed: <no> money","entity_type":"step","entity_id":"9007199254740993","entity_name":"charge",`+
		`"event_type":"failed","exception_class":"NoMoney","backtrace":["a.rb:1","b.rb:2"],"event":"step.failed","service":"shop",`+
		`"trace_id":"`+task.String()+`","span_id":"`+span.String()+`","payload":{"error_class":"NoMoney","error_message":"<no> money",`+
		`"nested":{"list":[1,"Infinity"]},"own":true,"step_id":9007199254740993,"step_name":"charge","task_id":7}}`, records.At(0).Body().Str())
	assert.Equal(t, `{"timestamp":"1970-01-01T00:00:00.000001Z","level":"info","component":"handler","message":"handler.registered",`+
		`"event_type":"registered","event":"handler.registered","service":"shop"}`, records.At(1).Body().Str())
	assert.Zero(t, records.At(0).Attributes().Len(), "all of it is in the body")
	assert.Equal(t, task, records.At(0).TraceID())
	assert.Equal(t, plog.SeverityNumberError, records.At(0).SeverityNumber())
}

// The record of an event that carries its caller's context is in the caller's trace, on the task's span, as in span_hierarchy.
func TestRecordsOfACalledTask(t *testing.T) {
	const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	structured, _ := announcements(logsOf(t, routed{"task.start_requested", "logs", task, eventAt, map[string]any{
		"tasker.task_id": int64(7), "tasker.traceparent": parent,
	}}), false, 0)
	record := structured.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	assert.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", record.TraceID().String())
	assert.Equal(t, lifecycle.SpanID(task, lifecycle.SpanTask, "", 0), record.SpanID())
}

// The lines of a stream's records are JSON, with the same content as their attributes.
func TestStreamsBecomeLines(t *testing.T) {
	for _, name := range []string{"mixed", "real/retry"} {
		t.Run(name, func(t *testing.T) {
			logs := routedStream(t, name)
			lines, counts := announcements(logs, true, 0)
			records, _ := announcements(logs, false, 0)
			require.EqualValues(t, logs.LogRecordCount(), counts.converted)
			for i, resourceLogs := range lines.ResourceLogs().All() {
				for j, record := range resourceLogs.ScopeLogs().At(0).LogRecords().All() {
					var got line
					require.NoError(t, json.Unmarshal([]byte(record.Body().Str()), &got))
					same := records.ResourceLogs().At(i).ScopeLogs().At(0).LogRecords().At(j)
					require.Equal(t, same.Body().Str(), got.Message)
					require.Equal(t, eventrecord.Text(same.Attributes(), lifecycle.AttrEntityID), got.EntityID)
					require.Equal(t, eventrecord.Text(same.Attributes(), lifecycle.AttrEventType), got.EventType)
					require.Equal(t, eventrecord.Text(same.Attributes(), lifecycle.AttrCorrelationID), got.CorrelationID)
					require.Equal(t, same.SpanID().String(), got.SpanID)
				}
			}
		})
	}
}
