// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"math"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
)

const (
	// looksPerWindow bounds how often a task is checked.
	looksPerWindow = 4
	// manyRecords is the number of held records from which a task is checked half as often: each check reads them.
	manyRecords = 4000
)

// spacing returns the least time between two checks of the task.
func (t *task) spacing() int64 {
	spacing := int64(t.limits.ReorderWindow) / looksPerWindow
	if t.Events.Count() > manyRecords {
		spacing *= 2
	}
	return spacing
}

// checkLater schedules a check of the task when the latest event may have settled something.
func (t *task) checkLater(now int64) {
	at := max(event.ArrivedBy(now)+int64(t.limits.ReorderWindow), t.looked+t.spacing())
	if t.lookAt == 0 || at < t.lookAt {
		t.lookAt = at
	}
}

// lookParts emits the settled spans of an open task, and reports whether everything of it has arrived. Its records are unpacked.
func (a *Assembler) lookParts(t *task, now int64) (all bool) {
	length, next := t.prefix(now, t.limits.ReorderWindow)
	return a.lookAtFirst(t, length, next, &settling{now: now})
}

// makeRoom reads a full task to its newest event without waiting for what is missing, so that what has been emitted can be
// forgotten.
func (a *Assembler) makeRoom(t *task, now int64) {
	a.unpack(t)
	a.lookAtFirst(t, len(t.records), math.MaxInt64, &settling{now: now, forced: true})
}

// lookAtFirst emits the settled spans of the first of the task's records. next is when more records may count.
func (a *Assembler) lookAtFirst(t *task, length int, next int64, going *settling) (all bool) {
	now, sorted := going.now, t.records
	t.looked, t.lookAt = now, 0
	all = length == len(sorted)
	if t.coarse {
		length = wholePasses(sorted[:length])
	}
	going.decided, going.timeout, going.coarse, going.next = all && t.ended, int64(t.limits.SettleTimeout), t.coarse, math.MaxInt64
	changed := false
	if length > 0 {
		t.records = sorted[:length]
		changed = a.emitParts(t, sorted, going)
		t.records = sorted
	}
	for i := range sorted[length:] {
		if sorted[length+i].Kind.Settles() && next < math.MaxInt64 {
			going.next = min(going.next, max(next, now+t.spacing()))
			break
		}
	}
	if going.next < math.MaxInt64 {
		t.lookAt = max(going.next, now+1)
	}
	if changed {
		a.reportRelease(t, true)
	}
	return all
}

// emitParts emits the settled spans of the task's records, which are the sorted ones up to its frontier. It reports whether
// anything was emitted or forgotten.
func (a *Assembler) emitParts(t *task, sorted []event.Record, going *settling) (changed bool) {
	runs := a.reader.runs(&t.historyTask, t.limits.patience(), going)
	if len(runs) == 0 {
		return false
	}
	n := runs[len(runs)-1]
	if len(runs) > 1 || t.coarse && !n.sound() {
		return false // a run that has ended is released as a whole, and what follows it waits for that
	}
	before := t.released
	if before == nil {
		before = new(releasedTask)
	}
	tree := a.composer.compose(&t.treeTask, n, before, ReasonEnded, going)
	a.count(t, tree)
	emitted := len(tree.Spans) > 0
	if emitted {
		t.noteEmitted(&a.composer)
		t.emission.frontier = max(t.emission.frontier, t.records[len(t.records)-1].At)
		t.unsettled = t.unsettled || a.composer.gaveUp
		a.stats.Parts++
		for of, spans := range a.composer.unsettled {
			a.stats.Unsettled[of] += spans
		}
		a.sink(tree)
	}
	return a.forgetParts(t, n, going, sorted, before) || emitted
}

// forgetParts moves the checkpoint of the task after what has been emitted, but not into the last reorder window, whose events may
// still show a gap and join what is there. When no event has arrived for the settle timeout, nothing is kept back.
func (a *Assembler) forgetParts(t *task, n *run, going *settling, sorted []event.Record, before *releasedTask) (moved bool) {
	latest := t.records[len(t.records)-1].At
	if silentAt := t.lastArrival + int64(t.limits.SettleTimeout); !going.forced && going.now < silentAt {
		latest -= int64(t.limits.ReorderWindow)
		going.next = min(going.next, silentAt)
		if !a.eager && recordsUntil(n.records, latest) < max(leastForgotten, len(sorted)/leastForgottenShare) {
			return false
		}
	}
	place := a.composer.checkpointAt(latest)
	if place < 0 {
		return false
	}
	from := n.to - len(n.records)
	a.stats.Strays += int64(from)
	a.forgetUpTo(t, sorted[from:], place, before)
	return true
}

const (
	// leastForgotten and leastForgottenShare are how many records, and which part of those held, are forgotten at once while events
	// arrive: making a checkpoint reads the records that it replaces.
	leastForgotten      = 32
	leastForgottenShare = 8
)

// forgetUpTo moves the task's checkpoint after one of its sorted records, which belong to one run.
func (a *Assembler) forgetUpTo(t *task, sorted []event.Record, place int, before *releasedTask) {
	t.records = sorted[:place+1]
	going := &settling{undecided: math.MaxInt64, ending: math.MaxInt64, now: math.MaxInt64, coarse: t.coarse}
	n := a.reader.firstRun(&t.historyTask, t.limits.patience(), going)
	a.composer.forget(&t.treeTask, n, before, going, &a.reader, t.records[place].At)
	t.doneAt = t.checkpoint.at
	a.stats.SpanEventsCut += int64(a.composer.tree.SpanEventsCut)
	a.stats.Late += a.composer.late
	t.records = sorted
	a.keepRecords(t, sorted[place+1:])
	t.emission.forgetUpTo(t.checkpoint)
}

// emitOrphaned emits the missing parents of the emitted spans of a task that is released without a run.
func (a *Assembler) emitOrphaned(t *task, reason Reason) {
	before := t.released
	if before == nil {
		before = new(releasedTask)
	}
	tree := a.composer.orphaned(&t.treeTask, before, reason)
	a.stats.Incomplete++
	a.stats.Released[reason]++
	a.sink(tree)
}

// isOut reports whether an event is of an attempt that has been emitted: it is late, because nothing already emitted is changed. A
// query or a backoff makes a span of its own.
func (t *task) isOut(e *event.Event, now int64) bool {
	if e.At > t.out().frontier || e.StepID.Text == "" {
		return false
	}
	if k := e.Kind(); k == event.Query || k == event.Backoff {
		return false
	}
	step := t.Events.FindStep(e.StepID.Text)
	return step != event.NoStep && t.out().spans.HadAttempt(step, e.At, now)
}
