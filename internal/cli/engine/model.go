// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// model simulates one task.
type model struct {
	g             *generator
	id            int64
	name          string
	steps         []*stepModel
	created       int64
	now           int64
	context       payload
	job           string
	correlationID string // correlation ID of the acting thread: the creator's until a pass has its own
	waiting       int64  // when the task was enqueued

	succeeded int // steps that succeeded in this pass
	cancelled bool
	truth     Task
}

type stepModel struct {
	id       int64
	name     string
	parents  []string
	limit    int
	attempts int  // finished attempts
	failing  int  // number of first attempts that fail
	drawn    bool // failing is set
	state    stepState
	last     int64 // end of the last attempt
	done     int64
	backoff  int64 // when a backoff was announced for the next attempt
}

type stepState string

const (
	pending  stepState = "pending"
	complete stepState = "complete"
	failed   stepState = "error"

	cancelled stepState = "cancelled" // of a task only
)

// api reports whether the step's handler calls a remote service; these handlers announce backoffs.
func (s *stepModel) api() bool { return strings.HasPrefix(s.name, "send") }

func (s *stepModel) exhausted() bool { return s.state == failed && s.attempts >= s.limit }

func newModel(g *generator, id int64, name string, graph []template, start int64) *model {
	m := &model{g: g, id: id, name: name, created: start, now: start, correlationID: g.creator,
		context: payload{}.with("order_id", 1000+id, "customer_email", "a@example.com"),
		job:     fmt.Sprintf("%08x-0000-4000-8000-%012x", g.rng.Uint32(), id),
		truth: Task{Service: g.options.Service, TaskID: id, TaskName: name, Interval: Interval{Start: start},
			QueueWaits: []Interval{}, Backoffs: []Backoff{}},
	}
	for _, node := range graph {
		m.steps = append(m.steps, &stepModel{id: g.nextStep, name: node.step, parents: node.parents, limit: node.retries, state: pending})
		g.nextStep++
	}
	return m
}

func (m *model) live() Task {
	m.create()
	m.finish(0)
	return m.truth
}

// finish runs the job from a run until the task ends.
func (m *model) finish(run int) {
	for m.pass(run) {
		run++
	}
}

// passes runs the job several times from its first run, with pauses between.
func (m *model) passes(times int, pause int64) {
	for run := range times {
		if run > 0 {
			m.now += pause
		}
		m.pass(run)
	}
}

// create simulates the initializer; then the task waits in the queue.
func (m *model) create() {
	m.emit(lifecycle.TaskStartRequested, m.now, m.taskPayload("started", m.now).with("task_context", m.context, "step_count", len(m.steps)))
	m.enqueue()
	m.now += m.g.between(20*millisecond, 400*millisecond)
}

func (m *model) enqueue() {
	m.waiting = m.tick()
	m.emit(lifecycle.ObservabilityTaskEnqueue, m.waiting, m.taskPayload("enqueue", m.waiting).with("task_context", m.context))
}

// pass is a run of the job, and what happens before the next one. It reports whether the task needs another pass.
func (m *model) pass(run int) bool {
	m.beginPass(run)
	for goesOn := true; goesOn && !slices.ContainsFunc(m.steps, (*stepModel).exhausted); {
		goesOn = m.round()
	}
	final := m.endPass()
	switch final {
	case pending: // an operator acts between two passes; the job is retried 3 s after the pass
		m.now += 2 * second
		m.resetFailedSteps()
		m.now += second
	case failed:
		m.jobRetries(run)
	}
	return final == pending
}

// jobRetries are the job's own retries after the end of its task, without a pass.
func (m *model) jobRetries(run int) {
	for i := 1; i <= 2; i++ {
		m.now += 3 * second
		m.jobBegins(run + i)
	}
}

// beginPass fires what precedes the first discovery of steps.
func (m *model) beginPass(run int) {
	began := m.jobBegins(run)
	m.truth.QueueWaits = append(m.truth.QueueWaits, Interval{m.waiting, began})
	m.transition(lifecycle.TaskStartRequested, "in_progress")
	t := m.tick()
	m.emit(lifecycle.TaskStartRequested, t, m.taskPayload("started", t).with("task_context", m.context))
	t = m.tick()
	m.truth.Orchestrations = append(m.truth.Orchestrations, Orchestration{Interval: Interval{Start: t}, CorrelationID: m.correlationID, Batches: []Batch{}})
	m.succeeded = 0
	m.emit(lifecycle.WorkflowTaskStarted, t, m.flowPayload("task_started", t).with("correlation_id", m.correlationID))
}

// round discovers viable steps and executes them. It reports whether there were any.
func (m *model) round() bool {
	viable := m.discover()
	if len(viable) == 0 {
		return false
	}
	batch := m.batch(viable)
	pass := &m.truth.Orchestrations[len(m.truth.Orchestrations)-1]
	pass.Batches = append(pass.Batches, batch)
	for _, a := range batch.Steps {
		if a.Status == OutcomeOK {
			m.succeeded++
		}
	}
	return true
}

