// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle

// TaskStarted is the fact that a task's first pass began. The engine announces each pass three times (twice
// task.start_requested, once workflow.task_started), and none of these announcements is limited to the first pass.
const TaskStarted = "task.started"

// Facts returns the facts that structured log records report, each once. Except for [TaskStarted] they are named after the
// event that announces them. The caller owns the slice.
func Facts() []string {
	return []string{
		TaskStarted, TaskCompleted, TaskFailed, TaskCancelled, TaskResolvedManually,
		StepCompleted, StepFailed, StepCancelled, StepResolvedManually, ObservabilityStepBackoff,
	}
}

// ReportedBySpan reports whether a fact is derived from a finished span rather than from an event. The engine announces
// these facts two or three times, and only the span has the duration and the attempt.
func ReportedBySpan(fact string) bool {
	switch fact {
	case TaskCompleted, TaskFailed, TaskCancelled, TaskResolvedManually, StepCompleted, StepFailed:
		return true
	}
	return false
}

// FactOfSpan returns the fact that a finished span reports; empty if none. An attempt that an operator ended reports none,
// because the operator's event does.
func FactOfSpan(name string, status Status) string {
	switch name {
	case SpanTask:
		switch status {
		case StatusSuccess:
			return TaskCompleted
		case StatusFailure:
			return TaskFailed
		case StatusCancelled:
			return TaskCancelled
		case StatusResolvedManually:
			return TaskResolvedManually
		}
	case SpanStep:
		switch status {
		case StatusSuccess:
			return StepCompleted
		case StatusFailure:
			return StepFailed
		}
	}
	return ""
}

// FactOfEvent returns the fact that an event reports; empty if it reports none or a finished span reports it. stepCount is
// the payload's step_count: only the task.start_requested of the task's creation has one, before anything has started.
func FactOfEvent(event string, stepCount int64) string {
	switch event {
	case TaskStartRequested:
		if stepCount <= 0 {
			return TaskStarted
		}
	case WorkflowTaskStarted:
		return TaskStarted
	case StepCancelled, StepResolvedManually, ObservabilityStepBackoff:
		return event
	}
	return ""
}
