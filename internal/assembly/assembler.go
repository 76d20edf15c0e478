// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/deadlines"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/values"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/sqltext"
)

// Stats counts what became of the events and the tasks. All fields but the three of what is held or open only grow.
type Stats struct {
	Events        int64 // observed
	Late          int64 // dropped: older than the end of the tree that was released
	OverLimit     int64 // dropped: more than EventsPerTask
	Strays        int64 // dropped: after the end, without consequence
	Schema        int64 // dropped: queries that ask the database about itself
	SpansCut      int64
	SpanEventsCut int64                          // events on spans
	Released      [tree.ReasonShutdown + 1]int64 // trees by reason
	Parts         int64                          // of trees, before the task's own span
	Unsettled     [history.Gaps]int64            // spans in them of which something was missing for the settle timeout, by what was
	LateSpans     int64                          // emitted after their tree
	Incomplete    int64                          // trees of tasks without an end
	OpenTasks     int64
	HeldEvents    int64
	HeldBytes     int64 // of open tasks and of finished ones that are kept
	Read          int64 // records read; a record counts each time its task is checked
}

// Assembler holds the open tasks of one shard. It is not safe for concurrent use: its owner serializes the calls. The sink is
// called during a call of the assembler; a tree and everything in it is valid until the sink returns.
type Assembler struct {
	limits     Limits
	sink       func(*tree.Tree)
	onRelease  func(Release)      // nil when nobody stores releases
	onLate     func(*event.Event) // nil when nobody shows late events
	serial     int64              // of the latest release
	stored     []byte             // buffer for the encoded state of a release
	texts      *values.Texts      // of sleeping tasks
	tasks      map[event.TraceID]*task
	line       deadlines.Line[*task]  // of open tasks
	wheel      deadlines.Wheel[*task] // of open tasks
	due        []*task
	usual      Waits
	waits      map[string]*Waits // by task name, where they differ per task
	remembered map[event.TraceID]*history.Released
	order      []event.TraceID // of remembered, oldest first; a ring once it is full
	next       int             // the ring's oldest
	finished   finished
	watched    *watched // nil unless Watch was called
	shared     *event.Shared
	restoring  bool // events are replayed at the start
	eager      bool // for tests: forget everything that may be forgotten
	reader     history.Reader
	composer   tree.Composer
	stats      Stats
}

// New makes an assembler that hands its trees to the sink.
func New(limits Limits, sink func(*tree.Tree)) *Assembler {
	return &Assembler{
		limits: limits, sink: sink, tasks: map[event.TraceID]*task{}, remembered: map[event.TraceID]*history.Released{},
		usual: Waits{limits.ReorderWindow, limits.SettleTimeout, limits.IdleTimeout}, waits: map[string]*Waits{},
		finished: finished{tasks: map[event.TraceID]*task{}},
		texts:    values.NewTexts(), shared: event.NewShared(), reader: history.NewReader(limits.ofTree()),
	}
}

// Stats returns the counts so far.
func (a *Assembler) Stats() Stats {
	s := a.stats
	s.OpenTasks = int64(len(a.tasks))
	return s
}

// Observe takes in one event. It keeps no reference to the event or its strings.
func (a *Assembler) Observe(e *event.Event, now time.Time) {
	a.stats.Events++
	if e.Name == lifecycle.DatabaseQueryExecuted && sqltext.AboutSchema(e.QueryName, e.SQL) {
		a.stats.Schema++
		return
	}
	t := a.tasks[e.TraceID]
	if t != nil {
		a.wake(t)
	}
	if t == nil {
		before := a.remembered[e.TraceID]
		if before != nil && before.IsLate(e) {
			a.observeLate(e, now.UnixNano())
			return
		}
		t = a.open(e, before, now.UnixNano())
	} else if t.Released != nil && t.Released.IsLate(e) {
		a.observeLate(e, now.UnixNano())
		return
	} else if t.Forgot(e.At) || t.IsOut(e, now.UnixNano()) {
		a.noteLate(e)
		return
	}
	t.lastArrival = max(t.lastArrival, now.UnixNano())
	a.line.Rejoin(t)
	if !a.roomFor(t, e) {
		t.Dropped++
		a.stats.OverLimit++
		a.waitFor(t, t.wait())
		return
	}
	if e.At < t.Events.ResourceAt && !t.Events.Fixed {
		t.Events.Resource, t.Events.ResourceAt = e.Resource, e.At
	}
	held, records := t.Events.Held, t.Events.Count()
	a.add(t, e, now.UnixNano())
	a.stats.HeldEvents += int64(t.Events.Count() - records)
	a.stats.HeldBytes += t.Events.Held - held
	if a.limits.Parts {
		t.Disturbed = t.Disturbed || !a.restoring && e.At <= t.Frontier()
		if e.Kind().Settles() && (!a.restoring || now.UnixNano() > t.looked) {
			t.checkLater(now.UnixNano())
		}
	}
	a.waitFor(t, t.wait())
	a.fit(now.UnixNano())
}

