// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import "github.com/tasker-otel/otelcol-tasker/internal/lifecycle"

// kind is what an event means to the tree. The order is the order in which events of one instant are read: it decides between
// events with equal times.
type kind uint8

const (
	kindCreated kind = iota
	kindEnqueued
	kindJobBegan
	kindTaskStarted
	kindPassBegan
	kindDiscovered
	kindBatchBegan
	kindStepReset
	kindStepRequested
	kindHandlerBegan
	kindQuery
	kindSpanEvent
	kindBackoff
	kindStepCompleted
	kindStepFailed
	kindStepCancelled
	kindStepResolved
	kindBatchEnded
	kindNothingViable
	kindFinalizing
	kindTaskPending
	kindTaskCompleted
	kindTaskFailed
	kindTaskCancelled
	kindTaskResolved
	kindPassEnded
)

// classify reads the meaning from the name and, where one name has two meanings, from the payload.
func classify(e *Event) kind {
	switch e.Name {
	case lifecycle.TaskStartRequested:
		if e.StepCount > 0 {
			return kindCreated
		}
		return kindTaskStarted
	case lifecycle.ObservabilityTaskEnqueue:
		if e.HasJob {
			return kindJobBegan
		}
		return kindEnqueued
	case lifecycle.WorkflowTaskStarted:
		return kindPassBegan
	case lifecycle.WorkflowViableStepsDiscovered:
		return kindDiscovered
	case lifecycle.WorkflowNoViableSteps:
		return kindNothingViable
	case lifecycle.WorkflowStepsExecutionStarted:
		return kindBatchBegan
	case lifecycle.WorkflowStepsExecutionCompleted:
		return kindBatchEnded
	case lifecycle.WorkflowTaskFinalizationStarted:
		return kindFinalizing
	case lifecycle.WorkflowTaskFinalizationCompleted:
		return kindPassEnded
	case lifecycle.StepInitializeRequested:
		return kindStepReset
	case lifecycle.StepExecutionRequested:
		return kindStepRequested
	case lifecycle.StepBeforeHandle:
		return kindHandlerBegan
	case lifecycle.StepCompleted:
		return kindStepCompleted
	case lifecycle.StepFailed:
		return kindStepFailed
	case lifecycle.StepCancelled:
		return kindStepCancelled
	case lifecycle.StepResolvedManually:
		return kindStepResolved
	case lifecycle.ObservabilityStepBackoff:
		return kindBackoff
	case lifecycle.DatabaseQueryExecuted:
		return kindQuery
	case lifecycle.TaskInitializeRequested:
		return kindTaskPending
	case lifecycle.TaskCompleted:
		return kindTaskCompleted
	case lifecycle.TaskFailed:
		return kindTaskFailed
	case lifecycle.TaskCancelled:
		return kindTaskCancelled
	case lifecycle.TaskResolvedManually:
		return kindTaskResolved
	}
	return kindSpanEvent
}

// endsTask reports whether the event is one of a task's terminal announcements.
func (k kind) endsTask() bool { return k >= kindTaskCompleted && k <= kindTaskResolved }

// endsAttempt reports whether the event is one of an attempt's terminal announcements.
func (k kind) endsAttempt() bool { return k >= kindStepCompleted && k <= kindStepResolved }

// insidePass reports whether the event can happen only while a pass runs.
func (k kind) insidePass() bool {
	switch k {
	case kindDiscovered, kindNothingViable, kindBatchBegan, kindBatchEnded, kindStepRequested, kindHandlerBegan,
		kindStepCompleted, kindStepFailed, kindFinalizing, kindPassEnded:
		return true
	}
	return false
}

// activity reports whether the event shows that an ended task has resumed. The queue's own retries of the job do not: they come
// after the end of every failed or cancelled task (docs/tasker-events.md, "After the end"). Nor does an event that only ends or
// repeats something that began before: it is late.
func (k kind) activity() bool {
	switch k {
	case kindTaskStarted, kindPassBegan, kindDiscovered, kindBatchBegan, kindStepReset, kindStepRequested, kindHandlerBegan,
		kindStepResolved, kindTaskPending, kindTaskCompleted, kindTaskFailed, kindTaskCancelled, kindTaskResolved:
		return true
	}
	return false
}

// progress reports whether the event shows that a task that has not ended is still running.
func (k kind) progress() bool {
	return k != kindEnqueued && k != kindJobBegan && k != kindSpanEvent && k != kindQuery
}

// leavesPass reports whether the event shows that a pass is over in which the task ended in the given way.
func (k kind) leavesPass(status kind) bool {
	switch k {
	case kindTaskStarted, kindPassBegan:
		return true
	case kindStepReset, kindStepResolved, kindTaskPending, kindTaskCancelled, kindTaskResolved:
		return !status.operated()
	}
	return false
}

// settles reports whether an event of the kind can settle a span, so that the task is checked when the reorder window after it has
// passed.
func (k kind) settles() bool {
	switch k {
	case kindPassBegan, kindDiscovered, kindHandlerBegan, kindBatchEnded, kindPassEnded:
		return true
	}
	return k.endsAttempt() || k.endsTask()
}

// operated reports whether the event is an operator's ending of the task, which a running pass does not notice at once.
func (k kind) operated() bool { return k == kindTaskCancelled || k == kindTaskResolved }

// status returns the outcome of a terminal announcement.
func (k kind) status() lifecycle.Status {
	switch k {
	case kindTaskCompleted, kindStepCompleted:
		return lifecycle.StatusSuccess
	case kindTaskFailed, kindStepFailed:
		return lifecycle.StatusFailure
	case kindTaskCancelled, kindStepCancelled:
		return lifecycle.StatusCancelled
	case kindTaskResolved, kindStepResolved:
		return lifecycle.StatusResolvedManually
	}
	return ""
}

// endingOf returns the terminal event that matches a pass's final status, if the task ended with it.
func endingOf(finalStatus string) (k kind, ended bool) {
	switch lifecycle.FinalStatus(finalStatus) {
	case lifecycle.StatusSuccess:
		return kindTaskCompleted, true
	case lifecycle.StatusFailure:
		return kindTaskFailed, true
	case lifecycle.StatusCancelled:
		return kindTaskCancelled, true
	case lifecycle.StatusResolvedManually:
		return kindTaskResolved, true
	}
	return kindSpanEvent, false
}
