// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"math"
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree/critical"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree/emitted"
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

// CheckpointAt finds the last record of the run after which a checkpoint can be set, not later than a time: -1 when there is none.
// Everything up to it must have been emitted, and no later record may have the same time.
func (c *Composer) CheckpointAt(latest int64) int {
	found := c.passesOutUntil(min(latest, c.going.Ending-1))
	if found < 0 {
		return -1
	}
	if held := c.firstHeld(c.run.Records[:found+1]); held <= c.run.Records[found].At {
		return c.passesOutUntil(held - 1)
	}
	return found
}

// passesOutUntil is checkpointAt without regard to queries and backoffs.
func (c *Composer) passesOutUntil(latest int64) int {
	n := c.run
	found := -1
	consider := func(position int) {
		if position < len(n.Records) && n.Records[position-1].At == n.Records[position].At {
			return
		}
		if n.Records[position-1].At <= latest {
			found = position - 1
		}
	}
	for i, p := range n.Passes {
		if w, ok := n.WaitBefore(i); ok && !c.isOut(c.spanID(lifecycle.SpanQueued, "", w.Start)) {
			return found
		}
		search := 0
		for _, b := range p.Batches {
			for ; search < len(p.Searches) && p.Searches[search].End <= b.Start; search++ {
				if !c.isOut(p.Searches[search].Span) {
					return found
				}
			}
			if !c.isOut(b.Span) || slices.ContainsFunc(b.Attempts, func(a *history.Attempt) bool { return !c.isOut(a.Span) }) {
				return found
			}
			if b.Announced && b.EndedAt-n.Skipped() > 0 && b.End <= n.Records[b.EndedAt-n.Skipped()-1].At {
				consider(b.EndedAt - n.Skipped())
			}
		}
		if !p.Out && !c.isOut(p.Span) {
			return found
		}
		if p.Over() && p.EndedAt-n.Skipped() > 0 && p.End <= n.Records[p.EndedAt-n.Skipped()-1].At {
			consider(p.EndedAt - n.Skipped())
		}
	}
	return found
}

func (c *Composer) isOut(id event.SpanID) bool {
	if _, here := c.index[id]; here {
		return true
	}
	return c.task.out().spans.Has(id)
}

// firstHeld returns the time of the first query or backoff in the first records that has not been emitted; MaxInt64 when there is
// none.
func (c *Composer) firstHeld(records []event.Record) int64 {
	first := int64(math.MaxInt64)
	for i := range records {
		if r := &records[i]; r.Kind == event.Query && !c.isOut(c.spanID(lifecycle.SpanQuery, queryKey(r), r.At)) {
			first = r.At
			break
		}
	}
	for a := range c.run.AllAttempts() {
		if a.Backoff != nil && a.After != nil && !a.BackoffOut && !c.isOut(c.spanID(lifecycle.SpanBackoff, c.task.Events.Steps[a.Step].ID.Text, a.Backoff.At)) {
			first = min(first, a.Backoff.At)
		}
	}
	return first
}

// Forget replaces the first records of a run, which the reader has read up to a time, with a checkpoint and a summary. It returns how
// many of their span events were left out because of a limit.
func (c *Composer) Forget(t *Task, n *history.Run, before *history.Released, going *history.Settling, rd *history.Reader, at int64) (cut int) {
	c.begin(t, n, before, ReasonEnded, going)
	c.identify()
	cp := rd.Checkpoint(at)
	last := n.Passes[len(n.Passes)-1]
	sum := &summary{totals: c.totals(), own: c.taskCorrelation()}
	for i := range n.Passes {
		if w, ok := n.WaitBefore(i); ok {
			unused(&c.begins.queued, w.Start)
		}
	}
	sum.queued = c.begins.queued
	cp.Pass.Out = last.Out || c.task.out().spans.Has(last.Span)
	if f := c.lastFailure(event.Failure{}); f != (event.Failure{}) {
		sum.failure = &f
	}
	sum.notes, sum.inPass = c.openSpanEvents(last)
	nodes, latest := c.criticalRun().Nodes()
	if sum.latest = latest; latest == nil && c.forgotten != nil {
		sum.latest = c.forgotten.latest
	}
	sum.nodes = c.lastNodes(cp, nodes)
	for i := range cp.Steps {
		s := &cp.Steps[i]
		if b := s.Backoff; b != nil {
			b.Out = b.Out || c.task.out().spans.Has(c.spanID(lifecycle.SpanBackoff, c.task.Events.Steps[s.Step].ID.Text, b.At))
		}
	}
	c.task.Checkpoint, c.task.beginEmission().forgotten = cp, sum
	c.task.Cut = c.task.Cut || c.tree.SpanEventsCut > 0
	return c.tree.SpanEventsCut
}

