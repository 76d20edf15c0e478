// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"strconv"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// wait is a stretch of time in the queue before a pass.
type wait struct {
	start, end  int64
	job         *record // that began and so ended the wait
	synthesized bool
}

// waitBefore returns the wait that led to the pass: from the enqueuing, or from the end of the pass before, to the beginning of the
// job.
func (n *run) waitBefore(i int) (wait, bool) {
	if i == 0 && n.before != nil {
		return wait{}, false
	}
	p := n.passes[i]
	w := wait{end: p.start, job: p.job, synthesized: p.job == nil}
	if w.job != nil {
		w.end = w.job.at
	}
	if i > 0 {
		w.start = n.passes[i-1].end
		return w, w.start <= w.end
	}
	if enqueued := n.enqueued(); enqueued != nil && enqueued.at <= w.end {
		w.start = enqueued.at
		return w, true
	}
	w.start, w.synthesized = n.start, true
	return w, p.job != nil && n.start < w.end
}

// enqueued returns the event by which the run was put in the queue.
func (n *run) enqueued() *record {
	for i := range n.records {
		switch n.records[i].kind {
		case kindEnqueued:
			return &n.records[i]
		case kindPassBegan:
			return nil
		}
	}
	return nil
}

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

func (c *composer) queuedID(w wait) SpanID {
	return c.spanID(lifecycle.SpanQueued, "", unused(&c.begins.queued, w.start))
}

// waited adds the span of a wait.
func (c *composer) waited(w wait, id SpanID) *Span {
	s := c.add(lifecycle.SpanQueued, id, c.root, w.start, w.end)
	if w.job != nil {
		s.setText(lifecycle.AttrQueueName, c.task.detail(w.job).queue())
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

// waitWithoutPass returns the wait of a run that has no pass: to the beginning of a job, which ran no pass, or to the end.
func (n *run) waitWithoutPass() (wait, bool) {
	enqueued := n.enqueued()
	if len(n.passes) > 0 || enqueued == nil {
		return wait{}, false
	}
	w := wait{start: enqueued.at, end: n.end}
	for i := range n.records {
		if r := &n.records[i]; r.kind == kindJobBegan && r.at >= w.start && (r.at < w.end || r.at == w.end && w.job == nil) {
			w.end, w.job = r.at, r
		}
	}
	return w, true
}

func (c *composer) queueTime() int64 {
	total := int64(0)
	if c.run.before != nil {
		total = c.run.before.totals.queue
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

// backoffEnd returns the end of the wait that the attempt announced: the next attempt. A backoff without a following attempt is not
// counted, unless the task is still open.
func (n *run) backoffEnd(a *attempt) (end int64, incomplete, ok bool) {
	if a.backoff == nil {
		return 0, false, false
	}
	if a.after != nil {
		return a.after.start, false, true
	}
	return n.end, true, !n.ended
}

func (c *composer) backoffs() {
	for a := range c.run.all() {
		end, incomplete, ok := c.run.backoffEnd(a)
		if !ok {
			continue
		}
		st := &c.task.steps[a.step]
		c.inside(a.pass)
		id := c.spanID(lifecycle.SpanBackoff, st.id.Text, unused(&c.begins.steps[a.step].backoff, a.backoff.at))
		if a.backoffOut || !c.takes(c.settledBackoff(a, end), id) {
			continue
		}
		s := c.add(lifecycle.SpanBackoff, id, c.root, a.backoff.at, end)
		c.seek(a.backoff, id)
		c.describeStep(s, a)
		announced := c.task.detail(a.backoff)
		s.setText(lifecycle.AttrBackoffType, announced.backoffType())
		if announced.seconds > 0 {
			s.set(Double(lifecycle.AttrBackoffSeconds, announced.seconds))
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
	if c.run.before != nil {
		total = c.run.before.totals.backoff
	}
	for a := range c.run.all() {
		if end, pending, ok := c.run.backoffEnd(a); ok && (!pending || c.going == nil) {
			total += end - a.backoff.at
		}
	}
	return total
}

func queryKey(r *record) string { return strconv.FormatUint(uint64(r.identity), 16) }

func parseInt(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && strconv.FormatInt(n, 10) == text
}
