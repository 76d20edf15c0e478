// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

func TestMessage(t *testing.T) {
	for want, test := range map[string]struct{ event, id, task, step, detail string }{
		"task process_order (42) completed":       {event: "task.completed", id: "42", task: "process_order"},
		"task 42 start requested":                 {event: "task.start_requested", id: "42"},
		"task process_order failed: no such step": {event: "task.failed", task: "process_order", detail: "no such step"},
		"task.failed":                         {event: "task.failed"},
		"step pay of task 42 failed: timeout": {event: "step.failed", id: "42", step: "pay", detail: "timeout"},
		"step pay before handle":              {event: "step.before_handle", step: "pay"},
		"step.completed of task 42":           {event: "step.completed", id: "42", task: "process_order"},
		"workflow.task_started of task 42":    {event: "workflow.task_started", id: "42", task: "process_order"},
		"observability.step.backoff pay of task 42": {
			event: "observability.step.backoff", id: "42", step: "pay",
		},
		"order.fulfilled": {event: "order.fulfilled"},
		"task":            {event: "task", id: ""},
	} {
		assert.Equal(t, want, lifecycle.Message(test.event, test.id, test.task, test.step, test.detail))
	}
}

func TestMessageCutsTheDetailBetweenCharacters(t *testing.T) {
	const before = "step pay failed: "
	got := lifecycle.Message("step.failed", "", "", "pay", strings.Repeat("a", 255)+"é")
	assert.Equal(t, before+strings.Repeat("a", 255), got)
	got = lifecycle.Message("step.failed", "", "", "pay", strings.Repeat("é", 128))
	assert.Equal(t, before+strings.Repeat("é", 128), got)
}

func TestMessageAllocatesOnce(t *testing.T) {
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		lifecycle.Message("step.retry_requested", "123456", "process_order", "process_payment", "timeout")
	}), 1.0)
}
