// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"math"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// A span is emitted when it is settled: it has ended, no event that arrives in time can change it, and nothing on which it
// depends is known to be missing. The rules are local: what is missing in one attempt does not hold back another.
//
// They are applied to a prefix of a task's records: those up to the frontier (frontier.go), before which everything has arrived.
// For what is over in a prefix the reader gives the same result as for the whole.
//
//   - An attempt has ended when all of its announcements arrived (three requests, the handler, three ends), when an end arrived, or
//     when the step's next attempt began. It waits for announcements that are missing, for what decides its number and its
//     link (attempts of its step before it), and for what decides its batch and pass (their beginnings).
//   - A batch has ended when its end was announced, or something else shows that it is over, and its attempts have ended. It
//     waits for what its attempts wait for, for attempts that it should have, and for batches before it, which decide its index.
//   - A pass has ended when its end was announced, or the next one began, and its batches have ended. It waits for all in it,
//     and for earlier passes, which decide its index.
//   - A wait in the queue has ended when the pass that follows began. It waits for the end of the pass before, and for the
//     events of its job.
//
// What is missing is waited for as long as the settle timeout, from the arrival of the event that showed it.

// Settled reports whether a span has ended and until when it waits for what is missing.
type Settled struct {
	Ended   bool
	Until   int64 // on the collector's clock; 0 when nothing is missing
	Missing Gap   // what is waited for longest
}

// WaitFor makes the span wait as long as another one.
func (s *Settled) WaitFor(other Settled) {
	if other.Until > s.Until {
		s.Until, s.Missing = other.Until, other.Missing
	}
}

// Settling has the parameters of checking an open run.
type Settling struct {
	Now     int64
	Timeout int64
	Coarse  bool // some clock has seconds only
	// Forced means that missing events are not waited for.
	Forced bool
	// Decided means that everything of an ended task has arrived.
	Decided bool
	// Undecided is the time from which events may not belong to the run, because its end was announced.
	Undecided int64
	// Ending is the time of the first announcement of the run's end, whose records must not be forgotten; MaxInt64 for none.
	Ending int64
	// Next is when the next span is settled even if no event arrives.
	Next int64
}

// IsSettled reports whether the span is settled now.
func (st *Settling) IsSettled(s Settled) bool {
	if !s.Ended {
		return false
	}
	if s.Until > st.Now && !st.Forced {
		st.Next = min(st.Next, s.Until)
		return false
	}
	return true
}

// after returns the state of a span that waits for the latest of the gaps.
func (st *Settling) after(ended bool, gaps ...gap) Settled {
	var latest gap
	for _, g := range gaps {
		latest.join(g)
	}
	if latest.arrived == 0 {
		return Settled{Ended: ended}
	}
	return Settled{ended, latest.arrived + st.Timeout, latest.of}
}

// settle finds the settled spans of an open run.
func (rd *Reader) settle(st *Settling) {
	n := rd.run
	var unnamed gap
	if rd.task.Events.Name == "" && len(n.Records) > 0 {
		unnamed.show(&n.Records[0], GapTaskName)
	}
	var earlier gap // passes are missing
	var before *Pass
	for _, p := range n.Passes {
		earlier.join(p.enqueuing)
		p.beginning.join(unnamed)
		rd.settleWait(st, p, before)
		rd.settlePass(st, p, earlier)
		before = p
	}
	st.Ending = n.ending(rd.task)
	if st.Undecided = st.Ending; st.Decided && n.Ended && n.Status != lifecycle.StatusCancelled {
		st.Undecided = math.MaxInt64
	}
}