// jobBegins announces that the job has left the queue. The job and the pass have a new correlation ID.
func (m *model) jobBegins(run int) int64 {
	t := m.tick()
	m.correlationID = m.g.correlationID(t)
	m.emit(lifecycle.ObservabilityTaskEnqueue, t, m.taskPayload("enqueue", t).with("job_id", m.job,
		"correlation_id", m.correlationID, "queue_name", "default", "attempt", run+2, "task_context", m.context))
	return t
}

// discover returns the viable steps and announces them twice.
func (m *model) discover() []*stepModel {
	var viable []*stepModel
	var ids []int64
	var names []string
	for _, s := range m.steps {
		if s.state == pending && m.allComplete(s.parents) {
			viable, ids, names = append(viable, s), append(ids, s.id), append(names, s.name)
		}
	}
	for _, first := range []bool{true, false} {
		t := m.tick()
		if len(viable) == 0 {
			p := m.flowPayload("no_viable_steps", t).with("reason", "No steps ready for execution")
			if first {
				p = p.with("total_steps_checked", len(m.steps))
			}
			m.emit(lifecycle.WorkflowNoViableSteps, t, p)
			continue
		}
		p := m.flowPayload("viable_steps_discovered", t).with("step_ids", ids, "processing_mode", "concurrent", "step_count", len(ids))
		if first {
			p = p.with("viable_count", len(ids), "step_names", names)
		}
		m.emit(lifecycle.WorkflowViableStepsDiscovered, t, p)
	}
	return viable
}

func (m *model) allComplete(parents []string) bool {
	for _, s := range m.steps {
		if slices.Contains(parents, s.name) && s.state != complete {
			return false
		}
	}
	return true
}

// batch executes the steps in slices of three, each slice concurrently.
func (m *model) batch(viable []*stepModel) Batch {
	batch := Batch{Interval: Interval{Start: m.beginBatch(len(viable))}}
	succeeded := 0
	for slice := range slices.Chunk(viable, len(m.g.pool)) {
		begin, end := m.now, m.now
		for i, s := range slice {
			m.now = begin
			a := m.attempt(s, m.g.pool[i])
			batch.Steps = append(batch.Steps, a)
			if a.Status == OutcomeOK {
				succeeded++
			}
			end = max(end, m.now)
		}
		m.now = end
	}
	batch.End = m.endBatch(succeeded)
	return batch
}

// beginBatch announces a batch and returns its time.
func (m *model) beginBatch(steps int) int64 {
	t := m.tick()
	m.emit(lifecycle.WorkflowStepsExecutionStarted, t, m.flowPayload("steps_execution_started", t).with(
		"task_name", m.name, "step_count", steps, "processing_mode", "concurrent"))
	return t
}

// endBatch announces the end of a batch and returns its time.
func (m *model) endBatch(succeeded int) int64 {
	t := m.tick()
	m.emit(lifecycle.WorkflowStepsExecutionCompleted, t, m.flowPayload("steps_execution_completed", t).with(
		"task_name", m.name, "processed_count", succeeded, "successful_count", succeeded))
	return t
}

// endPass ends the pass, and the task unless a step must be retried.
func (m *model) endPass() stepState {
	m.finalizationBegins()
	final := pending
	switch {
	case m.cancelled:
		final = cancelled
	case !slices.ContainsFunc(m.steps, func(s *stepModel) bool { return s.state != complete }):
		final = complete
		m.announceCompleted()
	case slices.ContainsFunc(m.steps, (*stepModel).exhausted):
		final = failed
		m.announceFailed()
	default:
		m.announcePending()
	}
	m.finalizationEnds(final)
	return final
}

func (m *model) finalizationBegins() {
	t := m.tick()
	m.emit(lifecycle.WorkflowTaskFinalizationStarted, t, m.flowPayload("task_finalization_started", t).with("processed_steps_count", m.succeeded))
	t = m.tick()
	m.emit(lifecycle.WorkflowTaskFinalizationStarted, t, m.withProgress(
		m.flowPayload("task_finalization_started", t).with("processed_steps_count", m.succeeded)))
}

func (m *model) finalizationEnds(final stepState) {
	t := m.tick()
	m.emit(lifecycle.WorkflowTaskFinalizationCompleted, t, m.withProgress(m.flowPayload("task_finalization_completed", t).with(
		"processed_steps_count", m.succeeded, "final_status", string(final))))
	end := m.tick()
	m.emit(lifecycle.WorkflowTaskFinalizationCompleted, end, m.flowPayload("task_finalization_completed", end).with(
		"processed_steps_count", m.succeeded, "final_status", string(final)))
	m.truth.Orchestrations[len(m.truth.Orchestrations)-1].End = end
	m.waiting = end
	switch final {
	case complete:
		m.truth.End, m.truth.Status = end, OutcomeOK
	case failed:
		m.truth.End, m.truth.Status = end, OutcomeError
	}
}

