// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// reader reads the histories of tasks, one after the other. Its memory is reused for the next task, because an open task is read
// several times a second: what it returns is valid until the next reset.
type reader struct {
	limits treeLimits
	arena  arena

	// Of the task that is being read.
	task     *historyTask
	patience int64      // how long after an attempt's end another announcement of it counts, in the time of the events
	counts   []int32    // by step: attempts so far, over all runs
	current  []*attempt // by step: the attempt that its next event belongs to
	resets   []bool     // by step: reset since its last attempt
	listed   []bool     // by step: buffer for reading a batch

	// Of splitting its records into runs.
	open                []int8 // by step: announcements of an end that are still expected
	begins, began, ends cursor

	// Of the run that is being read.
	run      *run
	rerun    bool
	live     bool          // more records are to come
	at       *event.Record // current record; nil after the last
	position int           // how many records of the run were read
	room     room
	pass     *pass
	batch    *batch
	job      *event.Record // of the next pass
}

// newReader makes a reader that applies the limits.
func newReader(limits treeLimits) reader { return reader{limits: limits} }

// reset makes all memory available again.
func (rd *reader) reset() {
	rd.arena.reset()
	clear(rd.current)
}

// runs reads the runs out of a task's sorted records. The runs point into them. patience is how long after a cancellation a pass may
// begin that belongs to the cancelled run, and how long another announcement of an attempt's end counts. going is set for a task that
// is still open, whose later records are still to come: what is open at the end of these stays open, and the settled spans are found.
func (rd *reader) runs(t *historyTask, patience int64, going *settling) []*run {
	rd.begin(t, patience)
	var runs []*run
	stretches := rd.splitRuns()
	for i, span := range stretches {
		rd.rerun = i > 0 || t.released != nil
		rd.live = going != nil && i == len(stretches)-1
		n := rd.readRun(t.records[span.from:span.to], i == 0)
		n.to = span.to
		if rd.live {
			rd.settle(going)
		}
		runs = append(runs, n)
	}
	return runs
}

// firstRun reads a task's sorted records as a part of one run that is still open.
func (rd *reader) firstRun(t *historyTask, patience int64, going *settling) *run {
	rd.begin(t, patience)
	rd.live, rd.rerun = true, t.released != nil
	n := rd.readRun(t.records, true)
	rd.settle(going)
	return n
}

func (rd *reader) begin(t *historyTask, patience int64) {
	rd.task, rd.patience = t, patience
	steps := len(t.Events.Steps)
	rd.current, rd.resets = zeros(rd.current, steps), zeros(rd.resets, steps)
	rd.listed, rd.counts = zeros(rd.listed, steps), zeros(rd.counts, steps)
	if t.released != nil {
		for _, last := range t.released.attempts {
			rd.counts[last.step] = last.number
		}
	}
}

// readRun reads one run. The first one continues from the task's checkpoint, if there is one.
func (rd *reader) readRun(records []event.Record, first bool) *run {
	rd.run = rd.arena.runs.next()
	rd.run.records = records
	rd.pass, rd.batch, rd.job, rd.position, rd.room = nil, nil, nil, 0, room{}
	clear(rd.current)
	clear(rd.resets)
	if first && rd.task.checkpoint != nil {
		rd.resume(rd.task.checkpoint)
	} else {
		rd.run.start = records[0].At
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

func (rd *reader) read(r *event.Record) {
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
		rd.pass.idle = true
		rd.pass.toldIdle++
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
			if a := rd.current[r.Step]; a != nil && a.running() {
				rd.stepEnded(r)
			}
		}
	case event.StepReset:
		if r.Step != event.NoStep {
			rd.resets[r.Step] = true
		}
	case event.Backoff:
		if r.Step != event.NoStep {
			if a := rd.current[r.Step]; a != nil && a.backoff == nil {
				a.backoff = r
			}
		}
	case event.Finalizing:
		rd.closeBatch(r.At)
		p := rd.pass
		if p.finalizations == 0 {
			p.finalizing = r.At
		}
		p.finalizations++
	case event.PassEnded:
		if rd.pass.ends >= finalizationAnnouncements {
			break // a repetition
		}
		rd.closeBatch(r.At)
		rd.pass.ends++
		rd.pass.end = max(rd.pass.end, r.At)
		rd.pass.endedAt = rd.position + 1
		rd.pass.arrived.show(r, GapPassEnd)
		if status := rd.task.Events.Detail(r).FinalStatus(); status != "" {
			rd.pass.finalStatus = status
		}
	}
	if rd.ofAnotherPass(r) {
		rd.run.gaps++
		rd.pass.beginning.show(r, GapPassBeginning)
	}
	if rd.pass != nil && rd.pass.ends == 0 && r.Kind.InsidePass() {
		rd.pass.start, rd.pass.end = min(rd.pass.start, r.At), max(rd.pass.end, r.At)
	}
	rd.measure(r)
	if r.Kind.EndsTask() {
		rd.run.ended = true
		rd.run.status = r.Kind.Status()
		rd.run.operated = r.Kind.Operated()
		if r.Kind == event.TaskFailed && (rd.run.failure == nil || rd.run.failure.Message == "") {
			rd.run.failure = rd.task.Events.Detail(r).Failure
		}
	}
}

