// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/active"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Change is what events of a name mean for open tasks and steps.
type Change struct {
	Task active.TaskChange
	Step active.StepChange
	// Finalizes is true if the event may have a final status, with which it ends the task.
	Finalizes bool
}

func changeOf(name string) Change {
	return Change{Task: taskChange(name), Step: stepChange(name), Finalizes: name == lifecycle.WorkflowTaskFinalizationCompleted}
}

// taskChange returns what an event of that name means for its task.
func taskChange(name string) active.TaskChange {
	switch name {
	case lifecycle.WorkflowTaskStarted:
		return active.Began
	case lifecycle.TaskCompleted, lifecycle.TaskFailed, lifecycle.TaskCancelled, lifecycle.TaskResolvedManually:
		return active.Ended
	case lifecycle.WorkflowTaskFinalizationCompleted, lifecycle.WorkflowTaskReenqueueRequested, lifecycle.WorkflowTaskReenqueueDelayed:
		return active.Left
	case lifecycle.ObservabilityTaskEnqueue:
		return active.Enqueued
	}
	return active.Mentioned
}

// stepChange returns what an event of that name means for its step.
func stepChange(name string) active.StepChange {
	switch name {
	case lifecycle.StepExecutionRequested:
		return active.Requested
	case lifecycle.StepFailed:
		return active.Failed
	case lifecycle.StepCompleted, lifecycle.StepCancelled, lifecycle.StepResolvedManually:
		return active.StepEnded
	case lifecycle.StepInitializeRequested, lifecycle.StepRetryRequested:
		return active.PutBack
	case lifecycle.ObservabilityStepBackoff:
		return active.BackoffAnnounced
	}
	return active.NoStep
}
