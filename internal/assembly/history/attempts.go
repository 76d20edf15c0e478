// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
)

// endsKnownAttempt reports whether the event is a terminal announcement of an attempt that has begun: the first, or another of the
// same outcome.
func (rd *Reader) endsKnownAttempt(r *event.Record) bool {
	if !r.Kind.EndsAttempt() || r.Step == event.NoStep {
		return false
	}
	a := rd.current[r.Step]
	return a != nil && (a.Running() && !rd.putBack(a) && !rd.abandoned(a) || a.endsAgain(r))
}

// endsAgain reports whether the event announces the end of an ended attempt once more.
func (a *Attempt) endsAgain(r *event.Record) bool {
	return !a.Running() && a.ends < attemptAnnouncements && a.Status == r.Kind.Status()
}

// abandoned reports whether an attempt without an end belongs to a pass that died so long ago that its end is not expected any
// more.
func (rd *Reader) abandoned(a *Attempt) bool {
	return a.Running() && a.Pass != rd.pass && rd.position-a.Pass.left > abandonedAfter
}

// abandonedAfter is how many records after the end of its pass a running attempt is given up. It is a number of records, so
// that it is the same whenever they are read.
const abandonedAfter = 1000

// putBack reports whether the attempt's step was reset since it began. Within a batch a step runs once: a reset there is only
// apparent, because the operator's clock differs from the worker's.
func (rd *Reader) putBack(a *Attempt) bool { return rd.resets[a.Step] && a.Batch != rd.batch }

// requested reads the announcement that an attempt begins: the first one begins it, the others repeat it.
func (rd *Reader) requested(r *event.Record) {
	if r.Step == event.NoStep {
		return
	}
	a := rd.current[r.Step]
	again := a != nil && a.Running() && a.Handler == 0 && a.requests < attemptAnnouncements && a.Pass == rd.pass &&
		(a.Batch == rd.batch || rd.batch == nil && !rd.resets[r.Step])
	if !again && !rd.sameAttempt(a, r) {
		a = rd.openAttempt(r, false)
	}
	a.requests++
	a.lastRequest = max(a.lastRequest, r.At)
	a.join(r)
}

// sameAttempt reports whether an announcement that an attempt begins, which is sorted after its end, still belongs to that attempt:
// its attempt_number is the same. Some announcements have milliseconds and others only seconds, so without occurred_at they change
// places.
func (rd *Reader) sameAttempt(a *Attempt, r *event.Record) bool {
	return a != nil && a.requests < attemptAnnouncements && r.Number >= 0 && int32(r.Number) == a.started && !rd.resets[r.Step]
}

func (rd *Reader) openAttempt(r *event.Record, synthesized bool) *Attempt {
	if rd.batch != nil && rd.inNextBatch(r.Step) {
		rd.closeBatch(r.At)
	}
	if rd.batch == nil {
		rd.openBatch(r, true)
	}
	a := rd.arena.attempts.next()
	*a = Attempt{
		Step: r.Step, Start: r.At, End: r.At, lastRequest: r.At, started: -1, CorrelationID: r.CorrelationID, Synthesized: synthesized,
		Batch: rd.batch, Pass: rd.pass,
	}
	if r.Kind == event.StepRequested {
		a.started = int32(r.Number)
	}
	rd.counts[r.Step]++
	if a.started >= rd.counts[r.Step] {
		rd.run.gaps++ // earlier attempts happened without any event
		rd.counts[r.Step] = a.started + 1
		a.earlier.show(r, GapEarlierAttempts)
	}
	a.Number = rd.counts[r.Step]
	if a.Before = rd.current[r.Step]; a.Before != nil {
		a.Before.After = a
		a.Before.over.show(r, GapAttempt)
		a.earlier.join(a.Before.earlier)
		if a.Before.requests < attemptAnnouncements && !a.Before.forgotten {
			a.earlier.show(r, GapEarlierAttempts) // its beginning, and so its span id, is not known
		}
	}
	if len(rd.batch.listed) > 0 && !slices.Contains(rd.batch.listed, r.Step) {
		rd.batch.beginning.show(r, GapBatchBeginning)
	}
	if rd.live && !rd.rerun && !rd.task.knowsDependencies(r.Step) {
		rd.batch.earlier.show(r, GapBatch)
		rd.pass.missing.show(r, GapBatch)
	}
	rd.roomFor(2, 2*bytesPerSpan)
	rd.current[r.Step] = a
	rd.resets[r.Step] = false
	rd.batch.Attempts = append(rd.batch.Attempts, a)
	rd.run.Attempts = append(rd.run.Attempts, a)
	return a
}

// inNextBatch reports whether an attempt of the step that begins now cannot be in the batch that is open: the step, or one that it
// waits for, is already in it. The end of that batch and the beginning of the next are missing.
func (rd *Reader) inNextBatch(step int16) bool {
	deps := rd.task.Events.Steps[step].Deps
	for _, a := range rd.batch.Attempts {
		if a.Step == step || slices.Contains(deps, rd.task.Events.Steps[a.Step].Name) {
			return true
		}
	}
	return false
}

func (rd *Reader) handled(r *event.Record) {
	if r.Step == event.NoStep {
		return
	}
	a := rd.current[r.Step]
	if a == nil || a.Handler != 0 || rd.putBack(a) || !a.Running() && a.FirstEnd < r.At {
		a = rd.openAttempt(r, true)
	}
	a.Handler = r.At
	a.join(r)
}

func (rd *Reader) stepEnded(r *event.Record) {
	if r.Step == event.NoStep {
		return
	}
	a := rd.current[r.Step]
	if a != nil && a.endsAgain(r) && r.At-a.End > max(rd.patience, followUp) {
		return // a repetition; this late, an announcement is not waited for
	}
	if !rd.endsKnownAttempt(r) {
		if rd.pass == nil {
			rd.openPass(r, true)
		}
		a = rd.openAttempt(r, true)
	}
	if a.ends == 0 {
		a.FirstEnd = r.At
	}
	a.ends++
	a.join(r)
	a.Status = r.Kind.Status()
	if f := rd.task.Events.Detail(r).Failure; f != nil && (a.Failure == nil || a.Failure.Generic && !f.Generic) {
		a.Failure, a.FailureCut = f, !rd.roomFor(0, bytesPerSpanEvent+int64(3*len(f.Message)+len(f.Backtrace)))
	}
	if r.Kind != event.StepFailed && r.Kind != event.StepCompleted {
		a.ends = attemptAnnouncements // announced once only
	}
}
