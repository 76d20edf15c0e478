// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

const (
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

// Scenario is the stream of a task with an unusual history.
type Scenario struct {
	Name  string
	Story string // one sentence
	Lines [][]byte
}

// Scenarios returns what operators eventually see: retries, resets, cancellations, killed workers. Every call returns the
// same streams.
func Scenarios() []Scenario {
	order := []template{
		{"validate_cart", nil, 3},
		{"process_payment", []string{"validate_cart"}, 2},
		{"send_confirmation", []string{"process_payment"}, 12},
	}
	var all []Scenario
	add := func(name, story string, live func(*model)) {
		id := int64(len(all) + 1)
		g := newGenerator(Options{Service: "shop", FirstID: 10*id + 1}, uint64(id), 5, epoch)
		live(newModel(g, id, "process_order", order, epoch+g.between(0, second)))
		all = append(all, Scenario{Name: name, Story: story, Lines: g.lines()})
	}

	add("failed_then_retried", "A task fails. Ten minutes later an operator resets the failed step and enqueues the task again; it completes.",
		func(m *model) {
			m.failing("process_payment", 2)
			m.create()
			m.pass(0)
			m.pass(1) // with the job's own two retries after the end
			m.now += 10 * minute
			m.resetFailedSteps()
			m.enqueueAgain()
			m.pass(0)
		})
	add("attempts_reset", "A step fails until its attempts are used up. An operator sets its attempts to 0 and resets it; it fails once more, then succeeds.",
		func(m *model) {
			m.failing("process_payment", 2)
			m.create()
			m.passes(2, 0)
			m.now += hour
			s := m.step("process_payment")
			s.attempts, s.failing = 0, 1
			m.resetFailedSteps()
			m.enqueueAgain()
			m.pass(0)
			m.pass(1)
		})
	add("resolved_days_later", "A task fails. Two days later an operator resolves the step and then the task by hand.",
		func(m *model) {
			m.failing("process_payment", 2)
			m.create()
			m.passes(2, 0)
			m.now += 2 * day
			m.resolve("process_payment")
		})
	add("cancelled_days_later", "A task fails. Three days later an operator cancels it.",
		func(m *model) {
			m.failing("validate_cart", 3)
			m.create()
			m.passes(3, 0)
			m.now += 3 * day
			m.cancel()
		})
	add("enqueued_ten_times", "A remote service is down for hours: the task releases its worker and is enqueued again ten times.",
		func(m *model) {
			m.failing("send_confirmation", 10)
			m.create()
			m.passes(11, 20*minute)
		})
	add("pass_dies", "A worker is killed while a step runs. The step is reset, and another worker continues the task.",
		func(m *model) {
			m.createAndRound()
			m.discover()
			s := m.step("process_payment")
			m.hang(s)
			m.now += 5 * minute // no further events
			m.reset(s, m.g.creator)
			m.now += 10 * second
			m.pass(1)
		})
	add("cancelled_running", "An operator cancels a task while a step runs. The pass goes on to the end, and ends as cancelled.",
		func(m *model) {
			m.createAndRound()
			m.cancelDuring(func() { m.round() })
			m.round()
			m.discover()
			m.endPass()
			m.jobRetries(0)
		})
	add("cancelled_between_passes", "An operator cancels a task that waits for its next pass. That pass still runs, and ends as cancelled.",
		func(m *model) {
			m.failing("process_payment", 1)
			m.create()
			m.pass(0) // ends 3 s before the job is retried
			m.now -= second
			m.cancel()
			m.cancelled = true
			m.now += second
			m.beginPass(1)
			for m.round() {
			}
			m.endPass()
		})
	add("cancelled_in_queue", "A task is cancelled while it waits in the queue. Its job finds nothing to do.",
		func(m *model) {
			m.create()
			m.now += 40 * second
			m.cancel()
			m.now += 5 * second
			m.jobBegins(0)
			m.jobRetries(0)
		})
	add("cancelled_after_completed", "A task completes. An hour later it is cancelled, which the engine allows.",
		func(m *model) {
			m.create()
			m.pass(0)
			m.now += hour
			m.cancel()
		})
	add("step_cancelled", "An operator cancels a step that hangs, and then the task.",
		func(m *model) {
			m.createAndRound()
			m.discover()
			s := m.step("process_payment")
			m.hang(s)
			m.now += 2 * minute
			correlationID := m.correlationID
			m.operator(func() {
				t := m.tick()
				m.emit(lifecycle.StepCancelled, t, m.stepTransition(s, "cancelled", t, "cancelled"))
				m.now += 2 * second
				m.transition(lifecycle.TaskCancelled, "cancelled")
			})
			m.correlationID, m.cancelled = correlationID, true
			m.endBatch(0)
			m.discoverNothing()
			m.endPass()
		})
	add("never_ends", "A step may not be retried, and nobody resets it: the task stays pending forever.",
		func(m *model) {
			m.failing("process_payment", 1)
			m.createAndRound()
			m.round()
			m.discoverNothing()
			m.endPass()
			m.now += 3 * second
			m.beginPass(1)
			m.discoverNothing()
			m.endPass()
		})
	add("refused_at_creation", "The context of a task violates its schema: one event, without an id.",
		func(m *model) {
			m.emit(lifecycle.TaskFailed, m.now, payload{}.with("timestamp", isoSeconds(m.now), "task_id", nil, "task_name", m.name,
				"event_type", "initialization_failed", "error_message", "The property '#/' did not contain a required property of 'order_id'",
				"initialization_failed", true))
		})
	add("spinning", "A failed step waits for an operator, and the pass spins: 20 empty batches a second, for 15 seconds.",
		func(m *model) {
			m.failing("process_payment", 1)
			m.createAndRound()
			m.round()
			s := m.step("process_payment")
			for range 300 {
				m.emptyRound(s)
			}
			m.reset(s, m.g.creator)
			for m.round() {
			}
			m.endPass()
		})
	add("outage", "A payment gateway is down for two hours. The task tries it 40 times, in a pass each, until it responds.",
		func(m *model) {
			m.step("process_payment").limit = 50
			m.failing("process_payment", 40)
			m.create()
			m.passes(41, 3*minute)
		})
	add("blocked_then_resolved", "A step may not be retried, and its task stays pending. Three days later an operator resolves the step and then the task by hand.",
		func(m *model) {
			m.failing("process_payment", 1)
			m.createAndRound()
			m.round()
			m.discoverNothing()
			m.endPass()
			m.now += 3 * day
			m.resolve("process_payment")
		})
	return all
}

// failing sets how often a step fails; other steps never do.
func (m *model) failing(step string, times int) { m.step(step).failing = times }

func (m *model) step(name string) *stepModel {
	for _, s := range m.steps {
		s.drawn = true
		if s.name == name {
			return s
		}
	}
	panic("engine: no step " + name)
}

// operator acts outside of a pass, in a separate thread.
func (m *model) operator(act func()) {
	m.correlationID = m.g.creator
	act()
}

// createAndRound creates the task and begins its first pass with a round.
func (m *model) createAndRound() {
	m.create()
	m.beginPass(0)
	m.round()
}

// cancel cancels the task as an operator.
func (m *model) cancel() { m.operator(func() { m.transition(lifecycle.TaskCancelled, "cancelled") }) }

// resolve resolves a step, and then the task, as an operator.
func (m *model) resolve(step string) {
	m.operator(func() {
		t := m.tick()
		m.emit(lifecycle.StepResolvedManually, t, m.stepTransition(m.step(step), "resolved_manually", t, "resolved_manually"))
		m.now += minute
		m.transition(lifecycle.TaskResolvedManually, "resolved_manually")
	})
}

// enqueueAgain sets an ended task back to pending and enqueues it with a new job.
func (m *model) enqueueAgain() {
	m.operator(func() {
		m.now += 20 * second
		m.transition(lifecycle.TaskInitializeRequested, string(pending))
		m.job = fmt.Sprintf("%08x-0000-4000-8000-%012x", m.g.rng.Uint32(), m.id)
		m.enqueue()
		m.now += 300 * millisecond
	})
}

// cancelDuring cancels the task while it is doing something.
func (m *model) cancelDuring(doing func()) {
	begin, correlationID := m.now, m.correlationID
	doing()
	end := m.now
	m.now = begin + (end-begin)/2
	m.cancel()
	m.now, m.correlationID, m.cancelled = end, correlationID, true
}

// hang begins a batch of one step whose handler never returns.
func (m *model) hang(s *stepModel) {
	m.beginBatch(1)
	m.request(s, &Attempt{}, m.g.pool[0])
	t := m.tick()
	m.emitAs(m.g.pool[0], lifecycle.StepBeforeHandle, t, m.stepPayload(s, "before_handle", t))
}

// emptyRound is a batch whose step may not run.
func (m *model) emptyRound(s *stepModel) {
	began := m.now
	for range 2 {
		t := m.tick()
		m.emit(lifecycle.WorkflowViableStepsDiscovered, t, m.flowPayload("viable_steps_discovered", t).with(
			"step_ids", []int64{s.id}, "processing_mode", "concurrent", "step_count", 1))
	}
	m.beginBatch(1)
	m.endBatch(0)
	m.now = began + 50*millisecond
}

// discoverNothing announces twice that there are no viable steps.
func (m *model) discoverNothing() {
	for range 2 {
		t := m.tick()
		m.emit(lifecycle.WorkflowNoViableSteps, t, m.flowPayload("no_viable_steps", t).with("reason", "No steps ready for execution"))
	}
}
