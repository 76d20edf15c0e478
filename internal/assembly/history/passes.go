// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
)

// ofAnotherPass reports whether an event that only a pass fires has another correlation id than the pass that is open (trap 6): the
// end of that one and the beginning of the event's own are missing. Without them two passes look like one.
func (rd *Reader) ofAnotherPass(r *event.Record) bool {
	switch r.Kind {
	case event.Discovered, event.NothingViable, event.BatchBegan, event.BatchEnded, event.Finalizing, event.PassEnded:
		p := rd.pass
		return p != nil && r.CorrelationID != p.CorrelationID && r.CorrelationID != 0 && p.CorrelationID != 0
	}
	return false
}

// leavesEndedPass reports whether the event shows that a pass of which an end was announced is over. Between the two announcements
// events can occur that belong to no pass: an application's own event, a query, an operator's action.
func (rd *Reader) leavesEndedPass(r *event.Record) bool {
	p := rd.pass
	switch {
	case p == nil || p.Ends == 0 || r.Kind == event.PassBegan || rd.endsKnownAttempt(r):
		return false
	case p.Ends < finalizationAnnouncements:
		return r.Kind.InsidePass() && (r.Kind != event.PassEnded || r.At-p.End > followUp)
	}
	return r.Kind != event.PassEnded
}

func (rd *Reader) openPass(r *event.Record, synthesized bool) {
	p := rd.arena.passes.next()
	*p = Pass{
		Start: r.At, End: r.At, CorrelationID: r.CorrelationID, Synthesized: synthesized, Searching: r.At, Job: rd.job, Batches: p.Batches, Searches: p.Searches,
	}
	p.Index = 1
	if before := len(rd.run.Passes); before > 0 {
		p.Index = rd.run.Passes[before-1].Index + 1
	}
	p.began.show(r, GapJob)
	if synthesized {
		p.CorrelationID = 0
		rd.run.gaps++
		p.beginning.show(r, GapPassBeginning)
	}
	if !rd.rerun && (p.Job == nil || int(p.Job.Number)-1 > p.Index) {
		p.enqueuing.show(r, GapJob)
		if p.Job != nil {
			p.missing.show(r, GapJob) // earlier passes, and so its index
		}
	}
	rd.job = nil
	rd.room = Room{}
	rd.pass = p
	rd.run.Passes = append(rd.run.Passes, p)
}

func (rd *Reader) closePass() {
	p := rd.pass
	if p == nil {
		return
	}
	rd.closeBatch(p.End)
	if p.Ends < finalizationAnnouncements || p.Finalizations < finalizationAnnouncements {
		rd.run.gaps++
		rd.show(&p.missing, GapPassEnd)
	}
	p.left, p.Closed = rd.position, true
	rd.room = Room{}
	rd.pass = nil
}

func (rd *Reader) discovered(r *event.Record) {
	p := rd.pass
	rd.closeBatch(r.At)
	if p.Searching != 0 {
		p.Searches = append(p.Searches, Search{Start: p.Searching, End: r.At, announced: 1, arrived: gap{r.Arrived, GapDiscovery}, beginning: p.searchGap})
		p.Searching, p.searchGap = 0, gap{}
		p.discoveredSteps = rd.task.Events.List(r)
		p.Searches[len(p.Searches)-1].Cut = !rd.roomFor(1, bytesPerSpan)
	} else if n := len(p.Searches); n > 0 {
		p.Searches[n-1].announced++
		p.Searches[n-1].arrived.show(r, GapDiscovery)
	}
}