// ofAnotherPass reports whether an event that only a pass fires has another correlation id than the pass that is open (trap 6): the
// end of that one and the beginning of the event's own are missing. Without them two passes look like one.
func (rd *reader) ofAnotherPass(r *event.Record) bool {
	switch r.Kind {
	case event.Discovered, event.NothingViable, event.BatchBegan, event.BatchEnded, event.Finalizing, event.PassEnded:
		p := rd.pass
		return p != nil && r.CorrelationID != p.correlationID && r.CorrelationID != 0 && p.correlationID != 0
	}
	return false
}

// endsKnownAttempt reports whether the event is a terminal announcement of an attempt that has begun: the first, or another of the
// same outcome.
func (rd *reader) endsKnownAttempt(r *event.Record) bool {
	if !r.Kind.EndsAttempt() || r.Step == event.NoStep {
		return false
	}
	a := rd.current[r.Step]
	return a != nil && (a.running() && !rd.putBack(a) && !rd.abandoned(a) || a.endsAgain(r))
}

// endsAgain reports whether the event announces the end of an ended attempt once more.
func (a *attempt) endsAgain(r *event.Record) bool {
	return !a.running() && a.ends < attemptAnnouncements && a.status == r.Kind.Status()
}

// abandoned reports whether an attempt without an end belongs to a pass that died so long ago that its end is not expected any
// more.
func (rd *reader) abandoned(a *attempt) bool {
	return a.running() && a.pass != rd.pass && rd.position-a.pass.left > abandonedAfter
}

// abandonedAfter is how many records after the end of its pass a running attempt is given up. It is a number of records, so
// that it is the same whenever they are read.
const abandonedAfter = 1000

// putBack reports whether the attempt's step was reset since it began. Within a batch a step runs once: a reset there is only
// apparent, because the operator's clock differs from the worker's.
func (rd *reader) putBack(a *attempt) bool { return rd.resets[a.step] && a.batch != rd.batch }

// leavesEndedPass reports whether the event shows that a pass of which an end was announced is over. Between the two announcements
// events can occur that belong to no pass: an application's own event, a query, an operator's action.
func (rd *reader) leavesEndedPass(r *event.Record) bool {
	p := rd.pass
	switch {
	case p == nil || p.ends == 0 || r.Kind == event.PassBegan || rd.endsKnownAttempt(r):
		return false
	case p.ends < finalizationAnnouncements:
		return r.Kind.InsidePass() && (r.Kind != event.PassEnded || r.At-p.end > followUp)
	}
	return r.Kind != event.PassEnded
}

func (rd *reader) openPass(r *event.Record, synthesized bool) {
	p := rd.arena.passes.next()
	*p = pass{
		start: r.At, end: r.At, correlationID: r.CorrelationID, synthesized: synthesized, searching: r.At, job: rd.job, batches: p.batches, searches: p.searches,
	}
	p.index = 1
	if before := len(rd.run.passes); before > 0 {
		p.index = rd.run.passes[before-1].index + 1
	}
	p.began.show(r, GapJob)
	if synthesized {
		p.correlationID = 0
		rd.run.gaps++
		p.beginning.show(r, GapPassBeginning)
	}
	if !rd.rerun && (p.job == nil || int(p.job.Number)-1 > p.index) {
		p.enqueuing.show(r, GapJob)
		if p.job != nil {
			p.missing.show(r, GapJob) // earlier passes, and so its index
		}
	}
	rd.job = nil
	rd.room = room{}
	rd.pass = p
	rd.run.passes = append(rd.run.passes, p)
}

func (rd *reader) closePass() {
	p := rd.pass
	if p == nil {
		return
	}
	rd.closeBatch(p.end)
	if p.ends < finalizationAnnouncements || p.finalizations < finalizationAnnouncements {
		rd.run.gaps++
		rd.show(&p.missing, GapPassEnd)
	}
	p.left, p.closed = rd.position, true
	rd.room = room{}
	rd.pass = nil
}

