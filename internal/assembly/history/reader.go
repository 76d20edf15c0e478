// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Reader reads the histories of tasks, one after the other. Its memory is reused for the next task, because an open task is read
// several times a second: what it returns is valid until the next task is loaded.
type Reader struct {
	limits  Limits
	records []event.Record
	arena   arena

	// Of the task that is being read.
	task     *Source
	patience int64      // how long after an attempt's end another announcement of it counts, in the time of the events
	counts   []int32    // by step: attempts so far, over all runs
	current  []*Attempt // by step: the attempt that its next event belongs to
	resets   []bool     // by step: reset since its last attempt
	listed   []bool     // by step: buffer for reading a batch

	// Of splitting its records into runs.
	open                []int8 // by step: announcements of an end that are still expected
	begins, began, ends cursor

	// Of the run that is being read.
	run      *Run
	rerun    bool
	live     bool          // more records are to come
	at       *event.Record // current record; nil after the last
	position int           // how many records of the run were read
	room     Room
	pass     *Pass
	batch    *Batch
	job      *event.Record // of the next pass
}

// NewReader makes a reader that applies the limits.
func NewReader(limits Limits) Reader { return Reader{limits: limits} }

// Unpack unpacks the task's records, in the order in which they arrived. They are valid until those of the next task are unpacked.
func (rd *Reader) Unpack(t *Source) []event.Record {
	rd.records = t.Events.Unpack(rd.records[:0])
	return rd.records
}

// Load unpacks and sorts the task's records. They, and what is then read of them, are valid until the next task is loaded.
func (rd *Reader) Load(t *Source) {
	rd.arena.reset()
	clear(rd.current)
	t.Records = rd.Unpack(t)
	t.sort()
}

// ReadAll loads a task and reads its runs.
func (rd *Reader) ReadAll(t *Source, patience int64) []*Run {
	rd.Load(t)
	runs := rd.Read(t, patience, nil)
	if !t.Coarse || CountGaps(runs) == 0 {
		return runs
	}
	sorted := t.Records
	if t.Records = t.rebuild(t.Events.Unpack(nil)); t.Records != nil {
		if again := rd.Read(t, patience, nil); CountGaps(again) < CountGaps(runs) {
			return again
		}
	}
	t.Records = sorted
	return runs
}

// Read reads the runs out of the sorted records of a task that is loaded, or out of the first of them. The runs point into them.
// patience is how long after a cancellation a pass may begin that belongs to the cancelled run, and how long another announcement of an
// attempt's end counts. going is set for a task that is still open, whose later records are still to come: what is open at the end of
// these stays open, and the settled spans are found.
func (rd *Reader) Read(t *Source, patience int64, going *Settling) []*Run {
	rd.begin(t, patience)
	var runs []*Run
	stretches := rd.splitRuns()
	for i, span := range stretches {
		rd.rerun = i > 0 || t.Released != nil
		rd.live = going != nil && i == len(stretches)-1
		n := rd.readRun(t.Records[span.from:span.to], i == 0)
		n.To = span.to
		if rd.live {
			rd.settle(going)
		}
		runs = append(runs, n)
	}
	return runs
}

// ReadPart reads the sorted records of a task that is loaded, or the first of them, as a part of one run that is still open.
func (rd *Reader) ReadPart(t *Source, patience int64, going *Settling) *Run {
	rd.begin(t, patience)
	rd.live, rd.rerun = true, t.Released != nil
	n := rd.readRun(t.Records, true)
	rd.settle(going)
	return n
}

func (rd *Reader) begin(t *Source, patience int64) {
	rd.task, rd.patience = t, patience
	steps := len(t.Events.Steps)
	rd.current, rd.resets = zeros(rd.current, steps), zeros(rd.resets, steps)
	rd.listed, rd.counts = zeros(rd.listed, steps), zeros(rd.counts, steps)
	if t.Released != nil {
		for _, last := range t.Released.Attempts {
			rd.counts[last.Step] = last.Number
		}
	}
}

