// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package history

import "github.com/tasker-otel/otelcol-tasker/internal/assembly/event"

// followUp is how long after the end of a run another announcement of the same end, outside a pass, still belongs to it.
const followUp = int64(2e9)

// stretch is a range of a task's sorted records that makes up one run.
type stretch struct{ from, to int }

// splitRuns splits the sorted records where a task ended and later resumed. A run ends with the pass in which its terminal event
// came, or with that event itself outside a pass; it is followed by another run when something of the task happens after that. The
// job's own retries after the end are no activity: they begin no run and extend none, and are in no stretch. patience is how long
// after a cancellation its job may still begin a pass of the same run.
func (rd *Reader) splitRuns() []stretch {
	var runs []stretch
	t, records := rd.task, rd.task.Records
	rd.begins, rd.began, rd.ends = nowhere, nowhere, nowhere
	from := 0
	if t.Checkpoint != nil && len(records) == 0 {
		return []stretch{{}}
	}
	if t.Released != nil && t.Checkpoint == nil { // a released run: nothing before its end is left
		first := t.goesOn()
		if first == len(records) {
			return nil
		}
		from = leadIn(records, 0, first)
	}
	for from < len(records) {
		end := rd.endOfRun(from)
		if end < 0 {
			return append(runs, stretch{from, len(records)})
		}
		runs = append(runs, stretch{from, end})
		first := nextActivity(records, end)
		if first == len(records) {
			break
		}
		from = leadIn(records, end, first)
	}
	return runs
}

// goesOn finds the first record that shows that the task resumed after the run that was released.
func (t *Source) goesOn() int {
	for i := range t.Records {
		if r := &t.Records[i]; t.Released.FollowedBy(r.Kind, r.At) {
			return i
		}
	}
	return len(t.Records)
}

// endOfRun finds the index after the last record of the run that begins at from, or -1 when the run has not ended.
func (rd *Reader) endOfRun(from int) int {
	t := rd.task
	rd.open = zeros(rd.open, len(t.Events.Steps))
	var (
		records  = t.Records
		open     = rd.open
		inPass   bool
		ends     int // announcements of the pass's end
		passEnd  int // index after the last of them
		inside   int // index after the last record of the pass
		ended    bool
		status   = event.SpanEvent
		endAt    int64
		end      = -1
		resuming = -1 // index of the pass that ends after the task was cancelled
	)
	if cp := t.Checkpoint; cp != nil && from == 0 {
		inPass, ends = true, cp.Pass.Ends
		for i := range cp.Steps {
			if s := &cp.Steps[i]; s.Requests > 0 {
				open[s.Step] = int8(attemptAnnouncements - s.Ends)
			}
		}
	}
	for i := from; i < len(records); i++ {
		r := &records[i]
		known := false // whether the event ends an attempt of the run
		if r.Step != event.NoStep {
			switch {
			case r.Kind == event.StepRequested:
				open[r.Step] = attemptAnnouncements
			case (r.Kind == event.StepCompleted || r.Kind == event.StepFailed) && open[r.Step] > 0:
				open[r.Step]--
				known = true
			}
		}
		if !inPass && (end < 0 || i == resuming) && !known && r.Kind.InsidePass() {
			inPass, ends, inside = true, 0, i+1 // its beginning is missing
		}
		if inPass && ended && ends == 0 && r.Kind.LeavesPass(status) {
			inPass = false // its end was not announced
			end, endAt = inside, records[inside-1].At
		}
		if inPass && (r.Kind.InsidePass() || r.Kind.EndsTask()) {
			inside = i + 1
		}
		switch {
		case r.Kind == event.PassBegan:
			if ended && end >= 0 && i != resuming && (status != event.TaskCancelled || rd.cancelledPass(i, endAt+rd.patience) != i) {
				return end
			}
			inPass, ends, inside = true, 0, i+1
			continue
		case r.Kind.EndsTask():
			if ended && end >= 0 && (r.Kind != status || r.At-endAt > followUp) {
				return end
			}
			ended, status = true, r.Kind
			if !inPass || ends >= finalizationAnnouncements {
				inPass = false
				end, endAt = i+1, r.At
			}
			continue
		case r.Kind == event.PassEnded && inPass:
			ends++
			passEnd = i + 1
			if final, is := event.EndingOf(t.Events.Detail(r).FinalStatus()); is {
				ended, status = true, final
			}
			if ended && ends >= finalizationAnnouncements {
				inPass = false
				end, endAt = passEnd, r.At
			}
			continue
		case inPass && ended && ends > 0 && r.Kind.Activity():
			inPass = false // its second announcement is missing
			end, endAt = passEnd, records[passEnd-1].At
		}
		switch {
		case end < 0 || inPass || i < end || i < resuming:
		case known, r.Kind == event.PassEnded && r.At-endAt <= followUp:
			end, endAt = i+1, r.At
		case r.Kind.Activity():
			if resuming = -1; status == event.TaskCancelled {
				resuming = rd.cancelledPass(i, endAt+rd.patience)
			}
			if resuming < 0 {
				return end
			}
		}
	}
	if ended && inPass {
		end = len(records)
		if ends > 0 {
			end = passEnd
		}
	}
	return end
}

