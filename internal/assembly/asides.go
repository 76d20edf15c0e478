// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"strconv"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

func (c *composer) queued(i int, p *pass) {
	w, ok := c.run.waitBefore(i)
	if !ok {
		return
	}
	id := c.queuedID(w)
	if !c.takes(p.waited, id) || c.going != nil && w.end >= c.going.undecided {
		return
	}
	s := c.waited(w, id)
	s.mark(lifecycle.AttrSynthesized, w.synthesized)
	s.Outcome = OutcomeOk
}

func (c *composer) queuedID(w wait) event.SpanID {
	return c.spanID(lifecycle.SpanQueued, "", unused(&c.begins.queued, w.start))
}

// waited adds the span of a wait.
func (c *composer) waited(w wait, id event.SpanID) *Span {
	s := c.add(lifecycle.SpanQueued, id, c.root, w.start, w.end)
	if w.job != nil {
		s.setText(lifecycle.AttrQueueName, c.task.Events.Detail(w.job).Queue())
	}
	return s
}

// queuedWithoutPass shows the wait of a task that never got a worker, was cancelled in the queue, or whose job sent nothing after
// its beginning.
func (c *composer) queuedWithoutPass() {
	w, ok := c.run.waitWithoutPass()
	if !ok {
		return
	}
	id := c.queuedID(w)
	if !c.takes(settled{ended: true}, id) {
		return
	}
	s := c.waited(w, id)
	if w.job != nil && !c.run.ended {
		s.Outcome = OutcomeOk
		return
	}
	s.mark(lifecycle.AttrIncomplete, !c.run.ended)
	s.outcome(c.run.status, nil)
}

func (c *composer) queueTime() int64 {
	total := int64(0)
	if c.forgotten != nil {
		total = c.forgotten.totals.queue
	}
	if w, ok := c.run.waitWithoutPass(); ok {
		total = w.end - w.start
	}
	for i := range c.run.passes {
		if w, ok := c.run.waitBefore(i); ok {
			total += w.end - w.start
		}
	}
	return total
}

func (c *composer) backoffs() {
	for a := range c.run.all() {
		end, incomplete, ok := c.run.backoffEnd(a)
		if !ok {
			continue
		}
		st := &c.task.Events.Steps[a.step]
		c.inside(a.pass)
		id := c.spanID(lifecycle.SpanBackoff, st.ID.Text, unused(&c.begins.steps[a.step].backoff, a.backoff.At))
		if a.backoffOut || !c.takes(c.settledBackoff(a, end), id) {
			continue
		}
		s := c.add(lifecycle.SpanBackoff, id, c.root, a.backoff.At, end)
		c.seek(a.backoff, id)
		c.describeStep(s, a)
		announced := c.task.Events.Detail(a.backoff)
		s.setText(lifecycle.AttrBackoffType, announced.BackoffType())
		if announced.Seconds > 0 {
			s.set(attribute.Double(lifecycle.AttrBackoffSeconds, announced.Seconds))
		}
		s.mark(lifecycle.AttrIncomplete, incomplete)
		if !incomplete {
			s.Outcome = OutcomeOk
		}
	}
}

// settledBackoff reports whether it is decided when the wait for the next attempt ended: all announcements of its beginning have
// arrived.
func (c *composer) settledBackoff(a *attempt, end int64) settled {
	if c.going == nil {
		return settled{ended: true}
	}
	next := a.after
	if next == nil || end >= c.going.undecided || !next.settled.ended && next.requests < attemptAnnouncements {
		return settled{}
	}
	of := a.settled
	of.ended = of.ended || a.forgotten
	of.waitFor(next.settled)
	return of
}

func (c *composer) backoffTime() int64 {
	total := int64(0)
	if c.forgotten != nil {
		total = c.forgotten.totals.backoff
	}
	for a := range c.run.all() {
		if end, pending, ok := c.run.backoffEnd(a); ok && (!pending || c.going == nil) {
			total += end - a.backoff.At
		}
	}
	return total
}

func queryKey(r *event.Record) string { return strconv.FormatUint(uint64(r.Identity), 16) }

func parseInt(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == text
}
