// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package active

import (
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

// Event is a change of a task and, if Step is not NoStep, of one of its steps.
type Event struct {
	// Trace is the task's trace ID.
	Trace [16]byte
	// At is the event's time in Unix nanoseconds.
	At     int64
	Change TaskChange
	// Step is a hash of the step's ID.
	Step       uint64
	StepChange StepChange
}

// Labeler finds the gauges of an event. It is called with the registry's mutex held.
type Labeler interface {
	// IsOfTask is false if the event does not belong to a task.
	IsOfTask() bool
	// Task returns the gauge of the event's task in a state. complete is false if a later event may complete its labels.
	Task(state State) (gauge series.Gauge, complete bool)
	// Step returns the gauge of the event's step. complete is as in Task.
	Step() (gauge series.Gauge, complete bool)
	// Gauges need no event.
	Gauges
}

// Gauges finds gauges related to others. It is called with the registry's mutex held.
type Gauges interface {
	// InState returns the gauge of the same tasks in another state.
	InState(of series.Gauge, state State) series.Gauge
	// OldestAge returns the gauge of the age of the oldest of these tasks, regardless of state.
	OldestAge(of series.Gauge) series.Gauge
}

// Options bound the sets. Times are in nanoseconds.
type Options struct {
	// MaxIDs is the maximum number of remembered tasks, and of steps.
	MaxIDs int
	// MaxAge is how long a task or step remains open after its latest event.
	MaxAge int64
	// Memory is how long an ended task or step is remembered, so that late events do not reopen it.
	Memory int64
}

// Evictions counts tasks and steps that were removed without an event of their end.
type Evictions struct {
	// Aged had no event for MaxAge.
	Aged int64
	// Crowded were displaced by newer ones.
	Crowded int64
	// Forgotten had ended and were displaced by newer ones before Memory: a late event may reopen them.
	Forgotten int64
}

// Tracker holds the sets. The registry's mutex guards it, because every change moves a gauge.
type Tracker struct {
	options Options
	tasks   map[[16]byte]*task
	steps   map[stepID]*step
	// Lists are in the order of the elements' latest events, oldest first. Held steps do not expire before their task.
	openTasks, endedTasks           list[task, *task]
	openSteps, heldSteps, idleSteps list[step, *step]
	groups                          map[uint64]*group
	evictions                       Evictions
	// log receives every change; nil without persistence.
	log *records.Log
	// replayedAges are the age gauges of the tasks, during a replay only.
	replayedAges map[[16]byte]series.Gauge
}

// New makes empty sets.
func New(options Options) *Tracker {
	return &Tracker{
		options: options, tasks: make(map[[16]byte]*task), steps: make(map[stepID]*step), groups: make(map[uint64]*group),
	}
}

// Len returns the number of remembered tasks and steps.
func (t *Tracker) Len() int { return len(t.tasks) + len(t.steps) }

// Observe applies an event received at now. An event older than MaxAge does not add a task.
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

// observeStep applies an event to a step, and returns the step if it must be written.
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

// Age removes what has expired, updates the ages, and returns the evictions since the previous call.
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
