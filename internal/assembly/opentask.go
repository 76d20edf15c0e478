// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"math"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
)

// Lists of open tasks show what each is doing now. Reading that from a task's events costs as much as building its tree, so a
// watched assembler updates it with each event, at a constant cost. An assembler that is not watched keeps nothing.

// State is what an open task is doing.
type State uint8

const (
	// StateQueued means that its job waits in the queue, and no pass has begun yet.
	StateQueued State = iota
	// StateRunning means that a pass works on it.
	StateRunning
	// StateWaiting means that it waits for its next pass.
	StateWaiting
	// StateBackingOff means that a failed step waits for its next attempt.
	StateBackingOff
	// StateBlocked means that a failed step blocks it, and no next attempt is expected.
	StateBlocked
	// StateSettling means that it has ended, and its tree waits for events that are late.
	StateSettling

	// States is the number of states.
	States
)

func (s State) String() string {
	return [...]string{"queued", "running", "waiting", "backing_off", "blocked", "settling"}[s]
}

// expectedRetry is how long after its failure a step is expected to be attempted again where no backoff was announced: the longest
// backoff in the engine's default configuration.
const expectedRetry = 5 * time.Minute

// OpenTask is a summary of an open task. Its strings are shared with the assembler and never change.
type OpenTask struct {
	Key           event.TraceID // under which the assembler knows the task; its spans have the caller's trace id, if it has a caller
	ID            event.ID
	Name          string
	Resource      *event.Resource
	CorrelationID string // of the latest pass
	State         State
	// Started is the time of the task's first event and Changed that of its last, on the sender's clock. Arrived is when
	// its last event arrived, on the collector's. All are Unix nanoseconds.
	Started, Changed, Arrived int64
	// Steps is the number of known steps, and Running, Failed and Done how many of them are in that state. Announced is how many
	// the task has.
	Steps, Running, Failed, Done, Announced int
	// Step is the name of the step of the latest step event.
	Step string
	// FailedStep, ErrorType and Error are those of the last failed attempt, if any.
	FailedStep, ErrorType, Error string
	// BackoffUntil is the end of the backoff that was announced last.
	BackoffUntil int64
	// Due is when the assembler checks the task again, by the collector's clock, if no event arrives; ReorderWindow and
	// SettleTimeout are how long it waits for late and for missing events.
	Due                          int64
	ReorderWindow, SettleTimeout time.Duration
	Run                          int // 2 and more for a task that resumed after its end
}

// Now returns the time on the sender's clock: the collector's clock less the delay of the task's last event. So ages are right for
// a replayed stream and for a sender with a wrong clock.
func (t *OpenTask) Now(now time.Time) int64 {
	return max(t.Changed, t.Changed+now.UnixNano()-t.Arrived)
}

// Watch makes the assembler keep what [Assembler.VisitOpen] shows. It is called before the first Observe.
func (a *Assembler) Watch() { a.watched = &watched{} }

// watched are the open tasks in no order, so that they can be visited in pages.
type watched struct {
	tasks []*watch
	round uint32
}

func (l *watched) join(t *task) {
	t.watch = &watch{task: t, place: len(l.tasks), changed: math.MinInt64, started: math.MaxInt64, round: l.round}
	t.Events.Held += bytesPerWatch
	l.tasks = append(l.tasks, t.watch)
}

// leave forgets a task that is no longer open.
func (l *watched) leave(t *task) {
	w := t.watch
	if w == nil {
		return
	}
	t.Events.Held -= bytesPerWatch + int64(len(w.steps))*bytesPerStepWatch
	t.watch = nil
	last := len(l.tasks) - 1
	l.tasks[w.place] = l.tasks[last]
	l.tasks[w.place].place = w.place
	l.tasks[last] = nil
	l.tasks = l.tasks[:last]
}

// watch is the state of an open task that needs no reading of its events.
type watch struct {
	task  *task
	place int // index in watched
	round uint32

	started, changed int64

	latest        int64      // time of the latest event that changes what the task is doing
	kind          event.Kind // of it
	correlationID uint16
	passAt        int64
	final         bool // the latest pass ended with the task
	steps         []stepWatch
	byState       [stepDone + 1]int32
	step          int16 // of the latest event of a step
	stepAt        int64
	failure       *event.Failure
	failedAt      int64
	failed        int16

	backoffUntil int64
	announced    int16
}

// About how many bytes watching takes.
const (
	bytesPerWatch     = 208
	bytesPerStepWatch = 16
)

// stepState is what a step is doing.
type stepState uint8

const (
	stepIdle stepState = iota
	stepRunning
	stepFailed
	stepDone
)

type stepWatch struct {
	at    int64
	kind  event.Kind
	state stepState
}

// observe takes in a record of the task. Of two records the one that happened later counts, whichever arrived first.
func (w *watch) observe(r *event.Record) {
	w.started = min(w.started, r.At)
	w.changed = max(w.changed, r.At)
	switch r.Kind {
	case event.SpanEvent, event.Query:
		return
	case event.Created:
		w.announced = max(w.announced, r.Number)
	case event.PassBegan:
		if r.At >= w.passAt {
			w.passAt, w.correlationID = r.At, r.CorrelationID
		}
	case event.Backoff:
		if seconds := w.task.Events.Detail(r).Seconds; seconds > 0 && seconds < math.MaxInt64/float64(time.Second) {
			w.backoffUntil = max(w.backoffUntil, r.At+int64(seconds*float64(time.Second)))
		}
	}
	if r.Step != event.NoStep {
		w.observeStep(r)
	}
	w.observePass(r)
}

