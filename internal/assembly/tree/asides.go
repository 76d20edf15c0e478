// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"strconv"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

func (c *Composer) queued(i int, p *history.Pass) {
	w, ok := c.run.WaitBefore(i)
	if !ok {
		return
	}
	id := c.queuedID(w)
	if !c.takes(p.Waited, id) || c.going != nil && w.End >= c.going.Undecided {
		return
	}
	s := c.waited(w, id)
	s.mark(lifecycle.AttrSynthesized, w.Synthesized)
	s.Outcome = OutcomeOk
}

func (c *Composer) queuedID(w history.Wait) event.SpanID {
	return c.spanID(lifecycle.SpanQueued, "", unused(&c.begins.queued, w.Start))
}

// waited adds the span of a wait.
func (c *Composer) waited(w history.Wait, id event.SpanID) *Span {
	s := c.add(lifecycle.SpanQueued, id, c.root, w.Start, w.End)
	if w.Job != nil {
		s.setText(lifecycle.AttrQueueName, c.task.Events.Detail(w.Job).Queue())
	}
	return s
}

// queuedWithoutPass shows the wait of a task that never got a worker, was cancelled in the queue, or whose job sent nothing after
// its beginning.
func (c *Composer) queuedWithoutPass() {
	w, ok := c.run.WaitWithoutPass()
	if !ok {
		return
	}
	id := c.queuedID(w)
	if !c.takes(history.Settled{Ended: true}, id) {
		return
	}
	s := c.waited(w, id)
	if w.Job != nil && !c.run.Ended {
		s.Outcome = OutcomeOk
		return
	}
	s.mark(lifecycle.AttrIncomplete, !c.run.Ended)
	s.outcome(c.run.Status, nil)
}

func (c *Composer) queueTime() int64 {
	total := int64(0)
	if c.forgotten != nil {
		total = c.forgotten.totals.queue
	}
	if w, ok := c.run.WaitWithoutPass(); ok {
		total = w.End - w.Start
	}
	for i := range c.run.Passes {
		if w, ok := c.run.WaitBefore(i); ok {
			total += w.End - w.Start
		}
	}
	return total
}

func (c *Composer) backoffs() {
	for a := range c.run.AllAttempts() {
		end, incomplete, ok := c.run.BackoffEnd(a)
		if !ok {
			continue
		}
		st := &c.task.Events.Steps[a.Step]
		c.inside(a.Pass)
		id := c.spanID(lifecycle.SpanBackoff, st.ID.Text, unused(&c.begins.steps[a.Step].backoff, a.Backoff.At))
		over := history.Settled{Ended: true}
		if c.going != nil {
			over = c.going.Backoff(a, end)
		}
		if a.BackoffOut || !c.takes(over, id) {
			continue
		}
		s := c.add(lifecycle.SpanBackoff, id, c.root, a.Backoff.At, end)
		c.seek(a.Backoff, id)
		c.describeStep(s, a)
		announced := c.task.Events.Detail(a.Backoff)
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

func (c *Composer) backoffTime() int64 {
	total := int64(0)
	if c.forgotten != nil {
		total = c.forgotten.totals.backoff
	}
	for a := range c.run.AllAttempts() {
		if end, pending, ok := c.run.BackoffEnd(a); ok && (!pending || c.going == nil) {
			total += end - a.Backoff.At
		}
	}
	return total
}

func queryKey(r *event.Record) string { return strconv.FormatUint(uint64(r.Identity), 16) }

func parseInt(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == text
}
