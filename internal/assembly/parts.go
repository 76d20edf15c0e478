// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"math"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
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

// lookParts emits the settled spans of an open task, and reports whether everything of it has arrived. Its records are loaded.
func (a *Assembler) lookParts(t *task, now int64) (all bool) {
	length, next := t.Prefix(now, t.limits.ReorderWindow)
	return a.lookAtFirst(t, length, next, &history.Settling{Now: now})
}

// makeRoom reads a full task to its newest event without waiting for what is missing, so that what has been emitted can be
// forgotten.
func (a *Assembler) makeRoom(t *task, now int64) {
	a.load(t)
	a.lookAtFirst(t, len(t.Records), math.MaxInt64, &history.Settling{Now: now, Forced: true})
}

// lookAtFirst emits the settled spans of the first of the task's records. next is when more records may count.
func (a *Assembler) lookAtFirst(t *task, length int, next int64, going *history.Settling) (all bool) {
	now, sorted := going.Now, t.Records
	t.looked, t.lookAt = now, 0
	all = length == len(sorted)
	if t.Coarse {
		length = history.WholePasses(sorted[:length])
	}
	going.Decided, going.Timeout, going.Coarse, going.Next = all && t.ended, int64(t.limits.SettleTimeout), t.Coarse, math.MaxInt64
	changed := false
	if length > 0 {
		t.Records = sorted[:length]
		changed = a.emitParts(t, sorted, going)
		t.Records = sorted
	}
	for i := range sorted[length:] {
		if sorted[length+i].Kind.Settles() && next < math.MaxInt64 {
			going.Next = min(going.Next, max(next, now+t.spacing()))
			break
		}
	}
	if going.Next < math.MaxInt64 {
		t.lookAt = max(going.Next, now+1)
	}
	if changed {
		a.reportRelease(t, true)
	}
	return all
}

// emitParts emits the settled spans of the task's records, which are the sorted ones up to its frontier. It reports whether
// anything was emitted or forgotten.
func (a *Assembler) emitParts(t *task, sorted []event.Record, going *history.Settling) (changed bool) {
	runs := a.reader.Read(&t.Source, t.limits.patience(), going)
	if len(runs) == 0 {
		return false
	}
	n := runs[len(runs)-1]
	if len(runs) > 1 || t.Coarse && !n.Sound() {
		return false // a run that has ended is released as a whole, and what follows it waits for that
	}
	before := t.Released
	if before == nil {
		before = new(history.Released)
	}
	tree := a.composer.Compose(&t.Task, n, before, tree.ReasonEnded, going)
	a.count(t, tree)
	emitted := len(tree.Spans) > 0
	if emitted {
		a.composer.MarkEmitted(t.Records[len(t.Records)-1].At)
		t.unsettled = t.unsettled || a.composer.GaveUp
		a.stats.Parts++
		for of, spans := range a.composer.Unsettled {
			a.stats.Unsettled[of] += spans
		}
		a.sink(tree)
	}
	return a.forgetParts(t, n, going, sorted, before) || emitted
}

// forgetParts moves the checkpoint of the task after what has been emitted, but not into the last reorder window, whose events may
// still show a gap and join what is there. When no event has arrived for the settle timeout, nothing is kept back.
func (a *Assembler) forgetParts(t *task, n *history.Run, going *history.Settling, sorted []event.Record, before *history.Released) (moved bool) {
	latest := t.Records[len(t.Records)-1].At
	if silentAt := t.lastArrival + int64(t.limits.SettleTimeout); !going.Forced && going.Now < silentAt {
		latest -= int64(t.limits.ReorderWindow)
		going.Next = min(going.Next, silentAt)
		if !a.eager && history.RecordsUntil(n.Records, latest) < max(leastForgotten, len(sorted)/leastForgottenShare) {
			return false
		}
	}
	place := a.composer.CheckpointAt(latest)
	if place < 0 {
		return false
	}
	from := n.To - len(n.Records)
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
func (a *Assembler) forgetUpTo(t *task, sorted []event.Record, place int, before *history.Released) {
	t.Records = sorted[:place+1]
	going := &history.Settling{Undecided: math.MaxInt64, Ending: math.MaxInt64, Now: math.MaxInt64, Coarse: t.Coarse}
	n := a.reader.ReadPart(&t.Source, t.limits.patience(), going)
	cut := a.composer.Forget(&t.Task, n, before, going, &a.reader, t.Records[place].At)
	t.doneAt = t.Checkpoint.At
	a.stats.SpanEventsCut += int64(cut)
	a.stats.Late += a.composer.Late
	t.Records = sorted
	a.keepRecords(t, sorted[place+1:])
	t.ForgetSpans()
}

// emitOrphaned emits the missing parents of the emitted spans of a task that is released without a run.
func (a *Assembler) emitOrphaned(t *task, reason tree.Reason) {
	before := t.Released
	if before == nil {
		before = new(history.Released)
	}
	tree := a.composer.ComposeOrphaned(&t.Task, before, reason)
	a.stats.Incomplete++
	a.stats.Released[reason]++
	a.sink(tree)
}
