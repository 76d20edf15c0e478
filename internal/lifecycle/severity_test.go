// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

func TestSeverityOf(t *testing.T) {
	for want, events := range map[lifecycle.Severity][]string{
		lifecycle.SeverityError: {
			"task.failed", "step.failed", "workflow.task_failed", "workflow.step_execution_failed",
			"workflow.task_reenqueue_failed", "handler.validation_failed", "tasker.telemetry.export_failed", "payment.failed",
		},
		lifecycle.SeverityWarn: {
			"task.cancelled", "step.cancelled", "step.retry_requested", "task.retry_requested", "observability.step.backoff",
			"observability.step.max_retries_reached", "performance.slow_operation", "memory.spike_detected",
		},
		lifecycle.SeverityDebug: {
			"workflow.task_started", "workflow.viable_steps_discovered", "observability.task.enqueue",
		},
		lifecycle.SeverityInfo: {
			"task.completed", "step.execution_requested", "step.before_handle", "step.resolved_manually", "order.fulfilled",
			"database.query_executed", "",
		},
	} {
		for _, event := range events {
			assert.Equal(t, want, lifecycle.SeverityOf(event), event)
		}
	}
}

func TestSeveritiesAreThoseOfOpenTelemetry(t *testing.T) {
	for severity, number := range map[lifecycle.Severity]plog.SeverityNumber{
		lifecycle.SeverityDebug: plog.SeverityNumberDebug,
		lifecycle.SeverityInfo:  plog.SeverityNumberInfo,
		lifecycle.SeverityWarn:  plog.SeverityNumberWarn,
		lifecycle.SeverityError: plog.SeverityNumberError,
	} {
		assert.Equal(t, number, plog.SeverityNumber(severity))
		assert.Equal(t, number.String(), map[string]string{
			"DEBUG": "Debug", "INFO": "Info", "WARN": "Warn", "ERROR": "Error"}[severity.String()])
	}
}
