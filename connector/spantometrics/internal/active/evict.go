// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package active

import "github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"

// Evictions counts tasks and steps that were removed without an event of their end.
type Evictions struct {
	// Aged had no event for MaxAge.
	Aged int64
	// Crowded were displaced by newer ones.
	Crowded int64
	// Forgotten had ended and were displaced by newer ones before Memory: a late event may reopen them.
	Forgotten int64
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

// addTask adds a new, closed task, evicting others if necessary.
func (t *Tracker) addTask(trace [16]byte, now series.Instant) *task {
	for len(t.tasks) >= t.options.MaxIDs { // several if the limit was lowered
		if t.endedTasks.first != nil {
			t.evictions.Forgotten++
			t.dropTask(t.endedTasks.first, now)
		} else {
			t.evictions.Crowded += t.openTasks.first.open()
			t.dropTask(t.openTasks.first, now)
		}
	}
	return t.newTask(trace)
}

// addStep adds a new, idle step, evicting another one if necessary.
func (t *Tracker) addStep(of *task, id stepID, now series.Instant, gauges Gauges) *step {
	for len(t.steps) >= t.options.MaxIDs {
		switch {
		case t.idleSteps.first != nil:
			t.evictions.Forgotten++
			t.evictStep(t.idleSteps.first, now, gauges)
		case t.heldSteps.first != nil:
			t.evictions.Crowded++
			t.evictStep(t.heldSteps.first, now, gauges)
		default:
			t.evictions.Crowded++
			t.evictStep(t.openSteps.first, now, gauges)
		}
	}
	return t.newStep(of, id)
}

// evictStep removes a step of a remaining task.
func (t *Tracker) evictStep(s *step, now series.Instant, gauges Gauges) {
	of := s.task
	t.dropStep(s, now)
	state := of.times.state(&of.steps)
	if state == of.state || of.state == Closed {
		return
	}
	t.move(of, state, gauges.InState(of.gauge, state), now)
	t.writeTask(of, false)
}
