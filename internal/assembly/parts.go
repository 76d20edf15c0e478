package assembly

import "math"

// settles tells whether an event of the kind can settle a span, so that the task is to be looked at when the window after
// it has passed.
func (k kind) settles() bool {
	switch k {
	case kindPassBegan, kindDiscovered, kindHandlerBegan, kindBatchEnded, kindPassEnded:
		return true
	}
	return k.endsAttempt() || k.endsTask()
}

const (
	// looksPerWindow bounds how often a task is looked at.
	looksPerWindow = 4
	// manyRecords is the number of held records from which it is looked at half as often: each look reads them.
	manyRecords = 4000
)

// spacing is the least time between two looks at the task.
func (t *task) spacing() int64 {
	spacing := int64(t.limits.ReorderWindow) / looksPerWindow
	if t.packed.count > manyRecords {
		spacing *= 2
	}
	return spacing
}

// lookLater makes the task be looked at when an event that has just come may have settled something.
func (t *task) lookLater(now int64) {
	at := max(arrivedBy(now)+int64(t.limits.ReorderWindow), t.looked+t.spacing())
	if t.lookAt == 0 || at < t.lookAt {
		t.lookAt = at
	}
}

// lookParts emits what is settled of a task that goes on, and tells whether everything of it has come. Its records are
// unpacked.
func (a *Assembler) lookParts(t *task, now int64) (all bool) {
	t.looked, t.lookAt = now, 0
	sorted := t.records
	length, next := t.prefix(now, t.limits.ReorderWindow)
	all = length == len(sorted)
	if t.coarse {
		length = wholePasses(sorted[:length])
	}
	going := &settling{now: now, decided: all && t.ended, timeout: int64(t.limits.SettleTimeout), coarse: t.coarse, next: math.MaxInt64}
	if length > 0 {
		t.records = sorted[:length]
		a.emitParts(t, going)
		t.records = sorted
	}
	for i := range sorted[length:] {
		if sorted[length+i].kind.settles() && next < math.MaxInt64 {
			going.next = min(going.next, max(next, now+t.spacing()))
			break
		}
	}
	if going.next < math.MaxInt64 {
		t.lookAt = max(going.next, now+1)
	}
	return all
}

// emitParts emits what is settled in the task's records, which are all up to its frontier.
func (a *Assembler) emitParts(t *task, going *settling) {
	runs := t.history(&a.limits, going)
	if len(runs) == 0 {
		return
	}
	n := runs[len(runs)-1]
	if len(runs) > 1 || t.coarse && !n.sound() {
		return // a run that ended is released as a whole, and what comes behind it waits for that
	}
	before := t.tail
	if before == nil {
		before = new(tail)
	}
	tree := a.composer.compose(t, n, before, ReasonEnded, &a.limits, going)
	a.count(t, tree)
	if len(tree.Spans) == 0 {
		return
	}
	t.noteEmitted(&a.composer)
	t.frontier = max(t.frontier, t.records[len(t.records)-1].at)
	a.stats.Parts++
	a.stats.Unsettled += int64(a.composer.unsettled)
	a.sink(tree)
}

// emitOrphaned emits what is missing above the spans that are out of a task that is let go without a run.
func (a *Assembler) emitOrphaned(t *task, reason Reason) {
	before := t.tail
	if before == nil {
		before = new(tail)
	}
	tree := a.composer.orphaned(t, before, reason, &a.limits)
	a.stats.Incomplete++
	a.stats.Released[reason]++
	a.sink(tree)
}

// sound tells whether nothing is known to be missing in the run's passes.
func (n *run) sound() bool {
	for _, p := range n.passes {
		if p.settled.until != 0 || p.waited.until != 0 {
			return false
		}
	}
	return true
}

// isOut tells whether an event is of an attempt that has been emitted: it is late, because nothing that is out is changed. A
// query or a backoff makes a span of its own.
func (t *task) isOut(e *Event) bool {
	if e.At > t.frontier || e.StepID.Text == "" {
		return false
	}
	if k := classify(e); k == kindQuery || k == kindBackoff {
		return false
	}
	step := t.findStep(e.StepID.Text)
	return step != noStep && t.emitted.attempt(step, e.At, e.At) != nil
}
