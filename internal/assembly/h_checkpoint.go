// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"math"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// checkpoint replaces the records of an open run up to a time with what the reader needs of them. It is set after the end of a batch
// or of a pass where everything before it has been emitted, so no attempt is open. Reading from a checkpoint gives the same result as
// reading from the beginning.
type checkpoint struct {
	at        int64 // records up to here are forgotten
	start     int64 // of the run
	position  int   // how many records of the run were read
	room      room
	pass      pass // that is open or has just ended, without what is in it
	steps     []attemptState
	announced announced
}

// announced counts the announcements of a run that show what is missing.
type announced struct {
	created, enqueued bool
	jobs              int
	lastJob           int16
	discoveries, idle int
	ends              int
	completed         int16
}

// attemptState is the last attempt of a step, whose span has been emitted.
type attemptState struct {
	step           int16
	number         int32
	started        int32
	requests, ends uint8
	handled, reset bool
	status         lifecycle.Status
	end            int64
	span           event.SpanID
	backoff        *pendingBackoff
}

// pendingBackoff is a backoff that no attempt has followed up to the checkpoint.
type pendingBackoff struct {
	event.Record
	out             bool
	passStart       int64 // of the pass that announced it
	passCorrelation uint16
}

// longAgo is before every position: a pass that was left then is abandoned.
const longAgo = math.MinInt32

// attempt restores the attempt, whose span has been emitted, for the reader.
func (s *attemptState) attempt(room *arena) *attempt {
	a := room.attempts.next()
	*a = attempt{
		step: s.step, number: s.number, started: s.started, requests: int(s.requests), ends: int(s.ends), status: s.status, start: s.end, end: s.end,
		firstEnd: s.end, span: s.span, forgotten: true, batch: room.batches.next(), pass: room.passes.next(),
	}
	a.pass.left, a.pass.closed = longAgo, true
	if s.handled {
		a.handler = s.end
	}
	if b := s.backoff; b != nil {
		a.backoff, a.backoffOut = &b.Record, b.out
		a.pass.start, a.pass.correlationID = b.passStart, b.passCorrelation
	}
	return a
}

// resume makes the reader continue from the task's checkpoint.
func (rd *reader) resume(cp *checkpoint) {
	n := rd.run
	n.before, n.start = cp, cp.start
	rd.position, rd.room = cp.position, cp.room
	rd.pass = rd.arena.passes.next()
	*rd.pass = cp.pass
	n.passes = append(n.passes, rd.pass)
	for i := range cp.steps {
		s := &cp.steps[i]
		a := s.attempt(&rd.arena)
		rd.current[s.step], rd.resets[s.step], rd.counts[s.step] = a, s.reset, s.number
		n.forgotten = append(n.forgotten, a)
	}
}

// checkpoint makes the checkpoint of the run that was read last, up to a time.
func (rd *reader) checkpoint(at int64) *checkpoint {
	n := rd.run
	last := n.passes[len(n.passes)-1]
	cp := &checkpoint{at: at, start: n.start, position: rd.position, room: rd.room, pass: *last, announced: n.countAnnounced()}
	cp.pass.batchesBefore += len(last.batches)
	cp.pass.batches, cp.pass.searches, cp.pass.discoveredSteps, cp.pass.job = nil, nil, nil, nil
	for step, attempt := range rd.current {
		if attempt != nil {
			cp.steps = append(cp.steps, rd.attemptState(int16(step), attempt))
		}
	}
	return cp
}

func (rd *reader) attemptState(step int16, a *attempt) attemptState {
	s := attemptState{
		step: step, number: a.number, started: a.started, requests: uint8(min(a.requests, attemptAnnouncements)), ends: uint8(min(a.ends, attemptAnnouncements)),
		handled: a.handler != 0, reset: rd.resets[step], status: a.status, end: a.end, span: a.span,
	}
	if a.backoff != nil {
		s.backoff = &pendingBackoff{Record: *a.backoff, out: a.backoffOut, passStart: a.pass.start, passCorrelation: a.pass.correlationID}
	}
	return s
}

// remap replaces the indexes of details and correlation ids of the task.
func (cp *checkpoint) remap(to *event.Remapping) {
	cp.pass.correlationID = to.CorrelationID(cp.pass.correlationID)
	for i := range cp.steps {
		if b := cp.steps[i].backoff; b != nil {
			b.Detail, b.passCorrelation, b.CorrelationID = to.Detail(b.Detail), to.CorrelationID(b.passCorrelation), 0
		}
	}
}