// ForgetSpans forgets the emitted spans that are not needed after the task's checkpoint.
func (t *Task) ForgetSpans() {
	e, cp := t.emission, t.Checkpoint
	e.spans.Forget(cp.At)
	e.ids = knownIDs{}
	if cp.Pass.Out {
		e.spans.Add(emitted.Span{ID: cp.Pass.Span, Start: cp.Pass.Start, End: cp.Pass.End, Step: event.NoStep})
	}
}

// lastNodes returns the node of each last attempt of a checkpoint: of those in the run, whose attempts have the given nodes, or of
// those before.
func (c *Composer) lastNodes(cp *history.Checkpoint, nodes []*critical.Node) []*critical.Node {
	last := make([]*critical.Node, len(c.task.Events.Steps))
	if c.forgotten != nil {
		for i := range c.run.Before.Steps {
			last[c.run.Before.Steps[i].Step] = c.forgotten.nodes[i]
		}
	}
	for i, a := range c.run.Attempts {
		last[a.Step] = nodes[i]
	}
	kept := make([]*critical.Node, len(cp.Steps))
	for i := range cp.Steps {
		kept[i] = last[cp.Steps[i].Step]
	}
	return kept
}

// openSpanEvents returns the events of the run on the task's span and on that of the current pass, which have not been emitted.
func (c *Composer) openSpanEvents(last *history.Pass) (task, inPass spanEvents) {
	before := c.forgotten
	c.tree.Spans = append(c.tree.Spans[:0], Span{ID: c.root})
	c.index[c.root] = 0
	if before != nil {
		c.goOn(&c.tree.Spans[0], &before.notes)
	}
	if !last.Out && !c.task.out().spans.Has(last.Span) {
		c.index[last.Span] = 1
		c.tree.Spans = append(c.tree.Spans, Span{ID: last.Span})
		if before != nil && last == c.run.Passes[0] {
			c.goOn(&c.tree.Spans[1], &before.inPass)
		}
	}
	c.noting = true
	c.attach()
	take := func(place int) spanEvents {
		s := &c.tree.Spans[place]
		taken := spanEvents{s.Events, s.EventsDropped}
		s.Events = nil // their memory is not the composer's any longer
		return taken
	}
	task = take(0)
	if len(c.tree.Spans) > 1 {
		inPass = take(1)
	}
	return task, inPass
}

// goOn begins the events of a span with those kept in the checkpoint.
func (c *Composer) goOn(s *Span, known *spanEvents) {
	s.Events = append(s.Events, known.list...)
	s.EventsDropped = known.dropped
	c.tree.EventsDropped += int(known.dropped)
}

// totals returns those of the run so far.
func (c *Composer) totals() totals {
	t := totals{queue: c.queueTime(), backoff: c.backoffTime()}
	if before := c.forgotten; before != nil {
		t.attempts, t.retries = before.totals.attempts, before.totals.retries
	}
	t.attempts += len(c.run.Attempts)
	for _, a := range c.run.Attempts {
		if a.Number > 1 {
			t.retries++
		}
	}
	return t
}

// distinctSteps returns how many steps were attempted in the run.
func (c *Composer) distinctSteps() int {
	steps, distinct := make([]bool, len(c.task.Events.Steps)), 0
	for a := range c.run.AllAttempts() {
		if !steps[a.Step] {
			steps[a.Step] = true
			distinct++
		}
	}
	return distinct
}
