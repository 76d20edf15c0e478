// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/tasker-otel/otelcol-tasker/connector/routedevents/internal/metadatatest"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

func TestStructuredRecords(t *testing.T) {
	set, tel := settings(t)
	sink := &consumertest.LogsSink{}
	c, err := NewFactory().CreateLogsToLogs(context.Background(), set, &Config{}, sink)
	require.NoError(t, err)
	const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	logs := logsOf(t,
		routed{"step.failed", "traces,logs", task, eventAt, map[string]any{
			"tasker.task_id": int64(7), "tasker.task_name": "order", "tasker.step_name": "charge",
			"tasker.error_message": "no money", "tasker.correlation_id": "tsk_1", "tasker.nested": map[string]any{"a": true},
		}},
		routed{"task.completed", "logs", task, eventAt, nil},
		routed{"handler.registered", "", pcommon.TraceID{}, eventAt, map[string]any{"tasker.traceparent": parent}},
		routed{"plugin.registered", "logs", pcommon.TraceID{}, eventAt, map[string]any{"tasker.traceparent": "00-4b"}},
		routed{"step.completed", "traces,metrics", task, eventAt, nil},
		routed{"", "logs", task, eventAt, nil},
	)
	made := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1)
	made.SetSeverityNumber(plog.SeverityNumberInfo2)
	made.SetSeverityText("notice")
	made.Body().SetStr("as the receiver wrote it")
	before := copyOf(logs)

	require.NoError(t, c.ConsumeLogs(context.Background(), logs))

	assert.Equal(t, before, logs, "the input is only read")
	assert.False(t, c.Capabilities().MutatesData)
	require.Len(t, sink.AllLogs(), 1)
	resourceLogs := sink.AllLogs()[0].ResourceLogs().At(0)
	assert.Equal(t, map[string]any{"service.name": "shop"}, resourceLogs.Resource().Attributes().AsRaw())
	assert.Equal(t, lifecycle.ScopeEvents, resourceLogs.ScopeLogs().At(0).Scope().Name())
	assert.Equal(t, lifecycle.SchemaURL, resourceLogs.ScopeLogs().At(0).SchemaUrl())
	records := resourceLogs.ScopeLogs().At(0).LogRecords()
	require.Equal(t, 4, records.Len())

	failed := records.At(0)
	assert.Equal(t, "step.failed", failed.EventName())
	assert.Equal(t, happened, failed.Timestamp())
	assert.Equal(t, received, failed.ObservedTimestamp())
	assert.Equal(t, task, failed.TraceID())
	assert.Equal(t, lifecycle.SpanID(task, lifecycle.SpanTask, "", 0), failed.SpanID(), "the task's span")
	assert.Equal(t, plog.SeverityNumberError, failed.SeverityNumber())
	assert.Equal(t, "ERROR", failed.SeverityText())
	assert.Equal(t, "step charge of task 7 failed: no money", failed.Body().Str())
	assert.Equal(t, map[string]any{
		"tasker.task_id": int64(7), "tasker.task_name": "order", "tasker.step_name": "charge",
		"tasker.error_message": "no money", "tasker.correlation_id": "tsk_1", "tasker.nested": map[string]any{"a": true},
		"tasker.component": "step", "tasker.entity_type": "step", "tasker.entity_name": "charge", "tasker.event_type": "failed",
	}, failed.Attributes().AsRaw(), "all but the router's stamp, and the fields of the structured log")

	completed := records.At(1)
	assert.Equal(t, plog.SeverityNumberInfo2, completed.SeverityNumber())
	assert.Equal(t, "notice", completed.SeverityText())
	assert.Equal(t, "as the receiver wrote it", completed.Body().Str())
	generated, _ := completed.Attributes().Get(lifecycle.AttrCorrelationID)
	assert.Equal(t, lifecycle.CorrelationSuffixOf(task).At(int64(completed.Timestamp())), generated.Str(), "it came without one")

	registered := records.At(2)
	assert.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", registered.TraceID().String(), "back in its sender's span")
	_, correlated := registered.Attributes().Get(lifecycle.AttrCorrelationID)
	assert.False(t, correlated, "there is no task to correlate it with")
	assert.Equal(t, "00f067aa0ba902b7", registered.SpanID().String())

	nowhere := records.At(3)
	assert.True(t, nowhere.TraceID().IsEmpty())
	assert.True(t, nowhere.SpanID().IsEmpty(), "a span id alone points nowhere")

	metadatatest.AssertEqualConnectorRoutedEventsConverted(t, tel, converted("logs", 4), metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualConnectorRoutedEventsDropped(t, tel,
		dropped("logs", map[string]int64{"not_routed": 1, "no_name": 1}), metricdatatest.IgnoreTimestamp())
}

func TestNoRecordsNoCall(t *testing.T) {
	set, _ := settings(t)
	sink := &consumertest.LogsSink{}
	c, err := NewFactory().CreateLogsToLogs(context.Background(), set, &Config{}, sink)
	require.NoError(t, err)
	require.NoError(t, c.ConsumeLogs(context.Background(), logsOf(t)))
	require.NoError(t, c.ConsumeLogs(context.Background(), logsOf(t, routed{"step.completed", "traces", task, eventAt, nil})))
	assert.Empty(t, sink.AllLogs())
}

func TestLogsErrorIsReturned(t *testing.T) {
	set, _ := settings(t)
	failure := errors.New("queue is full")
	c, err := NewFactory().CreateLogsToLogs(context.Background(), set, &Config{}, consumertest.NewErr(failure))
	require.NoError(t, err)
	logs := logsOf(t, routed{"step.completed", "logs", task, eventAt, nil})
	require.ErrorIs(t, c.ConsumeLogs(context.Background(), logs), failure)
}

func TestShutdown(t *testing.T) {
	set, _ := settings(t)
	c, err := NewFactory().CreateLogsToLogs(context.Background(), set, &Config{}, consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, c.Shutdown(context.Background()), "before the start")
	require.NoError(t, c.Start(context.Background(), componenttest.NewNopHost()))
	require.NoError(t, c.Shutdown(context.Background()))
	require.NoError(t, c.Shutdown(context.Background()), "twice")
}

func TestStreamsBecomeRecords(t *testing.T) {
	for _, name := range []string{"order_processing", "mixed", "real/retry"} {
		t.Run(name, func(t *testing.T) {
			logs := routedStream(t, name)
			structured, counts := announcements(logs, false, 0)
			assert.EqualValues(t, logs.LogRecordCount(), counts.converted)
			for _, resourceLogs := range structured.ResourceLogs().All() {
				for _, record := range resourceLogs.ScopeLogs().At(0).LogRecords().All() {
					assert.NotEmpty(t, record.Body().Str())
					assert.NotEqual(t, plog.SeverityNumberUnspecified, record.SeverityNumber())
					assert.Equal(t, record.TraceID().IsEmpty(), record.SpanID().IsEmpty())
				}
			}
		})
	}
}

func BenchmarkStructuredRecords(b *testing.B) {
	logs := routedStream(b, "mixed")
	b.ReportAllocs()
	for b.Loop() {
		announcements(logs, false, 0)
	}
	b.ReportMetric(float64(b.N)*float64(logs.LogRecordCount())/b.Elapsed().Seconds(), "events/s")
}