func (rd *Reader) settlePass(st *Settling, p *Pass, earlier gap) {
	for i := range p.Searches {
		s := &p.Searches[i]
		s.Settled = st.after(true, p.beginning, s.beginning)
		if s.announced < searchAnnouncements {
			s.Settled.WaitFor(st.after(true, s.arrived))
		}
	}
	switch {
	case p.Ends == 0:
	case p.Ends < finalizationAnnouncements || p.Finalizations < finalizationAnnouncements:
		p.missing.join(gap{p.arrived.arrived, GapPassEnd})
	case p.IdleTimes%searchAnnouncements != 0:
		p.missing.join(gap{p.arrived.arrived, GapDiscovery})
	case p.discoveredSteps != nil:
		p.missing.join(gap{p.arrived.arrived, GapBatch})
	}
	p.Settled = st.after(p.Ends > 0 || p.Closed, p.beginning, p.missing, earlier)
	var batches gap
	for _, b := range p.Batches {
		batches.join(b.earlier)
		rd.settleBatch(st, b, p, batches)
		batches.join(b.beginning)
		if !b.Announced {
			batches.join(b.missing)
		}
		p.Settled.Ended = p.Settled.Ended && b.Settled.Ended
		p.Settled.WaitFor(b.Settled)
	}
}

func (rd *Reader) settleBatch(st *Settling, b *Batch, p *Pass, earlier gap) {
	b.Settled = st.after(b.closed || p.Closed, p.beginning, b.beginning, b.missing, earlier)
	for _, a := range b.Attempts {
		a.Settled = st.after(a.whole(st.Coarse) || a.ends > 0 || a.After != nil || rd.abandoned(a), p.beginning, b.beginning, a.earlier)
		if !a.whole(st.Coarse) && !rd.abandoned(a) {
			a.Settled.WaitFor(st.after(true, a.arrived, a.over))
		}
		b.Settled.Ended = b.Settled.Ended && a.Settled.Ended
		b.Settled.WaitFor(a.Settled)
	}
}

// settleWait settles the wait that led to the pass.
func (rd *Reader) settleWait(st *Settling, p, before *Pass) {
	p.Waited = st.after(true, p.beginning, p.enqueuing)
	switch {
	case before != nil:
		p.Waited.Ended = before.Settled.Ended
		p.Waited.WaitFor(before.Settled)
	case !rd.rerun && rd.run.enqueued() == nil:
		p.Waited.WaitFor(st.after(true, p.began))
	}
}

// Beginning reports whether it is decided when the pass began.
func (st *Settling) Beginning(p *Pass) Settled { return st.after(true, p.beginning) }

// Failure reports whether the error of a pass in which the task failed is final: its message is that of the first announcement of the
// failure that has one.
func (st *Settling) Failure(n *Run, p *Pass) Settled {
	of := p.Settled
	of.Ended = of.Ended && n.Ended
	if (n.Failure == nil || n.Failure.Message == "") && n.countAnnounced().Ends < finalizationAnnouncements {
		of.WaitFor(st.after(true, p.arrived))
	}
	return of
}

// Backoff reports whether it is decided when the wait for the next attempt ended: all announcements of its beginning have arrived.
func (st *Settling) Backoff(a *Attempt, end int64) Settled {
	next := a.After
	if next == nil || end >= st.Undecided || !next.Settled.Ended && next.requests < attemptAnnouncements {
		return Settled{}
	}
	of := a.Settled
	of.Ended = of.Ended || a.forgotten
	of.WaitFor(next.Settled)
	return of
}

// ending is when the run may have ended: whether later events belong to it is decided when the task has been quiet, or resumes.
func (n *Run) ending(t *Source) int64 {
	for i := range n.Records {
		r := &n.Records[i]
		if r.Kind.EndsTask() {
			return r.At
		}
		if r.Kind == event.PassEnded {
			if _, final := event.EndingOf(t.Events.Detail(r).FinalStatus()); final {
				return r.At
			}
		}
	}
	return math.MaxInt64
}

// Sound reports whether nothing is known to be missing in the run's passes.
func (n *Run) Sound() bool {
	for _, p := range n.Passes {
		if p.Settled.Until != 0 || p.Waited.Until != 0 {
			return false
		}
	}
	return true
}
