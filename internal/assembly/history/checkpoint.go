// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"math"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Checkpoint replaces the records of an open run up to a time with what the reader needs of them. It is set after the end of a batch
// or of a pass where everything before it has been emitted, so no attempt is open. Reading from a checkpoint gives the same result as
// reading from the beginning.
type Checkpoint struct {
	At        int64 // records up to here are forgotten
	Start     int64 // of the run
	Position  int   // how many records of the run were read
	Room      Room
	Pass      Pass // that is open or has just ended, without what is in it
	Steps     []AttemptState
	Announced Announced
}

// Announced counts the announcements of a run that show what is missing.
type Announced struct {
	Created, Enqueued bool
	Jobs              int
	LastJob           int16
	Discoveries, Idle int
	Ends              int
	Completed         int16
}

// AttemptState is the last attempt of a step, whose span has been emitted.
type AttemptState struct {
	Step           int16
	Number         int32
	Started        int32
	Requests, Ends uint8
	Handled, Reset bool
	Status         lifecycle.Status
	End            int64
	Span           event.SpanID
	Backoff        *PendingBackoff
}

// PendingBackoff is a backoff that no attempt has followed up to the checkpoint.
type PendingBackoff struct {
	event.Record
	Out             bool
	PassStart       int64 // of the pass that announced it
	PassCorrelation uint16
}

// longAgo is before every position: a pass that was left then is abandoned.
const longAgo = math.MinInt32

// attempt restores the attempt, whose span has been emitted, for the reader.
func (s *AttemptState) attempt(room *arena) *Attempt {
	a := room.attempts.next()
	*a = Attempt{
		Step: s.Step, Number: s.Number, started: s.Started, requests: int(s.Requests), ends: int(s.Ends), Status: s.Status, Start: s.End, End: s.End,
		FirstEnd: s.End, Span: s.Span, forgotten: true, Batch: room.batches.next(), Pass: room.passes.next(),
	}
	a.Pass.left, a.Pass.Closed = longAgo, true
	if s.Handled {
		a.Handler = s.End
	}
	if b := s.Backoff; b != nil {
		a.Backoff, a.BackoffOut = &b.Record, b.Out
		a.Pass.Start, a.Pass.CorrelationID = b.PassStart, b.PassCorrelation
	}
	return a
}

// resume makes the reader continue from the task's checkpoint.
func (rd *Reader) resume(cp *Checkpoint) {
	n := rd.run
	n.Before, n.Start = cp, cp.Start
	rd.position, rd.room = cp.Position, cp.Room
	rd.pass = rd.arena.passes.next()
	*rd.pass = cp.Pass
	n.Passes = append(n.Passes, rd.pass)
	for i := range cp.Steps {
		s := &cp.Steps[i]
		a := s.attempt(&rd.arena)
		rd.current[s.Step], rd.resets[s.Step], rd.counts[s.Step] = a, s.Reset, s.Number
		n.Forgotten = append(n.Forgotten, a)
	}
}

// Checkpoint makes the checkpoint of the run that was read last, up to a time.
func (rd *Reader) Checkpoint(at int64) *Checkpoint {
	n := rd.run
	last := n.Passes[len(n.Passes)-1]
	cp := &Checkpoint{At: at, Start: n.Start, Position: rd.position, Room: rd.room, Pass: *last, Announced: n.countAnnounced()}
	cp.Pass.BatchesBefore += len(last.Batches)
	cp.Pass.Batches, cp.Pass.Searches, cp.Pass.discoveredSteps, cp.Pass.Job = nil, nil, nil, nil
	for step, attempt := range rd.current {
		if attempt != nil {
			cp.Steps = append(cp.Steps, rd.attemptState(int16(step), attempt))
		}
	}
	return cp
}

func (rd *Reader) attemptState(step int16, a *Attempt) AttemptState {
	s := AttemptState{
		Step: step, Number: a.Number, Started: a.started, Requests: uint8(min(a.requests, attemptAnnouncements)), Ends: uint8(min(a.ends, attemptAnnouncements)),
		Handled: a.Handler != 0, Reset: rd.resets[step], Status: a.Status, End: a.End, Span: a.Span,
	}
	if a.Backoff != nil {
		s.Backoff = &PendingBackoff{Record: *a.Backoff, Out: a.BackoffOut, PassStart: a.Pass.Start, PassCorrelation: a.Pass.CorrelationID}
	}
	return s
}

// Remap replaces the indexes of details and correlation ids of the task.
func (cp *Checkpoint) Remap(to *event.Remapping) {
	cp.Pass.CorrelationID = to.CorrelationID(cp.Pass.CorrelationID)
	for i := range cp.Steps {
		if b := cp.Steps[i].Backoff; b != nil {
			b.Detail, b.PassCorrelation, b.CorrelationID = to.Detail(b.Detail), to.CorrelationID(b.PassCorrelation), 0
		}
	}
}
