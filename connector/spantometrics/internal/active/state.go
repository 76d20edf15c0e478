// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package active

import "github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"

// State is the state of an open task.
type State uint8

const (
	// Closed means that the task has ended.
	Closed State = iota
	// Queued means that no pass has begun since the task was enqueued.
	Queued
	// Running means that a pass is under way or a step is executed.
	Running
	// BackingOff means that a failed step waits for its announced backoff, and no step is executed.
	BackingOff
	// Waiting means that the last pass ended without ending the task, and no step blocks it.
	Waiting
	// Blocked means that a failed step was not reset, resolved or cancelled, and no step is executed.
	Blocked
	stateCount
)

// String returns the value of the label state.
func (s State) String() string {
	return [stateCount]string{"", "queued", "running", "backing_off", "waiting", "blocked"}[s]
}

// TaskChange is what an event means for its task.
type TaskChange uint8

const (
	// Mentioned means that the task exists. It opens an unknown task but not one that has ended.
	Mentioned TaskChange = iota
	// Enqueued means that the task was enqueued, or that its job began.
	Enqueued
	// Began means that a pass began, which also reopens the task.
	Began
	// Left means that a pass ended without ending the task.
	Left
	// Ended means that the task ended.
	Ended
)

// StepChange is what an event means for its step.
type StepChange uint8

const (
	// NoStep means that the event does not concern a step.
	NoStep StepChange = iota
	// Requested means that an attempt began.
	Requested
	// StepEnded means that the step ended other than by a failure.
	StepEnded
	// Failed means that an attempt failed.
	Failed
	// PutBack means that the step will be executed again.
	PutBack
	// BackoffAnnounced means that the current attempt will fail, and the next one waits.
	BackoffAnnounced
)

// Indexes of the times of a task's latest event of each kind, in Unix nanoseconds of the event's clock, and of its first
// event; 0 if there was none.
const (
	taskFirst = iota
	taskEnqueued
	taskBegan
	taskLeft
	taskEnded
)

// Indexes of the times of a step's latest event of each kind.
const (
	stepRequested = iota
	stepEnded
	stepFailed
	stepPutBack
	stepBackoff
)

// times are the times of a task or a step.
type times records.ActiveTimes

// later advances a time.
func (t *times) later(kind int, at int64) { t[kind] = max(t[kind], at) }

func (t *times) takeTask(change TaskChange, at int64) {
	if t[taskFirst] == 0 || at < t[taskFirst] {
		t[taskFirst] = at
	}
	switch change {
	case Enqueued:
		t.later(taskEnqueued, at)
	case Began:
		t.later(taskBegan, at)
	case Left:
		t.later(taskLeft, at)
	case Ended:
		t.later(taskEnded, at)
	}
}

func (t *times) takeStep(change StepChange, at int64) {
	switch change {
	case Requested:
		t.later(stepRequested, at)
	case StepEnded:
		t.later(stepEnded, at)
	case Failed:
		t.later(stepEnded, at)
		t.later(stepFailed, at)
	case PutBack:
		t.later(stepPutBack, at)
	case BackoffAnnounced:
		t.later(stepBackoff, at)
	}
}

// isClosed reports whether the task's latest end is not before its latest pass.
func (t *times) isClosed() bool { return t[taskEnded] != 0 && t[taskEnded] >= t[taskBegan] }

// since returns when an open task was opened: its first event, or its latest end.
func (t *times) since() int64 { return max(t[taskFirst], t[taskEnded]) }

// status is the status of a step.
type status uint8

const (
	statusIdle status = iota
	statusExecuting
	// statusHeld is a failed step that waits for an operator, and statusBackingOff one that waits for its backoff.
	statusHeld
	statusBackingOff
	statusCount
)

// status returns the status of a step. A reset is later than the request of the failed attempt, but further announcements
// of the failure may follow it.
func (t *times) status() status {
	switch {
	case t[stepPutBack] > t[stepRequested]:
		return statusIdle
	case t[stepRequested] > t[stepEnded]:
		return statusExecuting
	case t[stepFailed] == 0 || t[stepFailed] < t[stepEnded]:
		return statusIdle
	case t[stepBackoff] != 0 && t[stepBackoff] >= t[stepRequested]:
		return statusBackingOff
	}
	return statusHeld
}

// state returns the state of a task from the number of its steps per status.
func (t *times) state(steps *[statusCount]int32) State {
	switch {
	case t.isClosed():
		return Closed
	case steps[statusExecuting] > 0:
		return Running
	case steps[statusHeld] > 0:
		return Blocked
	case steps[statusBackingOff] > 0:
		return BackingOff
	case t[taskBegan] > t[taskLeft]:
		return Running
	case t[taskBegan] == 0 || t[taskEnqueued] > t[taskLeft]:
		return Queued
	}
	return Waiting
}
