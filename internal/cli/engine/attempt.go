// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

const (
	failureMessage = "Payment gateway timeout"
	failureClass   = "PaymentGateway::TimeoutError"
)

// attempt executes a step once. correlationID is the one that the pool's thread keeps, not that of the pass.
func (m *model) attempt(s *stepModel, correlationID string) Attempt {
	if !s.drawn {
		s.drawn, s.failing = true, m.g.failures(s.limit)
	}
	a := Attempt{StepID: s.id, StepName: s.name, Attempt: s.attempts + 1}
	m.request(s, &a, correlationID)
	a.HandlerStart = m.tick()
	m.emitAs(correlationID, lifecycle.StepBeforeHandle, a.HandlerStart, m.stepPayload(s, "before_handle", a.HandlerStart))
	m.work(s, a.HandlerStart, correlationID)
	failing := s.attempts < s.failing
	if failing && s.api() { // announced before its failure
		t := m.tick()
		s.backoff = t
		m.emitAs(correlationID, lifecycle.ObservabilityStepBackoff, t, m.stepPayload(s, "backoff", t).with("backoff_seconds", 2,
			"backoff_type", "exponential", "attempt", s.attempts, "calculated_attempt", s.attempts+1,
			"base_delay", 1, "multiplier", 2.0))
	}
	a.HandlerEnd = m.tick()
	if failing {
		a.Status, a.Error = OutcomeError, failureClass
		a.End = m.fail(s, a.HandlerEnd, correlationID)
	} else {
		a.Status = OutcomeOK
		a.End = m.succeed(s, a.HandlerEnd, correlationID)
	}
	return a
}

// request announces the attempt three times: executor, state machine, handler.
func (m *model) request(s *stepModel, a *Attempt, correlationID string) {
	asked := func(p payload) payload {
		return p.with("step_inputs", m.context, "step_dependencies", append([]string{}, s.parents...))
	}
	t := m.tick()
	a.Start = t
	if s.backoff != 0 {
		m.truth.Backoffs = append(m.truth.Backoffs, Backoff{Interval{s.backoff, t}, s.id})
		s.backoff = 0
	}
	m.emitAs(correlationID, lifecycle.StepExecutionRequested, t, asked(m.stepPayload(s, "started", t)))
	t = m.pause(2, 30)
	m.emitAs(correlationID, lifecycle.StepExecutionRequested, t, asked(m.stepTransition(s, "started", t, "in_progress")))
	t = m.pause(2, 30)
	m.emitAs(correlationID, lifecycle.StepExecutionRequested, t, asked(m.stepPayload(s, "started", t)))
}

// work is the handler's execution, with its queries and custom events.
func (m *model) work(s *stepModel, began int64, correlationID string) {
	length := m.g.between(15*millisecond, 900*millisecond)
	if m.g.options.Planned {
		for i := range m.g.between(0, 2) {
			at, took := began+length*(i+1)/4, m.g.between(millisecond, 12*millisecond)
			m.emitAs(correlationID, lifecycle.DatabaseQueryExecuted, at, payload{}.with("timestamp", isoSeconds(at), "task_id", m.id,
				"step_id", s.id, "duration", float64(took)/1e9, "name", "Order Load",
				"sql", "SELECT orders.* FROM orders WHERE orders.id = 4711 LIMIT 1"))
			m.truth.Queries++
		}
	}
	if s.name == "create_order" {
		at := began + length/2
		m.emitAs(correlationID, "order.fulfilled", at, payload{}.with("timestamp", isoMillis(at), "order_id", 1000+m.id,
			"task_id", m.id, "event_type", "custom"))
	}
	m.now = began + length
}

// fail announces the failure three times: handler, state machine, executor. It returns the time of the last.
func (m *model) fail(s *stepModel, t int64, correlationID string) int64 {
	trace := []string{"app/services/payment.rb:45", "app/tasks/order.rb:12"}
	whole := func(p payload) payload {
		return p.with("error_message", failureMessage, "error_class", failureClass,
			"exception_class", "StandardError", "backtrace", trace)
	}
	m.emitAs(correlationID, lifecycle.StepFailed, t, whole(m.stepPayload(s, "failed", t)))
	s.attempts++
	s.last = m.tick()
	t = m.pause(2, 30)
	s.state = failed
	m.emitAs(correlationID, lifecycle.StepFailed, t, m.stepTransition(s, "failed", t, failed).with("error_message", failureMessage,
		"exception_class", "StandardError", "backtrace", strings.Join(trace, "\n")))
	t = m.tick()
	m.emitAs(correlationID, lifecycle.StepFailed, t, whole(m.stepPayload(s, "failed", t)))
	return t
}

// succeed announces the completion three times, with the durations of trap 3. It returns the time of the last.
func (m *model) succeed(s *stepModel, t int64, correlationID string) int64 {
	announce := func(p payload, duration float64) {
		m.emitAs(correlationID, lifecycle.StepCompleted, t, p.with("execution_duration", duration, "step_results", payload{}.with("ok", true)))
	}
	announce(m.stepPayload(s, "completed", t), 0)
	s.attempts++
	s.last = m.tick()
	s.done = s.last
	t = m.pause(2, 30)
	s.state = complete
	announce(m.stepTransition(s, "completed", t, complete), 0)
	t = m.tick()
	announce(m.stepPayload(s, "completed", t), -float64(m.g.between(2, 42))/1000)
	return t
}

// stepPayload uses the number of finished attempts as attempt_number (trap 2).
func (m *model) stepPayload(s *stepModel, kind string, t int64) payload {
	return payload{}.with("timestamp", isoSeconds(t), "task_id", m.id, "step_id", s.id, "step_name", s.name,
		"started_at", isoSecondsOrNull(s.last), "completed_at", isoSecondsOrNull(s.done),
		"attempt_number", s.attempts, "retry_limit", s.limit, "event_type", kind)
}

func (m *model) stepTransition(s *stepModel, kind string, t int64, to stepState) payload {
	return m.stepPayload(s, kind, t).with("from_state", nil, "to_state", string(to), "transitioned_at", isoMillis(t))
}