// show records that the current record shows a gap; after the last record, nothing waits for it any more.
func (rd *reader) show(g *gap, of Gap) {
	if rd.at != nil {
		g.show(rd.at, of)
	}
}

func (rd *reader) discovered(r *event.Record) {
	p := rd.pass
	rd.closeBatch(r.At)
	if p.searching != 0 {
		p.searches = append(p.searches, search{start: p.searching, end: r.At, announced: 1, arrived: gap{r.Arrived, GapDiscovery}, beginning: p.searchGap})
		p.searching, p.searchGap = 0, gap{}
		p.discoveredSteps = rd.task.Events.List(r)
		p.searches[len(p.searches)-1].cut = !rd.roomFor(1, bytesPerSpan)
	} else if n := len(p.searches); n > 0 {
		p.searches[n-1].announced++
		p.searches[n-1].arrived.show(r, GapDiscovery)
	}
}

// openBatch begins a batch at the event, which announces it or, where the announcement is missing, is its first sign.
func (rd *reader) openBatch(r *event.Record, synthesized bool) {
	b := rd.arena.batches.next()
	*b = batch{start: r.At, end: r.At, size: -1, listed: rd.pass.discoveredSteps, synthesized: synthesized, attempts: b.attempts}
	if synthesized {
		rd.run.gaps++
		b.beginning.show(r, GapBatchBeginning)
	} else {
		b.size, b.mode = r.Number, rd.task.Events.Detail(r).BatchMode()
	}
	if len(b.listed) > 0 && b.size >= 0 && int(b.size) != len(b.listed) {
		b.beginning.show(r, GapBatchBeginning) // the discovery was for another batch
	}
	if rd.pass.searching != 0 && !synthesized {
		rd.run.gaps++ // its discovery is missing
		rd.pass.missing.show(r, GapDiscovery)
	}
	b.cut = !rd.roomFor(1, bytesPerSpan)
	rd.pass.searching = 0
	rd.pass.batches = append(rd.pass.batches, b)
	rd.batch = b
}

// closeBatch ends a batch whose end was not announced: with the last event of its steps.
func (rd *reader) closeBatch(now int64) {
	if rd.batch == nil {
		return
	}
	rd.run.gaps++
	rd.show(&rd.batch.missing, GapBatchEnd)
	rd.pass.searching, rd.pass.searchGap = now, gap{}
	rd.show(&rd.pass.searchGap, GapBatchEnd)
	rd.leaveBatch()
}

// leaveBatch ends the current batch: no more events of its attempts are expected.
func (rd *reader) leaveBatch() {
	rd.batch.closed = true
	for _, a := range rd.batch.attempts {
		rd.show(&a.over, GapAttempt)
	}
	rd.batch = nil
}

func (rd *reader) batchEnded(r *event.Record) {
	if rd.batch == nil {
		rd.openBatch(r, true)
	}
	b := rd.batch
	b.end, b.announced, b.endedAt = max(b.end, r.At), true, rd.position+1
	b.spun = len(b.attempts) == 0 && rd.allFailed(b.listed)
	if rd.lacksAttempts(b) {
		b.missing.show(r, GapBatchAttempts)
	}
	rd.pass.searching, rd.pass.searchGap = r.At, gap{}
	rd.pass.discoveredSteps = nil
	rd.leaveBatch()
}

// allFailed reports whether each of the steps has failed and was not reset: a pass that finds nothing else spins through empty
// batches (docs/tasker-events.md, "The order in one task, and what repeats").
func (rd *reader) allFailed(steps []int16) bool {
	for _, step := range steps {
		if a := rd.current[step]; a == nil || a.status != lifecycle.StatusFailure || rd.resets[step] {
			return false
		}
	}
	return len(steps) > 0
}