// readRun reads one run. The first one continues from the task's checkpoint, if there is one.
func (rd *Reader) readRun(records []event.Record, first bool) *Run {
	rd.run = rd.arena.runs.next()
	rd.run.Records = records
	rd.pass, rd.batch, rd.job, rd.position, rd.room = nil, nil, nil, 0, Room{}
	clear(rd.current)
	clear(rd.resets)
	if first && rd.task.Checkpoint != nil {
		rd.resume(rd.task.Checkpoint)
	} else {
		rd.run.Start = records[0].At
	}
	for i := range records {
		rd.read(&records[i])
		rd.position++
	}
	rd.at = nil
	if !rd.live {
		rd.closePass()
	}
	rd.finish()
	return rd.run
}

func (rd *Reader) read(r *event.Record) {
	rd.at = r
	if rd.leavesEndedPass(r) {
		rd.closePass()
	}
	if rd.pass == nil && r.Kind.InsidePass() && !rd.endsKnownAttempt(r) {
		rd.openPass(r, true)
	}
	switch r.Kind {
	case event.JobBegan:
		rd.closePass()
		rd.job = r
	case event.TaskStarted:
		rd.closePass()
	case event.PassBegan:
		rd.closePass()
		rd.openPass(r, false)
	case event.Discovered:
		rd.discovered(r)
	case event.NothingViable:
		rd.pass.Idle = true
		rd.pass.IdleTimes++
	case event.BatchBegan:
		rd.closeBatch(r.At)
		rd.openBatch(r, false)
	case event.BatchEnded:
		rd.batchEnded(r)
	case event.StepRequested:
		rd.requested(r)
	case event.HandlerBegan:
		rd.handled(r)
	case event.StepCompleted, event.StepFailed:
		rd.stepEnded(r)
	case event.StepCancelled, event.StepResolved:
		if r.Step != event.NoStep {
			if a := rd.current[r.Step]; a != nil && a.Running() {
				rd.stepEnded(r)
			}
		}
	case event.StepReset:
		if r.Step != event.NoStep {
			rd.resets[r.Step] = true
		}
	case event.Backoff:
		if r.Step != event.NoStep {
			if a := rd.current[r.Step]; a != nil && a.Backoff == nil {
				a.Backoff = r
			}
		}
	case event.Finalizing:
		rd.closeBatch(r.At)
		p := rd.pass
		if p.Finalizations == 0 {
			p.Finalizing = r.At
		}
		p.Finalizations++
	case event.PassEnded:
		if rd.pass.Ends >= finalizationAnnouncements {
			break // a repetition
		}
		rd.closeBatch(r.At)
		rd.pass.Ends++
		rd.pass.End = max(rd.pass.End, r.At)
		rd.pass.EndedAt = rd.position + 1
		rd.pass.arrived.show(r, GapPassEnd)
		if status := rd.task.Events.Detail(r).FinalStatus(); status != "" {
			rd.pass.FinalStatus = status
		}
	}
	if rd.ofAnotherPass(r) {
		rd.run.gaps++
		rd.pass.beginning.show(r, GapPassBeginning)
	}
	if rd.pass != nil && rd.pass.Ends == 0 && r.Kind.InsidePass() {
		rd.pass.Start, rd.pass.End = min(rd.pass.Start, r.At), max(rd.pass.End, r.At)
	}
	rd.measure(r)
	if r.Kind.EndsTask() {
		rd.run.Ended = true
		rd.run.Status = r.Kind.Status()
		rd.run.operated = r.Kind.Operated()
		if r.Kind == event.TaskFailed && (rd.run.Failure == nil || rd.run.Failure.Message == "") {
			rd.run.Failure = rd.task.Events.Detail(r).Failure
		}
	}
}

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