// fit reduces what is held to its limit: finished tasks are dropped first.
func (a *Assembler) fit(now int64) {
	for a.limits.HeldBytes > 0 && a.stats.HeldBytes > a.limits.HeldBytes {
		if oldest := a.finished.line.First(); oldest != nil {
			a.drop(oldest)
		} else if len(a.tasks) > 0 {
			a.release(a.line.First(), tree.ReasonEvictedBytes, now)
		} else {
			return
		}
	}
}

// pressedShare is the share of a full task's events after which repetitions are looked for again.
const pressedShare = 8

// roomFor reports whether the task may hold one more event. An event that ends a task or a pass is always accepted, or the task
// would never end.
func (a *Assembler) roomFor(t *task, e *event.Event) bool {
	if t.Events.Count() < a.limits.EventsPerTask {
		return true
	}
	// Removing repetitions reads all events, so it is done once per share of new ones.
	if t.pressed--; t.pressed < 0 {
		t.pressed = int32(a.limits.EventsPerTask / pressedShare)
		before := t.Events.Count()
		a.load(t)
		t.Events.Replace(t.Records)
		a.stats.HeldEvents -= int64(before - t.Events.Count())
		if a.limits.Parts && t.Events.Count() >= a.limits.EventsPerTask {
			a.makeRoom(t, t.lastArrival)
		}
		if t.Events.Count() < a.limits.EventsPerTask {
			return true
		}
	}
	k := e.Kind()
	return (k.EndsTask() || k == event.PassEnded) && t.Events.Count() < 2*a.limits.EventsPerTask
}

// load unpacks and sorts the task's records. They are valid until the next task is loaded.
func (a *Assembler) load(t *task) {
	a.stats.Read += int64(t.Events.Count())
	a.reader.Load(&t.Source)
}

// history reads the runs of a task. They are valid until the next task is loaded.
func (a *Assembler) history(t *task) []*history.Run {
	a.stats.Read += int64(t.Events.Count())
	return a.reader.ReadAll(&t.Source, t.limits.patience())
}

// open begins a task, or continues one that was released before.
func (a *Assembler) open(e *event.Event, before *history.Released, now int64) *task {
	if len(a.tasks) >= a.limits.OpenTasks && len(a.tasks) > 0 {
		a.release(a.line.First(), tree.ReasonEvicted, now)
	}
	t := newTask(event.Set{
		Trace: e.TraceID, Resource: e.Resource, ResourceAt: e.At, ID: event.ID{Text: strings.Clone(e.TaskID.Text), Integer: e.TaskID.Integer},
		Held: bytesPerTask + int64(len(e.TaskID.Text)),
	})
	t.lastArrival, t.waits, t.limits, t.releasedEnd = now, waitEnd, &a.usual, math.MinInt64
	if before != nil {
		kept := *before
		t.Released = &kept
		t.Events.Steps = slices.Clone(before.Steps)
		t.releasedEnd, t.releasedSerial = before.End, before.Serial
		t.Events.Name, t.Events.Parent, t.Events.ParentAt = before.Name, before.Parent, math.MinInt64
		t.limits = a.waitsOf(t.Events.Name)
		t.Events.Held += bytesPerReleased + int64(len(t.Events.Steps))*event.BytesPerStep
	}
	if a.watched != nil {
		a.watched.join(t)
	}
	a.tasks[e.TraceID] = t
	a.stats.HeldBytes += t.Events.Held
	a.line.Join(t)
	a.waitFor(t, t.waits)
	return t
}

// wait returns what the task waits for when one of its events has arrived.
func (t *task) wait() waiting {
	switch {
	case t.ended:
		return waitQuiet
	case t.Released != nil && !t.active:
		return waitActivity
	}
	return waitEnd
}

