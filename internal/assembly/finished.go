// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/deadlines"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
)

// Nothing shows that a query or a backoff is missing, so a tree does not wait for them. Each is a span of its own that changes no
// other: when one arrives after its tree, that span is emitted alone. For this, a task that has been emitted as a whole is kept
// with its events, for as long as a tree waits for missing events.

// mostFinished is the number of events up to which a finished task is kept: each late event costs reading all of them.
const mostFinished = 1000

// finished are the tasks that are kept after their release, in the order of their release, which is lastArrival.
type finished struct {
	tasks map[event.TraceID]*task
	line  deadlines.Line[*task]
}

// keep keeps a task that has been released. prior is its previous release, nil for none.
func (a *Assembler) keep(t *task, prior *history.Released, now int64) {
	a.drop(a.finished.tasks[t.Events.Trace])
	if a.limits.Finished <= 0 || t.Events.Count() > mostFinished {
		return
	}
	if len(a.finished.tasks) >= a.limits.Finished {
		a.drop(a.finished.line.First())
	}
	t.Released, t.lastArrival = prior, now
	a.finished.tasks[t.Events.Trace] = t
	a.finished.line.Join(t)
	a.stats.HeldBytes += t.Events.Held
}

// drop removes a finished task; nil is ignored.
func (a *Assembler) drop(t *task) {
	if t == nil {
		return
	}
	delete(a.finished.tasks, t.Events.Trace)
	a.finished.line.Leave(t)
	a.stats.HeldBytes -= t.Events.Held
}

// dropFinished drops the tasks that were released up to a time.
func (a *Assembler) dropFinished(until int64) {
	for t := a.finished.line.First(); t != nil && t.lastArrival <= until; t = a.finished.line.First() {
		a.drop(t)
	}
}

// observeLate takes in an event that is older than the end of its task's tree.
func (a *Assembler) observeLate(e *event.Event, now int64) {
	if a.late(e) {
		a.stats.LateSpans++
	} else {
		a.noteLate(e)
	}
	a.fit(now)
}

// OnLate sets the callback for each late event that is dropped because its span has been emitted.
func (a *Assembler) OnLate(onLate func(*event.Event)) { a.onLate = onLate }

func (a *Assembler) noteLate(e *event.Event) {
	a.stats.Late++
	if a.onLate != nil && !a.restoring {
		a.onLate(e)
	}
}

// late emits the span of a late event, and reports whether there is one.
func (a *Assembler) late(e *event.Event) bool {
	t, k := a.finished.tasks[e.TraceID], e.Kind()
	if t == nil || k != event.Query && k != event.Backoff || t.Events.Count() >= mostFinished ||
		t.Forgot(e.At) { // it may be a repetition
		return false
	}
	a.load(t)
	own := e.Key()
	if slices.ContainsFunc(t.Records, own.Is) {
		return false
	}
	held := t.Events.Held
	a.add(t, e, t.lastArrival)
	a.stats.HeldBytes += t.Events.Held - held
	before := t.Released.Clone()
	if before == nil {
		before = new(history.Released)
	}
	for i, n := range a.history(t) {
		if tree := a.composer.ComposeLate(&t.Task, i, n, before, own); tree != nil {
			a.sink(tree)
			return true
		}
	}
	return false
}
