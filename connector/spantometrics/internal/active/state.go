// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package active

import "github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"

// State is what an open task does.
type State uint8

const (
	// Closed is the state of a task that has ended.
	Closed State = iota
	// Queued tasks wait in the queue: no pass has begun since they were put in it.
	Queued
	// Running tasks have a pass under way, or a step that is being executed.
	Running
	// BackingOff tasks have a failed step whose backoff was announced, and nothing else is being executed.
	BackingOff
	// Waiting tasks wait for their next pass: the one before ended without an end of the task, and no step holds them.
	Waiting
	// Blocked tasks have a failed step that nobody has put back, resolved or cancelled, and nothing else is being executed.
	Blocked
	stateCount
)

// String returns the value of the label state.
func (s State) String() string {
	return [stateCount]string{"", "queued", "running", "backing_off", "waiting", "blocked"}[s]
}

// TaskChange is what an event says about its task.
type TaskChange uint8

const (
	// Mentioned means that the task exists. It opens a task that is unknown, and never one that has ended.
	Mentioned TaskChange = iota
	// Enqueued means that the task was put in the queue, or that its job began.
	Enqueued
	// Began means that a pass began, which opens the task again.
	Began
	// Left means that a pass ended without an end of the task.
	Left
	// Ended means that the task came to its end.
	Ended
)

// StepChange is what an event says about its step.
type StepChange uint8

const (
	// NoStep means that the event is of no step, or says nothing about it.
	NoStep StepChange = iota
	// Requested means that an attempt began.
	Requested
	// StepEnded means that the step came to its end, other than by a failure.
	StepEnded
	// Failed means that an attempt failed.
	Failed
	// PutBack means that the step is to be executed again.
	PutBack
	// BackoffAnnounced means that the attempt under way will fail, and that the next one has to wait.
	BackoffAnnounced
)

// Times of a task's newest event of each kind, in Unix nanoseconds of the events' clocks, and of its first event of any kind;
// 0 if there was none.
const (
	taskFirst = iota
	taskEnqueued
	taskBegan
	taskLeft
	taskEnded
)

// Times of a step's newest event of each kind.
const (
	stepRequested = iota
	stepEnded
	stepFailed
	stepPutBack
	stepBackoff
)

// times are those of a task or of a step.
type times records.ActiveTimes

// later sets a time to one that is later.
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

// isClosed reports whether the newest end of a task is as late as its newest pass, or later.
func (t *times) isClosed() bool { return t[taskEnded] != 0 && t[taskEnded] >= t[taskBegan] }

// since returns when an open task came to be open: its first event, or its last end.
func (t *times) since() int64 { return max(t[taskFirst], t[taskEnded]) }

// status is what a step does.
type status uint8

const (
	statusIdle status = iota
	statusExecuting
	// statusHeld is a failed step that waits for somebody to put it back, and statusBackingOff one that waits for its backoff.
	statusHeld
	statusBackingOff
	statusCount
)

// status of a step. A failed step was put back if that happened after its attempt was requested: announcements of the
// failure may come after it.
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

// state of a task whose steps have a status each.
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