// Advance checks the tasks that are due. Its cost grows with their number, not with that of the open tasks.
//
// A task is checked with the time of the tick at which it was due, however late the call is. So the result depends only on the
// events and their arrival times, if Advance is called with the time of an event's arrival before it is observed: the same events
// with the same arrivals, replayed after a start, are emitted in the same way.
func (a *Assembler) Advance(now time.Time) {
	a.dropFinished(now.Add(-a.limits.SettleTimeout).UnixNano())
	a.due = a.wheel.Turn(now.UnixNano(), a.due[:0])
	for i, t := range a.due {
		a.due[i] = nil
		last := now.UnixNano() / deadlines.TickLength
		for tick := deadlines.Tick(t.deadline.Due()); tick <= last && a.tasks[t.Events.Trace] == t; tick = max(deadlines.Tick(t.deadline.Due()), tick+1) {
			a.check(t, tick*deadlines.TickLength)
		}
	}
}

// waitFor sets what the task waits for.
func (a *Assembler) waitFor(t *task, what waiting) {
	t.waits = what
	due := t.lastArrival + int64(t.limits.of(what))
	if t.lookAt != 0 {
		due = min(due, t.lookAt)
	}
	a.wheel.Schedule(t, due)
}

// check checks a task that is due: it is released, parts of it are emitted, or it keeps waiting.
func (a *Assembler) check(t *task, now int64) {
	if now <= t.looked && a.restoring {
		a.wheel.Schedule(t, t.looked+1) // recalled in the state it had then; its events are still to be replayed
		return
	}
	a.wake(t)
	switch quiet := now - t.lastArrival; {
	case t.ended && quiet >= int64(t.limits.ReorderWindow):
		a.lookEnded(t, now)
	case quiet >= int64(t.limits.of(t.waits)):
		a.release(t, tree.ReasonIdle, now)
	default:
		a.load(t)
		all := a.lookParts(t, now)
		if quiet >= int64(t.limits.SettleTimeout) && !t.ended {
			a.sleep(t)
		}
		a.waitFor(t, t.waits)
		if all && t.ended && t.waits == waitQuiet {
			a.decide(t, now) // the events since were repetitions
		}
	}
}

// lookEnded checks a task that has ended and been quiet: it is released, or keeps waiting, and then its settled spans are emitted.
func (a *Assembler) lookEnded(t *task, now int64) {
	a.decide(t, now)
	if a.limits.Parts && a.tasks[t.Events.Trace] == t {
		a.load(t)
		a.lookParts(t, now)
		a.waitFor(t, t.waits)
	}
}

// decide releases an ended task of which nothing is missing, or keeps it waiting.
func (a *Assembler) decide(t *task, now int64) {
	runs := a.history(t)
	if len(runs) > 0 && t.GoesOnAfter(runs[len(runs)-1]) {
		a.lookResumed(t, runs, now)
	} else if reason, ripe := a.ripe(t, runs, now); ripe {
		a.releaseRuns(t, runs, reason, now)
	} else {
		a.waitFor(t, waitMissing)
	}
}

// lookResumed checks a task that resumed after its end: the runs that are over are released, and the rest keeps waiting. A failed
// step that is reset at once must not hide the failure until the task has ended again.
func (a *Assembler) lookResumed(t *task, runs []*history.Run, now int64) {
	if last := runs[len(runs)-1]; !last.Ended || !t.QueuedAgain(last) {
		runs = runs[:len(runs)-1]
	}
	if len(runs) > 0 && !t.Coarse { // with a resolution of seconds, the order around the end is unknown
		reason, ripe := a.ripe(t, runs, now)
		if !ripe {
			a.waitFor(t, waitMissing)
			return
		}
		a.releaseBefore(t, runs, reason)
	}
	t.ended = false
	a.waitFor(t, waitResumed)
}

// ripe reports whether runs that have ended can be released, and why: nothing of them is missing, or the settle timeout for it has
// passed.
func (a *Assembler) ripe(t *task, runs []*history.Run, now int64) (tree.Reason, bool) {
	if history.CountGaps(runs) == 0 && t.Dropped == 0 {
		if t.unsettled {
			return tree.ReasonSettled, true
		}
		return tree.ReasonEnded, true
	}
	return tree.ReasonSettled, now >= t.lastArrival+int64(t.limits.SettleTimeout)
}
