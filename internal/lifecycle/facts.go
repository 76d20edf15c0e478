// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle

// TaskStarted is the fact that a task has begun to run: the first of its passes began. The engine announces each pass
// three times (twice task.start_requested, once workflow.task_started), and no one announcement is of the first only.
const TaskStarted = "task.started"

// Facts returns what structured records tell, each once. But for [TaskStarted] they have the names of the events that announce
// them. The slice is the caller's.
func Facts() []string {
	return []string{
		TaskStarted, TaskCompleted, TaskFailed, TaskCancelled, TaskResolvedManually,
		StepCompleted, StepFailed, StepCancelled, StepResolvedManually, ObservabilityStepBackoff,
	}
}

// ToldBySpan reports whether a fact is told by a finished span. The engine announces these two or three times, and only the
// span knows the duration and the attempt; the other facts are announced once.
func ToldBySpan(fact string) bool {
	switch fact {
	case TaskCompleted, TaskFailed, TaskCancelled, TaskResolvedManually, StepCompleted, StepFailed:
		return true
	}
	return false
}

// FactOfSpan returns the fact that a finished span tells, empty when it tells none. An attempt that an operator ended tells none:
// the operator's event does, whether it ended an attempt or not.
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

// FactOfEvent returns the fact that an event tells, empty when a finished span tells it, or nothing does. stepCount is the
// payload's step_count: only the task.start_requested of the creation has one, and then nothing has started yet.
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
