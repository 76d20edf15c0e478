// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"math"
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/critical"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/emitted"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// summary is what the spans of an open run need of the records that a checkpoint replaces.
type summary struct {
	totals  totals
	own     string           // correlation id of the task's span
	queued  int64            // the earliest time for the id of the next wait
	failure *event.Failure   // of the attempt that failed last
	notes   spanEvents       // of the task's span
	inPass  spanEvents       // of the pass's span
	nodes   []*critical.Node // of the checkpoint's attempts
	latest  *critical.Node   // of the attempt that ended last
}

// totals are what the task's span counts.
type totals struct {
	attempts, retries int
	queue, backoff    int64
}

// spanEvents are the events on a span that has not been emitted.
type spanEvents struct {
	list    []SpanEvent
	dropped uint32
}

// checkpointAt finds the last record of the run after which a checkpoint can be set, not later than a time: -1 when there is none.
// Everything up to it must have been emitted, and no later record may have the same time.
func (c *composer) checkpointAt(latest int64) int {
	found := c.passesOutUntil(min(latest, c.going.ending-1))
	if found < 0 {
		return -1
	}
	if held := c.firstHeld(c.run.records[:found+1]); held <= c.run.records[found].At {
		return c.passesOutUntil(held - 1)
	}
	return found
}

// passesOutUntil is checkpointAt without regard to queries and backoffs.
func (c *composer) passesOutUntil(latest int64) int {
	n := c.run
	found := -1
	consider := func(position int) {
		if position < len(n.records) && n.records[position-1].At == n.records[position].At {
			return
		}
		if n.records[position-1].At <= latest {
			found = position - 1
		}
	}
	for i, p := range n.passes {
		if w, ok := n.waitBefore(i); ok && !c.isOut(c.spanID(lifecycle.SpanQueued, "", w.start)) {
			return found
		}
		search := 0
		for _, b := range p.batches {
			for ; search < len(p.searches) && p.searches[search].end <= b.start; search++ {
				if !c.isOut(p.searches[search].span) {
					return found
				}
			}
			if !c.isOut(b.span) || slices.ContainsFunc(b.attempts, func(a *attempt) bool { return !c.isOut(a.span) }) {
				return found
			}
			if b.announced && b.endedAt-n.skipped() > 0 && b.end <= n.records[b.endedAt-n.skipped()-1].At {
				consider(b.endedAt - n.skipped())
			}
		}
		if !p.out && !c.isOut(p.span) {
			return found
		}
		if p.ends == finalizationAnnouncements && p.endedAt-n.skipped() > 0 && p.end <= n.records[p.endedAt-n.skipped()-1].At {
			consider(p.endedAt - n.skipped())
		}
	}
	return found
}

func (c *composer) isOut(id event.SpanID) bool {
	if _, here := c.index[id]; here {
		return true
	}
	return c.task.out().spans.Has(id)
}

// firstHeld returns the time of the first query or backoff in the first records that has not been emitted; MaxInt64 when there is
// none.
func (c *composer) firstHeld(records []event.Record) int64 {
	first := int64(math.MaxInt64)
	for i := range records {
		if r := &records[i]; r.Kind == event.Query && !c.isOut(c.spanID(lifecycle.SpanQuery, queryKey(r), r.At)) {
			first = r.At
			break
		}
	}
	for a := range c.run.all() {
		if a.backoff != nil && a.after != nil && !a.backoffOut && !c.isOut(c.spanID(lifecycle.SpanBackoff, c.task.Events.Steps[a.step].ID.Text, a.backoff.At)) {
			first = min(first, a.backoff.At)
		}
	}
	return first
}

