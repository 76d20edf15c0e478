// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package streamtest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestToLogs(t *testing.T) {
	lines, _, err := Load(OrderProcessing)
	require.NoError(t, err)
	ld, err := ToLogs(lines, "tasker.")
	require.NoError(t, err)
	require.Equal(t, len(lines), ld.LogRecordCount())
	rl := ld.ResourceLogs().At(0)
	assert.Equal(t, map[string]any{"service.name": "shop"}, rl.Resource().Attributes().AsRaw())
	record := rl.ScopeLogs().At(0).LogRecords().At(0)
	assert.Equal(t, "tasker.task.start_requested", record.EventName())
	assert.Equal(t, int64(1780315200036885123), int64(record.Timestamp()))
	assert.Equal(t, map[string]any{
		"tasker.timestamp": "2026-06-01T12:00:00Z", "tasker.task_id": int64(1), "tasker.task_name": "process_order",
		"tasker.started_at": "2026-06-01T12:00:00Z", "tasker.task_type": "Tasker::Task", "tasker.event_type": "started",
		"tasker.current_execution_duration": 0.0, "tasker.total_steps": int64(5), "tasker.completed_steps": int64(0),
		"tasker.failed_steps": int64(0), "tasker.pending_steps": int64(5), "tasker.step_count": int64(5),
		"tasker.task_context":   map[string]any{"order_id": int64(1001), "customer_email": "a@example.com"},
		"tasker.correlation_id": "tsk_mpv5pc00_fBy8nW",
	}, record.Attributes().AsRaw())
	_, err = ToLogs([][]byte{[]byte("{")}, "")
	assert.Error(t, err)
}

func TestWellFormed(t *testing.T) {
	_, truth, err := Load(Mixed)
	require.NoError(t, err)
	spans := idealSpans(truth)
	assert.Empty(t, WellFormed(spans))
	spans[3].ParentID[0] = 9
	assert.Len(t, WellFormed(spans), 1)
}
