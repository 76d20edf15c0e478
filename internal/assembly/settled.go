// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"math"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// A span is emitted when it is settled: it has ended, no event that comes in time can change it, and nothing on which it
// depends is known to be missing. The rules are local: what is missing in one attempt does not hold back another.
//
// They are applied to a prefix of a task's records: those up to the frontier (frontier.go), before which everything has come.
// Of what is over in a prefix the reader says what it says of the whole.
//
//   - An attempt has ended when all of its announcements came (three requests, the handler, three ends), when an end came, or
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

// settled tells whether a span has ended and until when it waits for what is missing.
type settled struct {
	ended bool
	until int64 // on the collector's clock
}

// settling is when a run that goes on is looked at.
type settling struct {
	now     int64
	timeout int64
	coarse  bool
	// forced tells that nothing that is missing is waited for.
	forced bool
	// decided tells that everything of an ended task has come.
	decided bool
	// undecided is from when on it is not decided whether what happens belongs to the run: its end was announced.
	undecided int64
	// next is when the next span is settled though nothing more comes.
	next int64
}

// of tells whether the span is settled now.
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

// until is when the latest of the gaps has been waited for.
func (st *settling) until(gaps ...gap) int64 {
	latest := gap(0)
	for _, g := range gaps {
		latest = max(latest, g)
	}
	if latest == 0 {
		return 0
	}
	return int64(latest) + st.timeout
}

// settle finds what of a run that goes on is settled.
func (rd *reader) settle(st *settling) {
	n := rd.run
	unnamed := gap(0)
	if rd.task.name == "" && len(n.records) > 0 {
		unnamed.show(&n.records[0])
	}
	earlier := gap(0) // passes are missing
	var before *pass
	for _, p := range n.passes {
		earlier = max(earlier, p.enqueuing)
		p.beginning = max(p.beginning, unnamed)
		rd.settleWait(st, p, before)
		rd.settlePass(st, p, earlier)
		before = p
	}
	if st.undecided = n.undecided(rd.task); st.decided && n.ended && n.status != lifecycle.StatusCancelled {
		st.undecided = math.MaxInt64
	}
}

func (rd *reader) settlePass(st *settling, p *pass, earlier gap) {
	for i := range p.searches {
		s := &p.searches[i]
		s.settled = settled{true, st.until(p.beginning, s.beginning)}
		if s.announced < searchAnnouncements {
			s.settled.until = max(s.settled.until, st.until(s.arrived))
		}
	}
	if p.ends > 0 && (p.toldIdle%searchAnnouncements != 0 || p.discoveredSteps != nil || p.ends < finalizationAnnouncements ||
		p.finalizations < finalizationAnnouncements) {
		p.missing = max(p.missing, p.arrived)
	}
	p.settled = settled{p.ends > 0 || p.closed, st.until(p.beginning, p.missing, earlier)}
	batches := gap(0)
	for _, b := range p.batches {
		batches = max(batches, b.earlier)
		rd.settleBatch(st, b, p, batches)
		batches = max(batches, b.beginning)
		if !b.announced {
			batches = max(batches, b.missing)
		}
		p.settled.ended = p.settled.ended && b.settled.ended
		p.settled.until = max(p.settled.until, b.settled.until)
	}
}

func (rd *reader) settleBatch(st *settling, b *batch, p *pass, earlier gap) {
	b.settled = settled{b.closed || p.closed, st.until(p.beginning, b.beginning, b.missing, earlier)}
	for _, a := range b.attempts {
		a.settled = settled{a.whole(st.coarse) || a.ends > 0 || a.after != nil || rd.abandoned(a), st.until(p.beginning, b.beginning, a.earlier)}
		if !a.whole(st.coarse) && !rd.abandoned(a) {
			a.settled.until = max(a.settled.until, st.until(a.arrived, a.over))
		}
		b.settled.ended = b.settled.ended && a.settled.ended
		b.settled.until = max(b.settled.until, a.settled.until)
	}
}

// settleWait settles the wait that led to the pass.
func (rd *reader) settleWait(st *settling, p, before *pass) {
	p.waited = settled{true, st.until(p.beginning, p.enqueuing)}
	switch {
	case before != nil:
		p.waited.ended = before.settled.ended
		p.waited.until = max(p.waited.until, before.settled.until)
	case !rd.rerun && rd.run.enqueued() == nil:
		p.waited.until = max(p.waited.until, st.until(p.began))
	}
}

// undecided is when the run may have ended: whether what follows belongs to it is decided when the task has been quiet, or
// goes on.
func (n *run) undecided(t *task) int64 {
	for i := range n.records {
		r := &n.records[i]
		if r.kind.endsTask() {
			return r.at
		}
		if r.kind == kindPassEnded {
			if _, final := endingOf(t.detail(r).word); final {
				return r.at
			}
		}
	}
	return math.MaxInt64
}
