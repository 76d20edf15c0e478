// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Reader reads the histories of tasks, one after the other. Its memory is reused for the next task, because an open task is read
// several times a second: what it returns is valid until the next task is loaded.
type Reader struct {
	limits  Limits
	records []event.Record
	arena   arena

	repeated  repetitions
	rebuilder rebuilder

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
	t.sort(&rd.repeated)
}

// ReadAll loads a task and reads its runs.
func (rd *Reader) ReadAll(t *Source, patience int64) []*Run {
	rd.Load(t)
	runs := rd.Read(t, patience, nil)
	if !t.Coarse || CountGaps(runs) == 0 {
		return runs
	}
	sorted := t.Records
	if t.Records = rd.rebuilder.rebuild(t); t.Records != nil {
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

// show records that the current record shows a gap; after the last record, nothing waits for it any more.
func (rd *Reader) show(g *gap, of Gap) {
	if rd.at != nil {
		g.show(rd.at, of)
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
