// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package active

import (
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

// Options bound the sets. Times are in nanoseconds.
type Options struct {
	// MaxIDs is the maximum number of remembered tasks, and of steps.
	MaxIDs int
	// MaxAge is how long a task or step remains open after its latest event.
	MaxAge int64
	// Memory is how long an ended task or step is remembered, so that late events do not reopen it.
	Memory int64
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
