// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package active

import (
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

// Event is what an event says about a task and, if Step is not NoStep, about one of its steps.
type Event struct {
	// Trace is that of the task.
	Trace [16]byte
	// At is when it happened, in Unix nanoseconds.
	At     int64
	Change TaskChange
	// Step is a hash of the step's id.
	Step       uint64
	StepChange StepChange
}

// Labeler finds the gauges of an event. It is called under the registry's lock.
type Labeler interface {
	// IsOfTask is false if the event does not belong to any task.
	IsOfTask() bool
	// Task is the gauge of the event's task in a state. complete is false if a later event may know better.
	Task(state State) (gauge series.Gauge, complete bool)
	// Step is the gauge of the event's step likewise.
	Step() (gauge series.Gauge, complete bool)
	// Gauges are those that need no event.
	Gauges
}

// Gauges finds gauges by others. It is called under the registry's lock.
type Gauges interface {
	// InState is the gauge of the same tasks in another state.
	InState(of series.Gauge, state State) series.Gauge
	// OldestAge is the gauge of the age of the oldest of these tasks, in whichever state.
	OldestAge(of series.Gauge) series.Gauge
}

// Options are the bounds of the sets. Times are nanoseconds.
type Options struct {
	// MaxIDs is how many tasks, and as many steps, are remembered.
	MaxIDs int
	// MaxAge is how long a task or step stays open after it was last heard of.
	MaxAge int64
	// Memory is how long a task or step that has ended is remembered, so that late events do not open it again.
	Memory int64
}

// Evictions counts the tasks and steps that left the sets without an event of their end.
type Evictions struct {
	// Aged were not heard of for MaxAge.
	Aged int64
	// Crowded gave way to newer ones.
	Crowded int64
	// Forgotten had ended, and gave way to newer ones before their time: a late event may open them again.
	Forgotten int64
}

// Tracker keeps the sets. It has no lock of its own: the registry's lock guards it, since every change moves a gauge.
type Tracker struct {
	options Options
	tasks   map[[16]byte]*task
	steps   map[stepID]*step
	// The lists are in the order in which their elements were last heard of, the longest unheard first. Failed steps that
	// hold their task do not age: they are remembered for as long as the task.
	openTasks, endedTasks           list[task, *task]
	openSteps, heldSteps, idleSteps list[step, *step]
	groups                          map[uint64]*group
	evictions                       Evictions
	// log takes every change, if the state is kept.
	log *records.Log
	// replayedAges are, during a replay only, the gauges to whose age the tasks belonged.
	replayedAges map[[16]byte]series.Gauge
}

// New makes empty sets.
func New(options Options) *Tracker {
	return &Tracker{
		options: options, tasks: make(map[[16]byte]*task), steps: make(map[stepID]*step), groups: make(map[uint64]*group),
	}
}

// Len returns how many tasks and steps are remembered.
func (t *Tracker) Len() int { return len(t.tasks) + len(t.steps) }

// Observe takes in an event, heard now. An event that is older than MaxAge makes no task known.
func (t *Tracker) Observe(e *Event, now series.Instant, labeler Labeler) {
	of, known := t.tasks[e.Trace]
	if !known {
		if now.Wall-e.At >= t.options.MaxAge || !labeler.IsOfTask() {
			return
		}
		of = t.addTask(e.Trace, now)
	}
	before := of.state
	beforeTimes, beforeGauge := of.times, of.gauge
	of.takeTask(e.Change, e.At)
	of.heard = now.Running
	var changed *step
	if e.StepChange != NoStep {
		changed = t.observeStep(of, e, now, labeler)
	}
	t.place(of, of.times.state(&of.steps), now, labeler)
	t.writeTask(of, of.state == before && of.times == beforeTimes && of.gauge == beforeGauge)
	if changed != nil {
		t.writeStep(changed)
	}
}

// observeStep takes in what an event says about a step, and returns the step if that is to be written down.
func (t *Tracker) observeStep(of *task, e *Event, now series.Instant, labeler Labeler) *step {
	id := stepID{e.Trace, e.Step}
	s, known := t.steps[id]
	if !known {
		s = t.addStep(of, id, now, labeler)
	}
	beforeTimes, beforeGauge := s.times, s.gauge
	s.takeStep(e.StepChange, e.At)
	s.heard = now.Running
	t.placeStep(s, s.times.status(), now, labeler)
	if s.times == beforeTimes && s.gauge == beforeGauge && s.heard-s.saved < t.saveAfter() {
		return nil
	}
	return s
}

// Age drops what was not heard of for too long, brings the ages up to date, and returns the evictions since it was last
// called.
func (t *Tracker) Age(now series.Instant, gauges Gauges) Evictions {
	for e := t.openTasks.first; e != nil && now.Running-e.heard >= t.options.MaxAge; e = t.openTasks.first {
		t.evictions.Aged += e.open()
		t.dropTask(e, now)
	}
	for e := t.endedTasks.first; e != nil && now.Running-e.heard >= t.options.Memory; e = t.endedTasks.first {
		t.dropTask(e, now)
	}
	for s := t.openSteps.first; s != nil && now.Running-s.heard >= t.options.MaxAge; s = t.openSteps.first {
		t.evictions.Aged++
		t.evictStep(s, now, gauges)
	}
	for s := t.idleSteps.first; s != nil && now.Running-s.heard >= t.options.Memory; s = t.idleSteps.first {
		t.evictStep(s, now, gauges)
	}
	t.showAges(now)
	evictions := t.evictions
	t.evictions = Evictions{}
	return evictions
}