func (m *model) announceCompleted() {
	m.transition(lifecycle.TaskCompleted, string(complete))
	t := m.tick()
	m.emit(lifecycle.TaskCompleted, t, m.taskPayload("completed", t).without("completed_at").with("task", m.id,
		"completed_at", isoMillis(t), "completion_percentage", "100.0", "health_status", "healthy"))
}

func (m *model) announceFailed() {
	m.transition(lifecycle.TaskFailed, string(failed))
	t := m.tick()
	m.emit(lifecycle.TaskFailed, t, m.taskPayload("failed", t).with("error_message", "steps_in_error_state",
		"error_steps", []string{}, "failed_steps_count", 1))
}

func (m *model) announcePending() {
	if m.g.options.Planned {
		t := m.tick()
		m.emit(lifecycle.WorkflowTaskReenqueueDelayed, t, m.flowPayload("task_reenqueue_delayed", t).with("task_name", m.name,
			"reason", "retry_backoff", "delay_seconds", 3, "scheduled_for", isoMillis(t+3*second)))
	}
	m.transition(lifecycle.TaskInitializeRequested, string(pending))
	t := m.tick()
	m.emit(lifecycle.TaskInitializeRequested, t, m.taskPayload("pending_transition", t).with(
		"reason", "waiting_for_dependencies", "ready_steps", 0, "in_progress_steps", 0,
		"completion_percentage", m.percentage(), "health_status", "recovering"))
}

// resetFailedSteps simulates an operator or a script.
func (m *model) resetFailedSteps() {
	for _, s := range m.steps {
		if s.state == failed {
			m.reset(s, m.g.creator)
		}
	}
}

// reset sets a step back to pending.
func (m *model) reset(s *stepModel, correlationID string) {
	t := m.tick()
	s.state = pending
	m.emitAs(correlationID, lifecycle.StepInitializeRequested, t, m.stepTransition(s, "unknown", t, pending))
}

// transition simulates the state machine: before_transition, then the event of the new state.
func (m *model) transition(event, to string) {
	t := m.tick()
	m.emit(lifecycle.TaskBeforeTransition, t, payload{}.with("timestamp", isoMillis(t), "task_id", m.id,
		"from_state", nil, "to_state", to, "transition_event", event))
	t = m.tick()
	m.emit(event, t, payload{}.with("timestamp", isoMillis(t), "task_id", m.id, "task_name", m.name,
		"task_context", m.context, "from_state", nil, "to_state", to, "transitioned_at", isoMillis(t)))
}

// tick advances the time by 1 to 4 ms.
func (m *model) tick() int64 { return m.pause(1, 4) }

func (m *model) pause(lowMS, highMS int64) int64 {
	m.now += m.g.between(lowMS*millisecond, highMS*millisecond)
	return m.now
}

func (m *model) emit(event string, at int64, p payload) { m.emitAs(m.correlationID, event, at, p) }

func (m *model) emitAs(correlationID, event string, at int64, p payload) {
	item := payload{}.with("event", event, "occurred_at", isoNanos(at), "service", m.truth.Service,
		"correlation_id", correlationID, "payload", p)
	m.g.emitted = append(m.g.emitted, emission{at, item.appendJSON(make([]byte, 0, 512))})
}

func (m *model) taskPayload(kind string, t int64) payload {
	var done, wrong int
	var last int64
	for _, s := range m.steps {
		switch s.state {
		case complete:
			done++
			last = max(last, s.done)
		case failed:
			wrong++
		}
	}
	var completedAt, total, current any
	if done == len(m.steps) {
		completedAt, total = isoSeconds(last), rounded(last-m.created)
	} else {
		current = rounded(t - m.created)
	}
	return payload{}.with("timestamp", isoSeconds(t), "task_id", m.id, "task_name", m.name, "started_at", isoSeconds(m.created),
		"completed_at", completedAt, "task_type", "Tasker::Task", "event_type", kind,
		"total_execution_duration", total, "current_execution_duration", current, "total_steps", len(m.steps),
		"completed_steps", done, "failed_steps", wrong, "pending_steps", len(m.steps)-done-wrong)
}

// rounded returns a duration in seconds with three decimals.
func rounded(ns int64) float64 { return math.Round(float64(ns)/1e6) / 1e3 }

func (m *model) flowPayload(kind string, t int64) payload {
	return payload{}.with("timestamp", isoSeconds(t), "event_type", kind, "orchestration_event", true, "task_id", m.id)
}

// withProgress adds the finalizer's view of the task.
func (m *model) withProgress(p payload) payload {
	return p.with("execution_status", "processing", "health_status", "healthy",
		"completion_percentage", m.percentage(), "total_steps", len(m.steps))
}

// percentage returns a string, as in the engine (trap 5).
func (m *model) percentage() string {
	done := 0
	for _, s := range m.steps {
		if s.state == complete {
			done++
		}
	}
	return strconv.FormatFloat(100*float64(done)/float64(len(m.steps)), 'f', 1, 64)
}