// show records that the current record shows a gap; after the last record, nothing waits for it any more.
func (rd *Reader) show(g *gap, of Gap) {
	if rd.at != nil {
		g.show(rd.at, of)
	}
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

// openBatch begins a batch at the event, which announces it or, where the announcement is missing, is its first sign.
func (rd *Reader) openBatch(r *event.Record, synthesized bool) {
	b := rd.arena.batches.next()
	*b = Batch{Start: r.At, End: r.At, size: -1, listed: rd.pass.discoveredSteps, Synthesized: synthesized, Attempts: b.Attempts}
	if synthesized {
		rd.run.gaps++
		b.beginning.show(r, GapBatchBeginning)
	} else {
		b.size, b.Mode = r.Number, rd.task.Events.Detail(r).BatchMode()
	}
	if len(b.listed) > 0 && b.size >= 0 && int(b.size) != len(b.listed) {
		b.beginning.show(r, GapBatchBeginning) // the discovery was for another batch
	}
	if rd.pass.Searching != 0 && !synthesized {
		rd.run.gaps++ // its discovery is missing
		rd.pass.missing.show(r, GapDiscovery)
	}
	b.Cut = !rd.roomFor(1, bytesPerSpan)
	rd.pass.Searching = 0
	rd.pass.Batches = append(rd.pass.Batches, b)
	rd.batch = b
}

// closeBatch ends a batch whose end was not announced: with the last event of its steps.
func (rd *Reader) closeBatch(now int64) {
	if rd.batch == nil {
		return
	}
	rd.run.gaps++
	rd.show(&rd.batch.missing, GapBatchEnd)
	rd.pass.Searching, rd.pass.searchGap = now, gap{}
	rd.show(&rd.pass.searchGap, GapBatchEnd)
	rd.leaveBatch()
}

// leaveBatch ends the current batch: no more events of its attempts are expected.
func (rd *Reader) leaveBatch() {
	rd.batch.closed = true
	for _, a := range rd.batch.Attempts {
		rd.show(&a.over, GapAttempt)
	}
	rd.batch = nil
}

func (rd *Reader) batchEnded(r *event.Record) {
	if rd.batch == nil {
		rd.openBatch(r, true)
	}
	b := rd.batch
	b.End, b.Announced, b.EndedAt = max(b.End, r.At), true, rd.position+1
	b.spun = len(b.Attempts) == 0 && rd.allFailed(b.listed)
	if rd.lacksAttempts(b) {
		b.missing.show(r, GapBatchAttempts)
	}
	rd.pass.Searching, rd.pass.searchGap = r.At, gap{}
	rd.pass.discoveredSteps = nil
	rd.leaveBatch()
}

// allFailed reports whether each of the steps has failed and was not reset: a pass that finds nothing else spins through empty
// batches (docs/tasker-events.md, "The order in one task, and what repeats").
func (rd *Reader) allFailed(steps []int16) bool {
	for _, step := range steps {
		if a := rd.current[step]; a == nil || a.Status != lifecycle.StatusFailure || rd.resets[step] {
			return false
		}
	}
	return len(steps) > 0
}

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

// finish closes the run: children inside parents, the end by the rule of docs/span-hierarchy.md, and the count of gaps.
func (rd *Reader) finish() {
	n := rd.run
	for _, a := range n.Attempts {
		if !rd.live && !a.whole(rd.task.Coarse) {
			n.gaps++
		}
		a.Batch.Start = min(a.Batch.Start, a.Start)
		a.Batch.End = max(a.Batch.End, a.End)
	}
	for _, p := range n.Passes {
		for _, b := range p.Batches {
			p.Start, p.End = min(p.Start, b.Start), max(p.End, b.End)
		}
		if rd.live {
			continue
		}
		if n.Status == lifecycle.StatusFailure && p.BatchesBefore+len(p.Batches) == 0 && !p.Idle {
			n.gaps++ // the steps that failed are missing
		}
		if p.discoveredSteps != nil {
			n.gaps++ // so is the batch of the last discovery
		}
		for _, b := range p.Batches {
			if rd.lacksAttempts(b) {
				n.gaps++
			}
		}
		if end, final := event.EndingOf(p.FinalStatus); final && !n.Ended {
			n.Ended, n.Status = true, end.Status()
			n.gaps++
		}
	}
	n.End = n.Start
	if last := len(n.Records) - 1; !n.Ended && last >= 0 {
		n.End = n.Records[last].At
	} else if !n.Ended {
		n.End = n.Before.At
	}
	for i := range n.Records {
		if r := &n.Records[i]; r.Kind.EndsTask() {
			n.End = max(n.End, r.At)
		}
	}
	for _, p := range n.Passes {
		n.Start, n.End = min(n.Start, p.Start), max(n.End, p.End)
	}
	if rd.live {
		return
	}
	n.gaps += rd.missing()
	if rd.task.jobWaits(n) {
		n.gaps++
	}
}
