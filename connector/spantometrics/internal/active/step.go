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
	entry
	status status
	task   *task
	// ofTask links the steps of the task.
	ofTask, inList links[step]
}

func (s *step) links() *links[step] { return &s.inList } //nolint:unused // called through the constraint of list

// newStep adds an idle step.
func (t *Tracker) newStep(of *task, id stepID) *step {
	s := &step{id: id, task: of}
	t.steps[id] = s
	if first := s.task.firstStep; first != nil {
		first.ofTask.previous = s
	}
	s.ofTask.next, s.task.firstStep = s.task.firstStep, s
	s.task.steps[statusIdle]++
	t.idleSteps.append(s)
	return s
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
	s.count(gauge, now)
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
