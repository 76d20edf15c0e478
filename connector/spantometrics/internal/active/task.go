// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package active

import "github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"

// task is a remembered task.
type task struct {
	trace [16]byte
	entry
	state State
	// steps counts the task's steps by status; firstStep is the head of their list.
	steps     [statusCount]int32
	firstStep *step
	// group is the group of the task's age, and inGroup its index there; nil if the task is closed.
	group   *group
	inGroup int
	inList  links[task]
}

func (e *task) links() *links[task] { return &e.inList } //nolint:unused // called through the constraint of list

// newTask adds a closed task.
func (t *Tracker) newTask(trace [16]byte) *task {
	e := &task{trace: trace}
	t.tasks[trace] = e
	t.endedTasks.append(e)
	return e
}

// open returns the task's contribution to the open items: itself and its executing steps.
func (e *task) open() int64 { return 1 + int64(e.steps[statusExecuting]) }

// place counts a task on the gauge of a state, or on none.
func (t *Tracker) place(e *task, state State, now series.Instant, labeler Labeler) {
	gauge, complete := e.gauge, e.complete
	switch {
	case state == Closed:
		gauge, complete = series.Gauge{}, false
	case e.state == Closed || !e.complete:
		named, whole := labeler.Task(state)
		switch {
		case e.state == Closed || whole:
			gauge, complete = named, whole
		case state != e.state:
			gauge = labeler.InState(gauge, state)
		}
	case state != e.state:
		gauge = labeler.InState(gauge, state)
	}
	named := e.state == Closed || complete != e.complete
	t.move(e, state, gauge, now)
	e.complete = complete
	switch {
	case state == Closed:
		t.leaveGroup(e, now)
	case named:
		t.leaveGroup(e, now)
		t.joinGroup(e, labeler.OldestAge(gauge))
	default:
		t.fixGroup(e)
	}
}

// move sets a task's state and gauge and moves it to the end of its list.
func (t *Tracker) move(e *task, state State, gauge series.Gauge, now series.Instant) {
	e.count(gauge, now)
	if state == e.state && t.listOf(e).last == e {
		return
	}
	t.listOf(e).remove(e)
	e.state = state
	t.listOf(e).append(e)
}

func (t *Tracker) listOf(e *task) *list[task, *task] {
	if e.state == Closed {
		return &t.endedTasks
	}
	return &t.openTasks
}

// dropTask removes a task and its steps.
func (t *Tracker) dropTask(e *task, now series.Instant) {
	for e.firstStep != nil {
		t.dropStep(e.firstStep, now)
	}
	t.leaveGroup(e, now)
	e.gauge.Move(-1, now)
	t.listOf(e).remove(e)
	delete(t.tasks, e.trace)
	t.log.ForgetTask(e.trace)
}