// requested reads the announcement that an attempt begins: the first one begins it, the others repeat it.
func (rd *reader) requested(r *event.Record) {
	if r.Step == event.NoStep {
		return
	}
	a := rd.current[r.Step]
	again := a != nil && a.running() && a.handler == 0 && a.requests < attemptAnnouncements && a.pass == rd.pass &&
		(a.batch == rd.batch || rd.batch == nil && !rd.resets[r.Step])
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
func (rd *reader) sameAttempt(a *attempt, r *event.Record) bool {
	return a != nil && a.requests < attemptAnnouncements && r.Number >= 0 && int32(r.Number) == a.started && !rd.resets[r.Step]
}

func (rd *reader) openAttempt(r *event.Record, synthesized bool) *attempt {
	if rd.batch != nil && rd.inNextBatch(r.Step) {
		rd.closeBatch(r.At)
	}
	if rd.batch == nil {
		rd.openBatch(r, true)
	}
	a := rd.arena.attempts.next()
	*a = attempt{
		step: r.Step, start: r.At, end: r.At, lastRequest: r.At, started: -1, correlationID: r.CorrelationID, synthesized: synthesized,
		batch: rd.batch, pass: rd.pass,
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
	a.number = rd.counts[r.Step]
	if a.before = rd.current[r.Step]; a.before != nil {
		a.before.after = a
		a.before.over.show(r, GapAttempt)
		a.earlier.join(a.before.earlier)
		if a.before.requests < attemptAnnouncements && !a.before.forgotten {
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
	rd.batch.attempts = append(rd.batch.attempts, a)
	rd.run.attempts = append(rd.run.attempts, a)
	return a
}

// inNextBatch reports whether an attempt of the step that begins now cannot be in the batch that is open: the step, or one that it
// waits for, is already in it. The end of that batch and the beginning of the next are missing.
func (rd *reader) inNextBatch(step int16) bool {
	deps := rd.task.Events.Steps[step].Deps
	for _, a := range rd.batch.attempts {
		if a.step == step || slices.Contains(deps, rd.task.Events.Steps[a.step].Name) {
			return true
		}
	}
	return false
}

func (rd *reader) handled(r *event.Record) {
	if r.Step == event.NoStep {
		return
	}
	a := rd.current[r.Step]
	if a == nil || a.handler != 0 || rd.putBack(a) || !a.running() && a.firstEnd < r.At {
		a = rd.openAttempt(r, true)
	}
	a.handler = r.At
	a.join(r)
}

func (rd *reader) stepEnded(r *event.Record) {
	if r.Step == event.NoStep {
		return
	}
	a := rd.current[r.Step]
	if a != nil && a.endsAgain(r) && r.At-a.end > max(rd.patience, followUp) {
		return // a repetition; this late, an announcement is not waited for
	}
	if !rd.endsKnownAttempt(r) {
		if rd.pass == nil {
			rd.openPass(r, true)
		}
		a = rd.openAttempt(r, true)
	}
	if a.ends == 0 {
		a.firstEnd = r.At
	}
	a.ends++
	a.join(r)
	a.status = r.Kind.Status()
	if f := rd.task.Events.Detail(r).Failure; f != nil && (a.failure == nil || a.failure.Generic && !f.Generic) {
		a.failure, a.failureCut = f, !rd.roomFor(0, bytesPerSpanEvent+int64(3*len(f.Message)+len(f.Backtrace)))
	}
	if r.Kind != event.StepFailed && r.Kind != event.StepCompleted {
		a.ends = attemptAnnouncements // announced once only
	}
}

// finish closes the run: children inside parents, the end by the rule of docs/span-hierarchy.md, and the count of gaps.
func (rd *reader) finish() {
	n := rd.run
	for _, a := range n.attempts {
		if !rd.live && !a.whole(rd.task.coarse) {
			n.gaps++
		}
		a.batch.start = min(a.batch.start, a.start)
		a.batch.end = max(a.batch.end, a.end)
	}
	for _, p := range n.passes {
		for _, b := range p.batches {
			p.start, p.end = min(p.start, b.start), max(p.end, b.end)
		}
		if rd.live {
			continue
		}
		if n.status == lifecycle.StatusFailure && p.batchesBefore+len(p.batches) == 0 && !p.idle {
			n.gaps++ // the steps that failed are missing
		}
		if p.discoveredSteps != nil {
			n.gaps++ // so is the batch of the last discovery
		}
		for _, b := range p.batches {
			if rd.lacksAttempts(b) {
				n.gaps++
			}
		}
		if end, final := event.EndingOf(p.finalStatus); final && !n.ended {
			n.ended, n.status = true, end.Status()
			n.gaps++
		}
	}
	n.end = n.start
	if last := len(n.records) - 1; !n.ended && last >= 0 {
		n.end = n.records[last].At
	} else if !n.ended {
		n.end = n.before.at
	}
	for i := range n.records {
		if r := &n.records[i]; r.Kind.EndsTask() {
			n.end = max(n.end, r.At)
		}
	}
	for _, p := range n.passes {
		n.start, n.end = min(n.start, p.start), max(n.end, p.end)
	}
	if rd.live {
		return
	}
	n.gaps += rd.missing()
	if rd.task.jobWaits(n) {
		n.gaps++
	}
}