// forget replaces the first records of a run, which the reader has read up to a time, with a checkpoint and a summary.
func (c *composer) forget(t *treeTask, n *run, before *releasedTask, going *settling, rd *reader, at int64) {
	c.begin(t, n, before, ReasonEnded, going)
	c.identify()
	cp := rd.checkpoint(at)
	last := n.passes[len(n.passes)-1]
	sum := &summary{totals: c.totals(), own: c.taskCorrelation()}
	for i := range n.passes {
		if w, ok := n.waitBefore(i); ok {
			unused(&c.begins.queued, w.start)
		}
	}
	sum.queued = c.begins.queued
	cp.pass.out = last.out || c.task.out().spans.Has(last.span)
	if f := c.lastFailure(event.Failure{}); f != (event.Failure{}) {
		sum.failure = &f
	}
	sum.notes, sum.inPass = c.openSpanEvents(last)
	nodes, latest := c.criticalRun().Nodes()
	if sum.latest = latest; latest == nil && c.forgotten != nil {
		sum.latest = c.forgotten.latest
	}
	sum.nodes = c.lastNodes(cp, nodes)
	for i := range cp.steps {
		s := &cp.steps[i]
		if b := s.backoff; b != nil {
			b.out = b.out || c.task.out().spans.Has(c.spanID(lifecycle.SpanBackoff, c.task.Events.Steps[s.step].ID.Text, b.At))
		}
	}
	c.task.checkpoint, c.task.beginEmission().forgotten = cp, sum
	c.task.cut = c.task.cut || c.tree.SpanEventsCut > 0
}

// forgetUpTo forgets the spans that are not needed after a checkpoint.
func (e *emission) forgetUpTo(cp *checkpoint) {
	e.spans.Forget(cp.at)
	e.ids = knownIDs{}
	if cp.pass.out {
		e.spans.Add(emitted.Span{ID: cp.pass.span, Start: cp.pass.start, End: cp.pass.end, Step: event.NoStep})
	}
}

// lastNodes returns the node of each last attempt of a checkpoint: of those in the run, whose attempts have the given nodes, or of
// those before.
func (c *composer) lastNodes(cp *checkpoint, nodes []*critical.Node) []*critical.Node {
	last := make([]*critical.Node, len(c.task.Events.Steps))
	if c.forgotten != nil {
		for i := range c.run.before.steps {
			last[c.run.before.steps[i].step] = c.forgotten.nodes[i]
		}
	}
	for i, a := range c.run.attempts {
		last[a.step] = nodes[i]
	}
	kept := make([]*critical.Node, len(cp.steps))
	for i := range cp.steps {
		kept[i] = last[cp.steps[i].step]
	}
	return kept
}

// openSpanEvents returns the events of the run on the task's span and on that of the current pass, which have not been emitted.
func (c *composer) openSpanEvents(last *pass) (task, inPass spanEvents) {
	before := c.forgotten
	c.tree.Spans = append(c.tree.Spans[:0], Span{ID: c.root})
	c.index[c.root] = 0
	if before != nil {
		c.goOn(&c.tree.Spans[0], &before.notes)
	}
	if !last.out && !c.task.out().spans.Has(last.span) {
		c.index[last.span] = 1
		c.tree.Spans = append(c.tree.Spans, Span{ID: last.span})
		if before != nil && last == c.run.passes[0] {
			c.goOn(&c.tree.Spans[1], &before.inPass)
		}
	}
	c.noting = true
	c.attach()
	take := func(place int) spanEvents {
		s := &c.tree.Spans[place]
		return spanEvents{s.Events, s.EventsDropped}
	}
	task = take(0)
	if len(c.tree.Spans) > 1 {
		inPass = take(1)
	}
	return task, inPass
}

// goOn begins the events of a span with those kept in the checkpoint.
func (c *composer) goOn(s *Span, known *spanEvents) {
	s.Events = append(s.Events, known.list...)
	s.EventsDropped = known.dropped
	c.tree.EventsDropped += int(known.dropped)
}

// totals returns those of the run so far.
func (c *composer) totals() totals {
	t := totals{queue: c.queueTime(), backoff: c.backoffTime()}
	if before := c.forgotten; before != nil {
		t.attempts, t.retries = before.totals.attempts, before.totals.retries
	}
	t.attempts += len(c.run.attempts)
	for _, a := range c.run.attempts {
		if a.number > 1 {
			t.retries++
		}
	}
	return t
}

// distinctSteps returns how many steps were attempted in the run.
func (c *composer) distinctSteps() int {
	steps, distinct := make([]bool, len(c.task.Events.Steps)), 0
	for a := range c.run.all() {
		if !steps[a.step] {
			steps[a.step] = true
			distinct++
		}
	}
	return distinct
}