// cancelledPass returns the index at which a pass begins that follows a cancellation and ends as cancelled, or has not ended: it is
// the end of the run that was cancelled while its job waited, not the beginning of another. -1 when none begins in time.
func (rd *Reader) cancelledPass(from int, latest int64) int {
	t := rd.task
	began := rd.begins.next(t.Records, from, func(r *event.Record) bool { return r.Kind == event.PassBegan || r.Kind.InsidePass() })
	if began == len(t.Records) || t.Records[began].At > latest {
		return -1
	}
	end := rd.ends.next(t.Records, from, func(r *event.Record) bool {
		if r.Kind == event.PassEnded {
			_, final := event.EndingOf(t.Events.Detail(r).FinalStatus())
			return final
		}
		return r.Kind == event.TaskCompleted || r.Kind == event.TaskFailed
	})
	if end < began || rd.began.next(t.Records, began+1, func(r *event.Record) bool { return r.Kind == event.PassBegan }) < end {
		return -1
	}
	if end < len(t.Records) {
		if as, final := event.EndingOf(t.Events.Detail(&t.Records[end]).FinalStatus()); t.Records[end].Kind != event.PassEnded || !final || as != event.TaskCancelled {
			return -1
		}
	}
	return began
}

// cursor is where the next record of a kind is. The reader searches for it repeatedly from increasing places, so the records are
// scanned once.
type cursor struct{ from, at int }

// nowhere is the cursor of a reader that has not begun.
var nowhere = cursor{from: 0, at: -1}

func (c *cursor) next(records []event.Record, from int, is func(*event.Record) bool) int {
	if c.from <= from && from <= c.at {
		return c.at
	}
	c.from = from
	for c.at = from; c.at < len(records) && !is(&records[c.at]); {
		c.at++
	}
	return c.at
}

// GoesOnAfter reports whether more is to be expected after the last run: it has not ended, one of its passes is still running
// though an operator has ended the task, or the task was enqueued again.
func (t *Source) GoesOnAfter(n *Run) bool {
	if !n.Ended || t.QueuedAgain(n) {
		return true
	}
	if n.operated && len(n.Passes) > 0 {
		last := n.Passes[len(n.Passes)-1]
		return last.Ends == 0 && last.Finalizations == 0
	}
	return false
}

// jobWaits reports whether a job of a task that was cancelled outside of a pass is still in the queue. It may yet run a pass, which
// then belongs to the same run.
func (t *Source) jobWaits(n *Run) bool {
	if n.Status != event.TaskCancelled.Status() {
		return false
	}
	waits := t.Checkpoint != nil && t.Checkpoint.Pass.Ends > 0
	for i := range t.Records {
		switch r := &t.Records[i]; r.Kind {
		case event.Enqueued:
			waits = true
		case event.JobBegan, event.PassBegan:
			waits = false
		case event.PassEnded:
			_, final := event.EndingOf(t.Events.Detail(r).FinalStatus())
			waits = !final
		}
	}
	return waits
}

// QueuedAgain reports whether the task was enqueued again after the run: another run is expected. If it is the task's only
// enqueuing, its creator's clock is ahead.
func (t *Source) QueuedAgain(n *Run) bool {
	before, after := t.Released != nil || t.Checkpoint != nil && t.Checkpoint.Announced.Enqueued, false
	for i := range t.Records {
		if t.Records[i].Kind == event.Enqueued {
			before, after = before || i < n.To, after || i >= n.To
		}
	}
	return before && after
}

// nextActivity finds the first record from the index on that shows that the task is still open.
func nextActivity(records []event.Record, from int) int {
	for i := from; i < len(records); i++ {
		if records[i].Kind.Activity() {
			return i
		}
	}
	return len(records)
}

// leadIn finds where a rerun begins whose first activity is known: with the enqueuing of its job, when the activity is the work of
// a job.
func leadIn(records []event.Record, from, first int) int {
	switch records[first].Kind {
	case event.TaskStarted, event.PassBegan, event.Created:
	default:
		return first
	}
	for i := first - 1; i >= from; i-- {
		if records[i].Kind == event.JobBegan {
			for j := i - 1; j >= from; j-- {
				if records[j].Kind == event.Enqueued {
					return j
				}
				if records[j].Kind == event.JobBegan {
					break
				}
			}
			return i
		}
		if records[i].Kind == event.Enqueued {
			return i
		}
	}
	return first
}
