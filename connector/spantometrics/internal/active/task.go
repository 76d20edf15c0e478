// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package active

import "github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"

// task is a task that is remembered.
type task struct {
	trace [16]byte
	times
	// heard is when it was last heard of, by the time that the state has been running, and saved the time of heard that was
	// written down last.
	heard, saved int64
	state        State
	// complete is true if the gauge of an open task is the best one.
	complete bool
	gauge    series.Gauge
	// steps counts its steps by what they do, and firstStep is the first of them.
	steps     [statusCount]int32
	firstStep *step
	// group is where its age counts, and inGroup its place there; nil while it is closed.
	group   *group
	inGroup int
	inList  links[task]
}

func (e *task) links() *links[task] { return &e.inList } //nolint:unused // called through the constraint of list

// addTask makes room and remembers a new task, as ended for the moment.
func (t *Tracker) addTask(trace [16]byte, now series.Instant) *task {
	for len(t.tasks) >= t.options.MaxIDs { // more than one if the limit was lowered
		if t.endedTasks.first != nil {
			t.evictions.Forgotten++
			t.dropTask(t.endedTasks.first, now)
		} else {
			t.evictions.Crowded += t.openTasks.first.open()
			t.dropTask(t.openTasks.first, now)
		}
	}
	e := &task{trace: trace}
	t.tasks[trace] = e
	t.endedTasks.append(e)
	return e
}

// open returns how much of it is open: the task itself and the steps that are being executed.
func (e *task) open() int64 { return 1 + int64(e.steps[statusExecuting]) }

// place counts a task on the gauge of a state, or no longer.
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

// move puts a task on the gauge of a state and behind those that were heard of before.
func (t *Tracker) move(e *task, state State, gauge series.Gauge, now series.Instant) {
	if gauge != e.gauge {
		gauge.Move(1, now)
		e.gauge.Move(-1, now)
		e.gauge = gauge
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

// dropTask forgets a task and its steps.
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
