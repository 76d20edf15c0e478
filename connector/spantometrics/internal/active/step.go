// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package active

import "github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"

// stepID is the trace ID of a step's task and a hash of the step's ID.
type stepID struct {
	trace [16]byte
	step  uint64
}

// step is a remembered step. Its task is remembered too.
type step struct {
	id stepID
	times
	heard, saved int64
	status       status
	complete     bool
	// gauge counts the step while it is executed.
	gauge series.Gauge
	task  *task
	// ofTask links the steps of the task.
	ofTask, inList links[step]
}

func (s *step) links() *links[step] { return &s.inList } //nolint:unused // called through the constraint of list

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
	s := &step{id: id, task: of}
	t.linkStep(s)
	return s
}

// linkStep adds a new step to the index and lists.
func (t *Tracker) linkStep(s *step) {
	t.steps[s.id] = s
	if first := s.task.firstStep; first != nil {
		first.ofTask.previous = s
	}
	s.ofTask.next, s.task.firstStep = s.task.firstStep, s
	s.task.steps[statusIdle]++
	t.idleSteps.append(s)
}

// placeStep counts a step on its gauge if it is executed.
func (t *Tracker) placeStep(s *step, status status, now series.Instant, labeler Labeler) {
	gauge, complete := series.Gauge{}, false
	if status == statusExecuting {
		gauge, complete = s.gauge, s.complete
		if s.status != statusExecuting || !s.complete {
			if named, whole := labeler.Step(); s.status != statusExecuting || whole {
				gauge, complete = named, whole
			}
		}
	}
	t.moveStep(s, status, gauge, now)
	s.complete = complete
}

// moveStep sets a step's status and gauge and moves it to the end of the status' list.
func (t *Tracker) moveStep(s *step, status status, gauge series.Gauge, now series.Instant) {
	if gauge != s.gauge {
		gauge.Move(1, now)
		s.gauge.Move(-1, now)
		s.gauge = gauge
	}
	t.listOfStep(s).remove(s)
	s.task.steps[s.status]--
	s.status = status
	s.task.steps[s.status]++
	t.listOfStep(s).append(s)
}

func (t *Tracker) listOfStep(s *step) *list[step, *step] {
	switch s.status {
	case statusExecuting:
		return &t.openSteps
	case statusHeld, statusBackingOff:
		return &t.heldSteps
	}
	return &t.idleSteps
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

// dropStep removes a step.
func (t *Tracker) dropStep(s *step, now series.Instant) {
	s.gauge.Move(-1, now)
	t.listOfStep(s).remove(s)
	s.task.steps[s.status]--
	if s.ofTask.previous == nil {
		s.task.firstStep = s.ofTask.next
	} else {
		s.ofTask.previous.ofTask.next = s.ofTask.next
	}
	if s.ofTask.next != nil {
		s.ofTask.next.ofTask.previous = s.ofTask.previous
	}
	delete(t.steps, s.id)
	t.log.ForgetStep(s.id.trace, s.id.step)
}
