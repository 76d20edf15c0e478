// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

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

// settled reports whether a span has ended and until when it waits for what is missing.
type settled struct {
	ended bool
	until int64 // on the collector's clock; 0 when nothing is missing
	of    Gap   // what is waited for longest
}

// waitFor makes the span wait as long as another one.
func (s *settled) waitFor(other settled) {
	if other.until > s.until {
		s.until, s.of = other.until, other.of
	}
}

// settling has the parameters of checking an open run.
type settling struct {
	now     int64
	timeout int64
	coarse  bool
	// forced means that missing events are not waited for.
	forced bool
	// decided means that everything of an ended task has arrived.
	decided bool
	// undecided is the time from which events may not belong to the run, because its end was announced.
	undecided int64
	// ending is the time of the first announcement of the run's end, whose records must not be forgotten; MaxInt64 for none.
	ending int64
	// next is when the next span is settled even if no event arrives.
	next int64
}

// of reports whether the span is settled now.
func (st *settling) of(s settled) bool {
	if !s.ended {
		return false
	}
	if s.until > st.now && !st.forced {
		st.next = min(st.next, s.until)
		return false
	}
	return true
}

// after returns the state of a span that waits for the latest of the gaps.
func (st *settling) after(ended bool, gaps ...gap) settled {
	var latest gap
	for _, g := range gaps {
		latest.join(g)
	}
	if latest.arrived == 0 {
		return settled{ended: ended}
	}
	return settled{ended, latest.arrived + st.timeout, latest.of}
}

// settle finds the settled spans of an open run.
func (rd *reader) settle(st *settling) {
	n := rd.run
	var unnamed gap
	if rd.task.Events.Name == "" && len(n.records) > 0 {
		unnamed.show(&n.records[0], GapTaskName)
	}
	var earlier gap // passes are missing
	var before *pass
	for _, p := range n.passes {
		earlier.join(p.enqueuing)
		p.beginning.join(unnamed)
		rd.settleWait(st, p, before)
		rd.settlePass(st, p, earlier)
		before = p
	}
	st.ending = n.ending(rd.task)
	if st.undecided = st.ending; st.decided && n.ended && n.status != lifecycle.StatusCancelled {
		st.undecided = math.MaxInt64
	}
}

func (rd *reader) settlePass(st *settling, p *pass, earlier gap) {
	for i := range p.searches {
		s := &p.searches[i]
		s.settled = st.after(true, p.beginning, s.beginning)
		if s.announced < searchAnnouncements {
			s.settled.waitFor(st.after(true, s.arrived))
		}
	}
	switch {
	case p.ends == 0:
	case p.ends < finalizationAnnouncements || p.finalizations < finalizationAnnouncements:
		p.missing.join(gap{p.arrived.arrived, GapPassEnd})
	case p.toldIdle%searchAnnouncements != 0:
		p.missing.join(gap{p.arrived.arrived, GapDiscovery})
	case p.discoveredSteps != nil:
		p.missing.join(gap{p.arrived.arrived, GapBatch})
	}
	p.settled = st.after(p.ends > 0 || p.closed, p.beginning, p.missing, earlier)
	var batches gap
	for _, b := range p.batches {
		batches.join(b.earlier)
		rd.settleBatch(st, b, p, batches)
		batches.join(b.beginning)
		if !b.announced {
			batches.join(b.missing)
		}
		p.settled.ended = p.settled.ended && b.settled.ended
		p.settled.waitFor(b.settled)
	}
}

func (rd *reader) settleBatch(st *settling, b *batch, p *pass, earlier gap) {
	b.settled = st.after(b.closed || p.closed, p.beginning, b.beginning, b.missing, earlier)
	for _, a := range b.attempts {
		a.settled = st.after(a.whole(st.coarse) || a.ends > 0 || a.after != nil || rd.abandoned(a), p.beginning, b.beginning, a.earlier)
		if !a.whole(st.coarse) && !rd.abandoned(a) {
			a.settled.waitFor(st.after(true, a.arrived, a.over))
		}
		b.settled.ended = b.settled.ended && a.settled.ended
		b.settled.waitFor(a.settled)
	}
}

// settleWait settles the wait that led to the pass.
func (rd *reader) settleWait(st *settling, p, before *pass) {
	p.waited = st.after(true, p.beginning, p.enqueuing)
	switch {
	case before != nil:
		p.waited.ended = before.settled.ended
		p.waited.waitFor(before.settled)
	case !rd.rerun && rd.run.enqueued() == nil:
		p.waited.waitFor(st.after(true, p.began))
	}
}

// ending is when the run may have ended: whether later events belong to it is decided when the task has been quiet, or resumes.
func (n *run) ending(t *historyTask) int64 {
	for i := range n.records {
		r := &n.records[i]
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

// sound reports whether nothing is known to be missing in the run's passes.
func (n *run) sound() bool {
	for _, p := range n.passes {
		if p.settled.until != 0 || p.waited.until != 0 {
			return false
		}
	}
	return true
}
