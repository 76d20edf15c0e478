// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"math"
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
)

// releaseBefore releases the first runs of a task, which stays open for what came after them.
func (a *Assembler) releaseBefore(t *task, runs []*history.Run, reason tree.Reason) {
	if t.Released == nil {
		t.Events.Held += bytesPerReleased
		a.stats.HeldBytes += bytesPerReleased
	}
	used := a.emit(t, runs, reason, false)
	t.unsettled = false
	t.ForgetReleased()
	a.reportRelease(t, t.HasSpans())
	before := t.Events.Count()
	first := slices.IndexFunc(t.Records, func(r event.Record) bool { return r.At > t.Released.End })
	if first < 0 {
		first = len(t.Records)
	}
	a.stats.Strays += int64(max(0, first-used))
	t.Events.Replace(t.Records[first:])
	a.stats.HeldEvents += int64(t.Events.Count() - before)
	t.active, t.Dropped, t.Events.ParentAt = true, 0, math.MinInt64
}

// Flush releases every open task, those that have not ended as incomplete.
func (a *Assembler) Flush() {
	for t := a.line.First(); t != nil; t = a.line.First() {
		a.release(t, tree.ReasonShutdown, 0)
	}
	a.dropFinished(math.MaxInt64)
}

func (a *Assembler) release(t *task, reason tree.Reason, now int64) {
	a.wake(t)
	a.releaseRuns(t, a.history(t), reason, now)
}

func (a *Assembler) releaseRuns(t *task, runs []*history.Run, reason tree.Reason, now int64) {
	held := len(t.Records)
	prior := t.Released.Clone()
	a.stats.Strays += int64(held - a.emit(t, runs, reason, true))
	if len(runs) == 0 && t.HasOrphans() {
		a.emitOrphaned(t, reason)
	}
	a.stats.HeldEvents -= int64(t.Events.Count())
	if len(runs) > 0 {
		a.reportRelease(t, false)
	}
	a.forget(t)
	a.remember(t)
	if reason == tree.ReasonEnded || reason == tree.ReasonSettled {
		a.keep(t, prior, now)
	}
}

// emit sends the trees of runs to the sink, and returns how many records they have. leaving is true if the task is released with
// the last run.
func (a *Assembler) emit(t *task, runs []*history.Run, reason tree.Reason, leaving bool) (used int) {
	if t.Released == nil && len(runs) > 0 {
		t.Released = new(history.Released)
	}
	for i, n := range runs {
		if !n.Ended {
			a.stats.Incomplete++
		}
		t.Leaving = leaving && i == len(runs)-1
		tree := a.composer.Compose(&t.Task, n, t.Released, reason, nil)
		a.composer.EndRun(leaving)
		a.stats.Released[reason]++
		a.count(t, tree)
		a.stats.Late += a.composer.Late
		t.Cut = false
		used += len(n.Records)
		a.sink(tree)
	}
	return used
}

// count counts what limits left out of a tree.
func (a *Assembler) count(t *task, tree *tree.Tree) {
	t.Cut = t.Cut || tree.Cut+tree.SpanEventsCut > 0
	a.stats.SpansCut += int64(tree.Cut)
	a.stats.SpanEventsCut += int64(tree.SpanEventsCut + tree.EventsDropped)
}

func (a *Assembler) forget(t *task) {
	delete(a.tasks, t.Events.Trace)
	a.line.Leave(t)
	a.wheel.Remove(t)
	a.stats.HeldBytes -= t.Events.Held
	a.watched.leave(t)
	t.Records = nil
}

// remember keeps what later runs need of a released task, replacing the oldest one when the ring is full.
func (a *Assembler) remember(t *task) {
	if t.Released == nil {
		return
	}
	kept := *t.Released
	kept.Name, kept.Serial = t.Events.Name, t.releasedSerial
	kept.Steps = slices.Clip(t.Events.Steps)
	a.rememberReleased(t.Events.Trace, &kept)
}

func (a *Assembler) rememberReleased(trace event.TraceID, kept *history.Released) {
	if a.limits.Remembered <= 0 {
		return
	}
	if _, known := a.remembered[trace]; !known {
		if len(a.order) < a.limits.Remembered {
			a.order = append(a.order, trace)
		} else {
			delete(a.remembered, a.order[a.next])
			a.order[a.next] = trace
			a.next = (a.next + 1) % len(a.order)
		}
	}
	a.remembered[trace] = kept
}
