// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package event

import "github.com/tasker-otel/otelcol-tasker/internal/lifecycle"

// Kind is what an event means to the tree. The order is the order in which events of one instant are read: it decides between
// events with equal times.
type Kind uint8

// The kinds of events.
const (
	Created Kind = iota
	Enqueued
	JobBegan
	TaskStarted
	PassBegan
	Discovered
	BatchBegan
	StepReset
	StepRequested
	HandlerBegan
	Query
	SpanEvent
	Backoff
	StepCompleted
	StepFailed
	StepCancelled
	StepResolved
	BatchEnded
	NothingViable
	Finalizing
	TaskPending
	TaskCompleted
	TaskFailed
	TaskCancelled
	TaskResolved
	PassEnded

	// Kinds is the number of kinds.
	Kinds
)

// Kind reads the meaning from the name and, where one name has two meanings, from the payload.
func (e *Event) Kind() Kind {
	switch e.Name {
	case lifecycle.TaskStartRequested:
		if e.StepCount > 0 {
			return Created
		}
		return TaskStarted
	case lifecycle.ObservabilityTaskEnqueue:
		if e.HasJob {
			return JobBegan
		}
		return Enqueued
	case lifecycle.WorkflowTaskStarted:
		return PassBegan
	case lifecycle.WorkflowViableStepsDiscovered:
		return Discovered
	case lifecycle.WorkflowNoViableSteps:
		return NothingViable
	case lifecycle.WorkflowStepsExecutionStarted:
		return BatchBegan
	case lifecycle.WorkflowStepsExecutionCompleted:
		return BatchEnded
	case lifecycle.WorkflowTaskFinalizationStarted:
		return Finalizing
	case lifecycle.WorkflowTaskFinalizationCompleted:
		return PassEnded
	case lifecycle.StepInitializeRequested:
		return StepReset
	case lifecycle.StepExecutionRequested:
		return StepRequested
	case lifecycle.StepBeforeHandle:
		return HandlerBegan
	case lifecycle.StepCompleted:
		return StepCompleted
	case lifecycle.StepFailed:
		return StepFailed
	case lifecycle.StepCancelled:
		return StepCancelled
	case lifecycle.StepResolvedManually:
		return StepResolved
	case lifecycle.ObservabilityStepBackoff:
		return Backoff
	case lifecycle.DatabaseQueryExecuted:
		return Query
	case lifecycle.TaskInitializeRequested:
		return TaskPending
	case lifecycle.TaskCompleted:
		return TaskCompleted
	case lifecycle.TaskFailed:
		return TaskFailed
	case lifecycle.TaskCancelled:
		return TaskCancelled
	case lifecycle.TaskResolvedManually:
		return TaskResolved
	}
	return SpanEvent
}

// EndsTask reports whether the event is one of a task's terminal announcements.
func (k Kind) EndsTask() bool { return k >= TaskCompleted && k <= TaskResolved }

// EndsAttempt reports whether the event is one of an attempt's terminal announcements.
func (k Kind) EndsAttempt() bool { return k >= StepCompleted && k <= StepResolved }

// InsidePass reports whether the event can happen only while a pass runs.
func (k Kind) InsidePass() bool {
	switch k {
	case Discovered, NothingViable, BatchBegan, BatchEnded, StepRequested, HandlerBegan,
		StepCompleted, StepFailed, Finalizing, PassEnded:
		return true
	}
	return false
}

// Activity reports whether the event shows that an ended task has resumed. The queue's own retries of the job do not: they come
// after the end of every failed or cancelled task (docs/tasker-events.md, "After the end"). Nor does an event that only ends or
// repeats something that began before: it is late.
func (k Kind) Activity() bool {
	switch k {
	case TaskStarted, PassBegan, Discovered, BatchBegan, StepReset, StepRequested, HandlerBegan,
		StepResolved, TaskPending, TaskCompleted, TaskFailed, TaskCancelled, TaskResolved:
		return true
	}
	return false
}

// Progress reports whether the event shows that a task that has not ended is still running.
func (k Kind) Progress() bool {
	return k != Enqueued && k != JobBegan && k != SpanEvent && k != Query
}

// LeavesPass reports whether the event shows that a pass is over in which the task ended in the given way.
func (k Kind) LeavesPass(status Kind) bool {
	switch k {
	case TaskStarted, PassBegan:
		return true
	case StepReset, StepResolved, TaskPending, TaskCancelled, TaskResolved:
		return !status.Operated()
	}
	return false
}

// Settles reports whether an event of the kind can settle a span, so that the task is checked when the reorder window after it has
// passed.
func (k Kind) Settles() bool {
	switch k {
	case PassBegan, Discovered, HandlerBegan, BatchEnded, PassEnded:
		return true
	}
	return k.EndsAttempt() || k.EndsTask()
}

// Operated reports whether the event is an operator's ending of the task, which a running pass does not notice at once.
func (k Kind) Operated() bool { return k == TaskCancelled || k == TaskResolved }

// Status returns the outcome of a terminal announcement.
func (k Kind) Status() lifecycle.Status {
	switch k {
	case TaskCompleted, StepCompleted:
		return lifecycle.StatusSuccess
	case TaskFailed, StepFailed:
		return lifecycle.StatusFailure
	case TaskCancelled, StepCancelled:
		return lifecycle.StatusCancelled
	case TaskResolved, StepResolved:
		return lifecycle.StatusResolvedManually
	}
	return ""
}

// EndingOf returns the terminal event that matches a pass's final status, if the task ended with it.
func EndingOf(finalStatus string) (k Kind, ended bool) {
	switch lifecycle.FinalStatus(finalStatus) {
	case lifecycle.StatusSuccess:
		return TaskCompleted, true
	case lifecycle.StatusFailure:
		return TaskFailed, true
	case lifecycle.StatusCancelled:
		return TaskCancelled, true
	case lifecycle.StatusResolvedManually:
		return TaskResolved, true
	}
	return SpanEvent, false
}
