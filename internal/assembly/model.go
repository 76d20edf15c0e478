// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"iter"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// announcements are how often the engine announces the beginning and the end of an attempt, the result of a dependency resolution,
// and the beginning and the end of a pass's finalization (docs/tasker-events.md, "The order in one task, and what repeats").
const (
	attemptAnnouncements      = 3
	searchAnnouncements       = 2
	finalizationAnnouncements = 2
)

// run is one life of a task, from its first event to its end.
type run struct {
	start, end int64
	status     lifecycle.Status
	failure    *event.Failure // of a failed task
	ended      bool
	operated   bool // an operator ended the task
	passes     []*pass
	attempts   []*attempt
	records    []event.Record
	to         int // index of the task's record after the last of the run
	gaps       int // number of things known to be missing

	before    *checkpoint // state before the records; nil when the records are complete
	forgotten []*attempt  // the last attempt of each step before the records
}

// all visits the last attempts before the records, and then those in them.
func (n *run) all() iter.Seq[*attempt] {
	return func(yield func(*attempt) bool) {
		for _, list := range [...][]*attempt{n.forgotten, n.attempts} {
			for _, a := range list {
				if !yield(a) {
					return
				}
			}
		}
	}
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

// skipped returns how many records of the run the checkpoint replaces.
func (n *run) skipped() int {
	if n.before == nil {
		return 0
	}
	return n.before.position
}

// passCount returns how many passes the run had.
func (n *run) passCount() int {
	if last := len(n.passes) - 1; last >= 0 {
		return n.passes[last].index
	}
	return 0
}

// pass is one orchestration pass.
type pass struct {
	start, end      int64
	correlationID   uint16
	index           int // in the run, from 1
	batches         []*batch
	batchesBefore   int // batches that are not in the list, because they are forgotten
	searches        []search
	job             *event.Record // the job's enqueue event before the pass
	finalizing      int64         // 0: not announced
	finalizations   int
	ends            int
	finalStatus     string
	synthesized     bool
	idle            bool  // it reported that nothing was left to do
	toldIdle        int   // how often it did
	left            int   // records of the run read when it was left
	searching       int64 // where the search for viable steps began; 0 while a batch runs
	discoveredSteps []int16
	span            event.SpanID

	closed    bool
	out       bool // it was emitted, and is known from the checkpoint
	endedAt   int  // records of the run read when its end was announced
	began     gap  // the first of its events
	beginning gap  // its beginning is missing, or that of another pass that looks like a part of it
	enqueuing gap  // the event of its job is missing, or that of earlier runs of the job
	missing   gap  // something within it is missing
	searchGap gap  // the beginning of the current search is missing
	arrived   gap  // the latest of its ends
	settled   settled
	waited    settled // its wait in the queue
}

// search is a dependency resolution: from the pass's start or a batch's end to the discovery.
type search struct {
	start, end int64
	announced  int
	arrived    gap
	beginning  gap
	cut        bool // by a limit
	span       event.SpanID
	settled    settled
}

// batch is one set of steps executed together.
type batch struct {
	start, end  int64
	size        int16 // as announced; -1 when unknown
	mode        string
	listed      []int16
	attempts    []*attempt
	synthesized bool
	announced   bool // its end was announced
	spun        bool // listed only steps that could not run
	cut         bool // by a limit, if it has no attempts
	span        event.SpanID

	closed    bool
	endedAt   int // how many records of the run were read when its end was announced
	beginning gap // its beginning is missing, or that of another batch that looks like a part of it
	missing   gap // something else in it is missing
	earlier   gap // batches before it are missing
	settled   settled
}

// attempt is one attempt of one step.
type attempt struct {
	step           int16
	number         int32
	started        int32 // attempt_number of its first event
	start, end     int64
	handler        int64 // 0: before_handle is missing
	firstEnd       int64 // 0: no terminal announcement
	status         lifecycle.Status
	failure        *event.Failure
	failureCut     bool // its error is not a span event, because of a limit
	correlationID  uint16
	requests, ends int
	lastRequest    int64
	synthesized    bool
	backoff        *event.Record
	backoffOut     bool // its backoff's span was emitted, and is known from the checkpoint
	batch          *batch
	pass           *pass
	before, after  *attempt // of the same step, in this run
	span, work     event.SpanID
	forgotten      bool         // it was emitted, and is known from the checkpoint
	previous       event.SpanID // span of the earlier attempt, also of another run; zero for none

	arrived gap // the latest of its events
	over    gap // the event that shows that it is over, though announcements are missing
	earlier gap // attempts of the step before it are missing
	settled settled
}

func (a *attempt) running() bool { return a.ends == 0 }

// stretch extends the attempt to the time. Where a clock has seconds only, events of one attempt can seem out of order.
func (a *attempt) stretch(at int64) { a.start, a.end = min(a.start, at), max(a.end, at) }

// join counts an announcement to the attempt.
func (a *attempt) join(r *event.Record) {
	a.stretch(r.At)
	a.arrived.show(r, GapAttempt)
}

// whole reports whether every announcement of the attempt arrived. With a clock of seconds two requests can be equal, and one may
// have been dropped as a repetition.
func (a *attempt) whole(coarse bool) bool {
	requests := attemptAnnouncements
	if coarse {
		requests--
	}
	return a.requests >= requests && a.handler != 0 && a.ends >= attemptAnnouncements
}

// handling returns the time of the handler, as far as events report it.
func (a *attempt) handling() (start, end int64) {
	start, end = a.handler, a.firstEnd
	if start == 0 {
		start = a.lastRequest
	}
	if end == 0 {
		end = a.end
	}
	return start, end
}
