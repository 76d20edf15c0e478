// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package history

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

// Run is one life of a task, from its first event to its end.
type Run struct {
	Start, End int64
	Status     lifecycle.Status
	Ended      bool
	Failure    *event.Failure // of a failed task
	Passes     []*Pass
	Attempts   []*Attempt
	Records    []event.Record
	To         int // index of the task's record after the last of the run

	Before    *Checkpoint // state before the records; nil when the records are complete
	Forgotten []*Attempt  // the last attempt of each step before the records

	operated bool // an operator ended the task
	gaps     int  // number of things known to be missing
}

// AllAttempts visits the last attempts before the records, and then those in them.
func (n *Run) AllAttempts() iter.Seq[*Attempt] {
	return func(yield func(*Attempt) bool) {
		for _, list := range [...][]*Attempt{n.Forgotten, n.Attempts} {
			for _, a := range list {
				if !yield(a) {
					return
				}
			}
		}
	}
}

// BackoffEnd returns the end of the wait that the attempt announced: the next attempt. A backoff without a following attempt is not
// counted, unless the task is still open.
func (n *Run) BackoffEnd(a *Attempt) (end int64, incomplete, ok bool) {
	if a.Backoff == nil {
		return 0, false, false
	}
	if a.After != nil {
		return a.After.Start, false, true
	}
	return n.End, true, !n.Ended
}

// Skipped returns how many records of the run the checkpoint replaces.
func (n *Run) Skipped() int {
	if n.Before == nil {
		return 0
	}
	return n.Before.Position
}

// PassCount returns how many passes the run had.
func (n *Run) PassCount() int {
	if last := len(n.Passes) - 1; last >= 0 {
		return n.Passes[last].Index
	}
	return 0
}

// Pass is one orchestration pass.
type Pass struct {
	Start, End    int64
	CorrelationID uint16
	Index         int // in the run, from 1
	Batches       []*Batch
	BatchesBefore int // batches that are not in the list, because they are forgotten
	Searches      []Search
	Job           *event.Record // the job's enqueue event before the pass
	Finalizing    int64         // 0: not announced
	Finalizations int           // announcements of it
	Ends          int           // announcements of the end
	FinalStatus   string
	Synthesized   bool  // its beginning is missing
	Idle          bool  // it reported that nothing was left to do
	IdleTimes     int   // how often it did
	Searching     int64 // where the search for viable steps began; 0 while a batch runs
	Closed        bool  // no more of its events are expected
	EndedAt       int   // records of the run read when its end was announced

	Span    event.SpanID // set by package tree
	Out     bool         // it was emitted, and is known from the checkpoint
	Settled Settled
	Waited  Settled // its wait in the queue

	left            int // records of the run read when it was left
	discoveredSteps []int16
	began           gap // the first of its events
	beginning       gap // its beginning is missing, or that of another pass that looks like a part of it
	enqueuing       gap // the event of its job is missing, or that of earlier runs of the job
	missing         gap // something within it is missing
	searchGap       gap // the beginning of the current search is missing
	arrived         gap // the latest of its ends
}

// Over reports whether all announcements of the pass's end have arrived.
func (p *Pass) Over() bool { return p.Ends == finalizationAnnouncements }

// Search is a dependency resolution: from the pass's start or a batch's end to the discovery.
type Search struct {
	Start, End int64
	Cut        bool // by a limit

	Span    event.SpanID // set by package tree
	Settled Settled

	announced int
	arrived   gap
	beginning gap
}

// Batch is one set of steps executed together.
type Batch struct {
	Start, End  int64
	Mode        string
	Attempts    []*Attempt
	Synthesized bool // its beginning is missing
	Announced   bool // its end was announced
	EndedAt     int  // how many records of the run were read when its end was announced
	Cut         bool // by a limit, if it has no attempts

	Span    event.SpanID // set by package tree
	Settled Settled

	size      int16 // as announced; -1 when unknown
	listed    []int16
	spun      bool // listed only steps that could not run
	closed    bool
	beginning gap // its beginning is missing, or that of another batch that looks like a part of it
	missing   gap // something else in it is missing
	earlier   gap // batches before it are missing
}

// Attempt is one attempt of one step.
type Attempt struct {
	Step          int16
	Number        int32
	Start, End    int64
	Handler       int64 // 0: before_handle is missing
	FirstEnd      int64 // 0: no terminal announcement
	Status        lifecycle.Status
	Failure       *event.Failure
	FailureCut    bool // its error is not a span event, because of a limit
	CorrelationID uint16
	Synthesized   bool // its beginning is missing
	Backoff       *event.Record
	BackoffOut    bool // its backoff's span was emitted, and is known from the checkpoint
	Batch         *Batch
	Pass          *Pass
	Before, After *Attempt // of the same step, in this run

	Span, Work event.SpanID // set by package tree
	Previous   event.SpanID // span of the earlier attempt, also of another run; zero for none. Set by package tree
	Settled    Settled

	started        int32 // attempt_number of its first event
	requests, ends int   // announcements
	lastRequest    int64
	forgotten      bool // it was emitted, and is known from the checkpoint
	arrived        gap  // the latest of its events
	over           gap  // the event that shows that it is over, though announcements are missing
	earlier        gap  // attempts of the step before it are missing
}

// Running reports whether no event announced the end of the attempt.
func (a *Attempt) Running() bool { return a.ends == 0 }

// stretch extends the attempt to the time. Where a clock has seconds only, events of one attempt can seem out of order.
func (a *Attempt) stretch(at int64) { a.Start, a.End = min(a.Start, at), max(a.End, at) }

// join counts an announcement to the attempt.
func (a *Attempt) join(r *event.Record) {
	a.stretch(r.At)
	a.arrived.show(r, GapAttempt)
}

// whole reports whether every announcement of the attempt arrived. With a clock of seconds two requests can be equal, and one may
// have been dropped as a repetition.
func (a *Attempt) whole(coarse bool) bool {
	requests := attemptAnnouncements
	if coarse {
		requests--
	}
	return a.requests >= requests && a.Handler != 0 && a.ends >= attemptAnnouncements
}

// Handling returns the time of the handler, as far as events report it.
func (a *Attempt) Handling() (start, end int64) {
	start, end = a.Handler, a.FirstEnd
	if start == 0 {
		start = a.lastRequest
	}
	if end == 0 {
		end = a.End
	}
	return start, end
}
