// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"math"
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree/emitted"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// emission is what has been emitted of a run that is still open, and what later spans need of it. It belongs to its task.
type emission struct {
	spans   emitted.Spans
	parents []openParent
	// forgotten summarizes the records that the task's checkpoint replaces; nil while none is forgotten.
	forgotten *summary
	root      event.SpanID   // id of the task's span, as emitted spans refer to it
	rootNext  int64          // the earliest time for the next such id
	roots     []event.SpanID // of the released runs of a finished task
	extent    extent
	frontier  int64 // time up to which spans were emitted
	ids       knownIDs
}

// noEmission is the emission of a task of which nothing has been emitted. It is never changed.
var noEmission emission

// out returns the task's emission for reading.
func (t *Task) out() *emission {
	if t.emission == nil {
		return &noEmission
	}
	return t.emission
}

// beginEmission returns the task's emission for writing.
func (t *Task) beginEmission() *emission {
	if t.emission == nil {
		t.emission = new(emission)
	}
	return t.emission
}

// openParent is a batch or pass that is the parent of emitted spans and has not been emitted itself. If late events hide it from
// the reader, a stand-in is emitted at the release, so that every span has its parent.
type openParent struct {
	id, parent event.SpanID
	name       string
	start, end int64
}

// names records that a span is emitted before its parent.
func (c *Composer) names(name string, id, parent event.SpanID, start, end int64) {
	if c.going == nil || c.task.out().spans.Has(id) {
		return
	}
	if _, here := c.index[id]; here {
		return
	}
	out := c.task.beginEmission()
	for i := range out.parents {
		if p := &out.parents[i]; p.id == id {
			p.start, p.end = min(p.start, start), max(p.end, end)
			return
		}
	}
	out.parents = append(out.parents, openParent{id, parent, name, start, end})
}

// holding extends the times of a batch or pass over its children that have been emitted.
func (c *Composer) holding(id event.SpanID, start, end int64) (int64, int64) {
	out := c.task.out()
	for i := range out.parents {
		if p := &out.parents[i]; p.id == id {
			start, end = min(p.start, start), max(p.end, end)
			out.parents = slices.Delete(out.parents, i, i+1)
			return start, end
		}
	}
	return start, end
}

// standIns adds stand-ins for parents of emitted spans, up to a time, that the reader does not find.
func (c *Composer) standIns(until int64) {
	out := c.task.out()
	if len(out.parents) == 0 {
		return
	}
	for _, name := range [...]string{lifecycle.SpanOrchestration, lifecycle.SpanBatch} {
		for _, p := range out.parents {
			if p.name != name || p.start > until {
				continue
			}
			if name == lifecycle.SpanOrchestration {
				p.parent = c.root
			}
			s := c.add(name, p.id, p.parent, p.start, p.end)
			s.mark(lifecycle.AttrSynthesized, true)
		}
	}
	out.parents = slices.DeleteFunc(out.parents, func(p openParent) bool { return p.start <= until })
}

// ComposeOrphaned makes the tree of stand-ins for a released task with emitted spans that no longer belong to any run: late events can
// cause that.
func (c *Composer) ComposeOrphaned(t *Task, before *history.Released, reason Reason) *Tree {
	out := t.out()
	c.begin(t, &history.Run{Start: out.extent.start, End: out.extent.end}, before, reason, nil)
	c.outside()
	c.tree.Part = out.root == event.SpanID{}
	if !c.tree.Part {
		s := c.add(lifecycle.SpanTask, c.root, event.SpanID{}, out.extent.start, out.extent.end)
		s.mark(lifecycle.AttrSynthesized, true)
		s.mark(lifecycle.AttrIncomplete, true)
	} else {
		c.root = before.Task
	}
	c.standIns(math.MaxInt64)
	return &c.tree
}

// extent is the times between which the emitted spans of a run lie.
type extent struct{ start, end int64 }

func (e *extent) hold(start, end int64) {
	if *e == (extent{}) {
		*e = extent{math.MaxInt64, math.MinInt64}
	}
	e.start, e.end = min(e.start, start), max(e.end, end)
}

// MarkEmitted records the spans of the part composed last as emitted, up to a time of the events.
func (c *Composer) MarkEmitted(until int64) {
	c.task.Events.Fixed = true
	out := c.task.beginEmission()
	for i := range c.tree.Spans {
		s := &c.tree.Spans[i]
		out.spans.Add(emitted.Span{ID: s.ID, Start: s.Start, End: s.End, At: c.going.Now, Step: c.steps[i]})
		if s.Parent == c.root {
			if out.root == (event.SpanID{}) {
				out.root, out.rootNext = c.root, max(c.run.Start, out.rootNext)+1
			}
			out.extent.hold(s.Start, s.End)
		}
	}
	out.frontier = max(out.frontier, until)
}

// EndRun prepares the task's emission for the run after the one composed last, which is released. finished is set if the task is
// released too: the ids of the tasks' spans are then kept, because late events can change the start of a run, from which its id was
// made.
func (c *Composer) EndRun(finished bool) {
	e := c.task.emission
	if e == nil {
		return
	}
	if finished {
		e.roots = append(e.roots, c.root)
	}
	e.root, e.extent = event.SpanID{}, extent{}
	e.rootNext = max(e.rootNext, c.run.Start) + 1
}

// standInsUntil returns the time up to which missing parents get a stand-in with the run: those of the run, or all when the task is
// released.
func (t *Task) standInsUntil(n *history.Run) int64 {
	if t.Leaving {
		return math.MaxInt64
	}
	return n.End
}

// rootOf returns the id of the run's task's span. It stays the id to which emitted spans refer.
func (t *Task) rootOf(ids *lifecycle.SpanIDs, n *history.Run, index int) event.SpanID {
	switch {
	case t.out().root != event.SpanID{}:
		return t.out().root
	case index == 1:
		return spanIDOf(ids, t.Events.Trace, lifecycle.SpanTask, "", 0)
	}
	return spanIDOf(ids, t.Events.Trace, lifecycle.SpanTask, "", max(n.Start, t.out().rootNext))
}
