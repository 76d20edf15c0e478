// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"math"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
	"github.com/tasker-otel/otelcol-tasker/internal/journal/fields"
)

// An assembler's state survives its process outside of it: its owner stores the events before they are observed, and the releases
// from OnRelease; at the next start it replays both, the releases by Recall and then the events by Observe. So the stored form is
// that of events, which hardly ever changes, and not that of open tasks, which often does.

// Release is the state of a task to be stored after spans of it have been emitted.
type Release struct {
	Trace event.TraceID
	// End is the time up to which the task's events are no longer needed.
	End int64
	// Serial orders the releases of a task: a later one has a higher number and replaces the earlier ones.
	Serial int64
	// BeforeEnd and BeforeSerial are those of the task's release before; math.MinInt64 and 0 when there was none.
	BeforeEnd, BeforeSerial int64
	// State is the encoded task. It is valid until the function of OnRelease returns.
	State []byte
}

// OnRelease sets the function that stores releases. It is called after the last tree of a task, and after each part of one that is
// still open.
func (a *Assembler) OnRelease(store func(Release)) { a.onRelease = store }

// reportRelease reports a task that has been released, or of which something has been emitted while it is open.
func (a *Assembler) reportRelease(t *task, goesOn bool) {
	if a.onRelease == nil {
		return
	}
	kept := history.Released{}
	if t.Released != nil {
		kept = *t.Released
	}
	kept.Name, kept.Steps = t.Events.Name, t.Events.Steps
	a.stored = appendReleased(a.stored[:0], &kept)
	if goesOn {
		a.stored = fields.Message(a.stored, releasedOpen, t.appendOpen(nil))
	}
	a.serial++
	end := kept.End
	if goesOn {
		end = t.doneUntil()
	}
	a.onRelease(Release{
		Trace: t.Events.Trace, End: end, Serial: a.serial, BeforeEnd: t.releasedEnd, BeforeSerial: t.releasedSerial, State: a.stored,
	})
	t.releasedEnd, t.releasedSerial = end, a.serial
}

// doneUntil returns the time up to which the task's events are no longer needed.
func (t *task) doneUntil() int64 {
	switch {
	case t.Checkpoint != nil || t.asleep != "":
		return t.doneAt
	case t.Released != nil:
		return t.Released.End
	}
	return math.MinInt64
}

// Recall restores a task of which spans were emitted before the start, and continues it if it had not ended. It is called once per
// task, with its latest release, before the first Observe. Then the events that are stored are replayed by Observe, each after
// Advance with the time of its arrival, as when they first arrived: so spans that are emitted again, because their release was not
// yet stored, are the same, also where events were later than the reorder window.
func (a *Assembler) Recall(release Release) error {
	n, open, err := a.parseReleased(release.State)
	if err != nil {
		return err
	}
	a.restoring = true
	a.serial = max(a.serial, release.Serial)
	n.Serial = release.Serial
	if open == nil {
		a.rememberReleased(release.Trace, n)
		return nil
	}
	t := newTask(event.Set{Trace: release.Trace, Name: n.Name, Steps: n.Steps, Fixed: true, ParentAt: math.MinInt64, ResourceAt: math.MinInt64})
	t.waits, t.limits, t.releasedEnd, t.releasedSerial = waitEnd, a.waitsOf(n.Name), release.End, release.Serial
	if n.Runs > 0 {
		t.Released = n
	}
	if err := a.parseOpen(open, t); err != nil {
		return err
	}
	t.Disturbed = t.Disturbed || t.HasSpans() // late events are replayed, too
	t.Events.Held = t.size()
	a.stats.HeldBytes += t.Events.Held
	a.tasks[t.Events.Trace] = t
	a.line.Join(t)
	if a.watched != nil {
		a.watched.join(t)
	}
	a.waitFor(t, t.wait())
	return nil
}

// Resume ends the replay after a start: replayed events are not counted again, spans emitted again are.
func (a *Assembler) Resume() {
	a.restoring = false
	s := &a.stats
	s.Events, s.Late, s.OverLimit, s.Strays, s.Schema, s.Read = 0, 0, 0, 0, 0, 0
}

// Holds reports whether an event of that time may be part of an open task and must stay stored.
func (a *Assembler) Holds(trace event.TraceID, at int64) bool {
	t := a.tasks[trace]
	return t != nil && at > t.doneUntil()
}

// Remembers reports whether the release of a task with that serial number is its latest, and still known.
func (a *Assembler) Remembers(trace event.TraceID, serial int64) bool {
	if t := a.tasks[trace]; t != nil {
		return t.releasedSerial == serial && (serial != 0 || t.releasedEnd != math.MinInt64) // those of version 1 have none
	}
	n := a.remembered[trace]
	return n != nil && n.Serial == serial
}
