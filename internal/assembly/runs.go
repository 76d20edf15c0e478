package assembly

// stretch is a range of a task's sorted records that makes up one run.
type stretch struct{ from, to int }

// splitRuns cuts the sorted records where a task ended and later went on. A run ends with the pass in which its terminal
// event came, or with that event itself outside a pass; it is followed by another run when something of the task
// happens after that. The job's own retries after the end are no activity: they begin no run and extend none, and are
// in no stretch.
func (t *task) splitRuns() []stretch {
	var runs []stretch
	records := t.records
	from, i := 0, 0
	ended := t.tail != nil // a released run: nothing before its end is left
	if ended {
		first := nextActivity(records, 0)
		if first == len(records) {
			return nil
		}
		from = leadIn(records, 0, first)
	}
	for i = from; i < len(records); {
		end := t.endOfRun(i)
		if end < 0 {
			break
		}
		runs = append(runs, stretch{from, end})
		first := nextActivity(records, end)
		if first == len(records) {
			return runs
		}
		from = leadIn(records, end, first)
		i = from
	}
	if from < len(records) {
		runs = append(runs, stretch{from, len(records)})
	}
	return runs
}

// endOfRun finds the index behind the last record of the run that begins at from, or -1 when the run has not ended.
func (t *task) endOfRun(from int) int {
	var (
		records = t.records
		began   = make([]int8, len(t.steps)) // announcements of an end that are still to come, by step
		inPass  bool
		ends    int // announcements of the pass's end
		passEnd int // index behind the last of them
		ended   bool
		status  = kindNote
		endAt   int64
		end     = -1
	)
	for i := from; i < len(records); i++ {
		r := &records[i]
		if r.kind == kindStepRequested && r.step != noStep {
			began[r.step] = attemptAnnouncements
		}
		switch {
		case r.kind == kindPassBegan:
			if ended && end >= 0 && (status != kindTaskCancelled || !t.cancelledPass(records[i:])) {
				return end
			}
			inPass, ends = true, 0
		case r.kind.endsTask():
			if ended && end >= 0 && r.at-endAt > followUp {
				return end
			}
			ended, status = true, r.kind
			if !inPass || ends >= finalizationAnnouncements {
				inPass = false
				end, endAt = i+1, r.at
			}
			continue
		case r.kind == kindPassEnded && inPass:
			ends++
			passEnd = i + 1
			if _, final := finalStatuses[t.detail(r).word]; final {
				ended = true
			}
			if ended && ends >= finalizationAnnouncements {
				inPass = false
				end, endAt = passEnd, r.at
			}
			continue
		case inPass && ended && ends > 0 && r.kind.activity() && !r.kind.endsAttempt():
			inPass = false // its second announcement is missing
			end, endAt = passEnd, records[passEnd-1].at
		}
		if end < 0 || i < end {
			continue
		}
		if r.kind.endsAttempt() && r.step != noStep && began[r.step] > 0 {
			began[r.step]--
			end, endAt = i+1, r.at
			continue
		}
		if r.kind.activity() {
			return end
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

// cancelledPass tells whether the pass that begins the records ends as cancelled: then it is the end of the run that was
// cancelled before, not the beginning of another.
func (t *task) cancelledPass(records []record) bool {
	for i := 1; i < len(records) && records[i].kind != kindPassBegan; i++ {
		if status := t.detail(&records[i]).word; records[i].kind == kindPassEnded && status != "" {
			return status == "cancelled"
		}
	}
	return false
}

// nextActivity finds the first record from the index on that shows that the task goes on.
func nextActivity(records []record, from int) int {
	for i := from; i < len(records); i++ {
		if records[i].kind.activity() {
			return i
		}
	}
	return len(records)
}

// leadIn finds where a rerun begins whose first activity is known: with the job that led to it, and the enqueuing of that
// job, when the activity is the work of a job.
func leadIn(records []record, from, first int) int {
	switch records[first].kind {
	case kindTaskStarted, kindPassBegan, kindCreated:
	default:
		return first
	}
	for i := first - 1; i >= from; i-- {
		if records[i].kind == kindJobBegan {
			for j := i - 1; j >= from; j-- {
				if records[j].kind == kindEnqueued {
					return j
				}
				if records[j].kind == kindJobBegan {
					break
				}
			}
			return i
		}
		if records[i].kind == kindEnqueued {
			return i
		}
	}
	return first
}