// observePass keeps the latest event that shows whether a pass works on the task. Operators' actions and backoffs do not.
func (w *watch) observePass(r *event.Record) {
	switch r.Kind {
	case event.StepReset, event.StepResolved, event.TaskPending, event.Backoff:
		return
	}
	if r.At < w.latest || r.At == w.latest && r.Kind < w.kind {
		return
	}
	w.latest, w.kind = r.At, r.Kind
	if r.Kind == event.PassEnded {
		_, w.final = event.EndingOf(w.task.Events.Detail(r).FinalStatus())
	}
}

func (w *watch) observeStep(r *event.Record) {
	var state stepState
	switch r.Kind {
	case event.StepRequested, event.HandlerBegan:
		state = stepRunning
	case event.StepFailed:
		state = stepFailed
		if r.At >= w.failedAt {
			w.observeFailure(r)
		}
	case event.StepCompleted, event.StepCancelled, event.StepResolved:
		state = stepDone
	case event.StepReset:
		state = stepIdle
	default:
		return
	}
	if r.At >= w.stepAt {
		w.step, w.stepAt = r.Step, r.At
	}
	for int(r.Step) >= len(w.steps) {
		w.steps = append(w.steps, stepWatch{at: math.MinInt64})
		w.byState[stepIdle]++
		w.task.Events.Held += bytesPerStepWatch
	}
	s := &w.steps[r.Step]
	if r.At < s.at || r.At == s.at && r.Kind < s.kind {
		return
	}
	w.byState[s.state]--
	w.byState[state]++
	*s = stepWatch{r.At, r.Kind, state}
}

// observeFailure keeps the error of the announcement that knows the class: of the three, one does not.
func (w *watch) observeFailure(r *event.Record) {
	f := w.task.Events.Detail(r).Failure
	if f == nil {
		return
	}
	if w.failure != nil && w.failed == r.Step && f.Generic && !w.failure.Generic && w.steps[r.Step].state == stepFailed {
		return
	}
	w.failure, w.failedAt, w.failed = f, r.At, r.Step
}

// state returns what the task is doing at a time of the sender's clock.
func (w *watch) state(now int64) State {
	switch {
	case w.task.ended:
		return StateSettling
	case w.byState[stepRunning] > 0:
		return StateRunning
	case w.byState[stepFailed] > 0:
		if now < w.backoffUntil || now < w.failedAt+int64(expectedRetry) {
			return StateBackingOff
		}
		return StateBlocked
	}
	switch w.kind {
	case event.Created, event.Enqueued:
		return StateQueued
	case event.PassEnded:
		if w.final {
			return StateSettling
		}
		return StateWaiting
	}
	return StateRunning
}

// VisitOpen visits open tasks of a watched assembler that match the search. It examines at most as many tasks as given, from the
// place that the previous call returned (math.MaxInt at first), and returns the next place, which is 0 after the last. The
// assembler may be used between calls: each task is visited once, and tasks opened meanwhile are not.
func (a *Assembler) VisitOpen(place, most int, now time.Time, text *Search, visit func(*OpenTask)) (next int) {
	l := a.watched
	if l == nil {
		return 0
	}
	if place == math.MaxInt {
		l.round++
	}
	place = min(place, len(l.tasks))
	var summary OpenTask // reused: visit copies what it keeps
	for ; place > 0 && most > 0; most-- {
		place--
		w := l.tasks[place]
		if w.round == l.round || w.task.Released != nil && !w.task.active || !text.finds(w.task) {
			continue
		}
		w.round = l.round
		w.summarize(&summary, now)
		visit(&summary)
	}
	return place
}

func (w *watch) summarize(s *OpenTask, now time.Time) {
	t := w.task
	*s = OpenTask{
		Key: t.Events.Trace, ID: t.Events.ID, Name: t.Events.Name, Resource: t.Events.Resource, CorrelationID: t.Events.CorrelationID(w.correlationID),
		Started: w.started, Changed: w.changed, Arrived: t.lastArrival,
		Steps: len(t.Events.Steps), Running: int(w.byState[stepRunning]), Failed: int(w.byState[stepFailed]), Done: int(w.byState[stepDone]),
		Announced: int(w.announced), BackoffUntil: w.backoffUntil, Run: 1,
		Due: t.deadline.Due(), ReorderWindow: t.limits.ReorderWindow, SettleTimeout: t.limits.SettleTimeout,
	}
	if t.Released != nil {
		s.Run = t.Released.Runs + 1
		s.Started = max(s.Started, t.Released.End)
	}
	if w.stepAt != 0 {
		s.Step = t.Events.StepName(w.step)
	}
	if w.failure != nil {
		s.FailedStep, s.ErrorType, s.Error = t.Events.StepName(w.failed), w.failure.Class, w.failure.Message
	}
	s.State = w.state(s.Now(now))
}
