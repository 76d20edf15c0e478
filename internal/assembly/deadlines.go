// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import "time"

// waiting is what an open task waits for, counted from its last event on.
type waiting uint8

const (
	// waitQuiet: the task ended, and as far as is known nothing is missing.
	waitQuiet waiting = iota
	// waitMissing: the task ended, and a check found events missing.
	waitMissing
	// waitActivity: the task was released, and only the queue's own retries arrived since.
	waitActivity
	// waitEnd: the task has not ended.
	waitEnd
	// waitResumed: a check found that the task resumed after its end.
	waitResumed
)

// Waits are the timeouts of tasks of one name.
type Waits struct {
	ReorderWindow, SettleTimeout, IdleTimeout time.Duration
}

// of returns how long a task waits from its last event on.
func (w *Waits) of(what waiting) time.Duration {
	switch what {
	case waitQuiet:
		return w.ReorderWindow
	case waitMissing, waitActivity:
		return w.SettleTimeout
	default:
		return w.IdleTimeout
	}
}

// patience returns how long after a cancellation a pass may begin that belongs to the cancelled run: a task whose job is still in
// the queue is held for it. It is also, by the time of the events, how long after an attempt's end another announcement of it
// counts.
func (w *Waits) patience() int64 { return int64(w.SettleTimeout - w.ReorderWindow) }

// sharedWaits bounds the names of tasks whose waits are cached.
const sharedWaits = 1 << 12

// waitsOf returns the timeouts of tasks of the name.
func (a *Assembler) waitsOf(name string) *Waits {
	if a.limits.WaitsOf == nil || name == "" {
		return &a.usual
	}
	if known, ok := a.waits[name]; ok {
		return known
	}
	waits := a.limits.WaitsOf(name)
	makeRoom(a.waits, sharedWaits)
	a.waits[name] = &waits
	return &waits
}

// line is the tasks in the order of their last event: the first has been idle longest.
type line struct{ first, last *task }

func (l *line) join(t *task) {
	t.before, t.after = l.last, nil
	if l.last != nil {
		l.last.after = t
	} else {
		l.first = t
	}
	l.last = t
}

func (l *line) leave(t *task) {
	if t.before != nil {
		t.before.after = t.after
	} else {
		l.first = t.after
	}
	if t.after != nil {
		t.after.before = t.before
	} else {
		l.last = t.before
	}
	t.before, t.after = nil, nil
}

// rejoin puts the task at the end of the line.
func (l *line) rejoin(t *task) {
	if l.last != t {
		l.leave(t)
		l.join(t)
	}
}

const (
	// wheelSlots and wheelTick span 51 seconds. What is due later is filed in the last slot, and again when that slot is reached.
	wheelSlots = 256
	wheelTick  = int64(200 * time.Millisecond)
)

// wheel finds the tasks that are due. A task is checked when the first whole tick at or after its due time comes, and each open
// task is filed in the slot of that tick, or of an earlier one: a due time that moves later is only recorded, and the task is filed
// again when its slot is reached. So no operation on a task costs more with more open tasks.
type wheel struct {
	slots [wheelSlots]*task
	tick  int64 // of the slot that comes next
	tasks int
}

// tickOf returns the tick at which a task due at a time is checked.
func tickOf(due int64) int64 {
	tick := due / wheelTick
	if tick*wheelTick < due {
		tick++
	}
	return tick
}

// schedule sets when the task is due.
func (w *wheel) schedule(t *task, due int64) {
	t.due = due
	if t.filed && tickOf(due) >= t.tick {
		return
	}
	w.remove(t)
	w.file(t)
}

func (w *wheel) file(t *task) {
	if w.tasks == 0 {
		w.tick = min(w.tick, tickOf(t.due))
	}
	t.tick = min(max(tickOf(t.due), w.tick), w.tick+wheelSlots-1)
	slot := &w.slots[slotOf(t.tick)]
	t.dueAfter, t.dueBefore = *slot, nil
	if *slot != nil {
		(*slot).dueBefore = t
	}
	*slot, t.filed = t, true
	w.tasks++
}

// remove takes the task out; it does nothing if the task is not filed.
func (w *wheel) remove(t *task) {
	if !t.filed {
		return
	}
	if t.dueBefore != nil {
		t.dueBefore.dueAfter = t.dueAfter
	} else {
		w.slots[slotOf(t.tick)] = t.dueAfter
	}
	if t.dueAfter != nil {
		t.dueAfter.dueBefore = t.dueBefore
	}
	t.dueBefore, t.dueAfter, t.filed = nil, nil, false
	w.tasks--
}

func slotOf(tick int64) int64 { return ((tick % wheelSlots) + wheelSlots) % wheelSlots }

// turn takes out the tasks that are due up to now and returns them. After the clock went back there are none.
func (w *wheel) turn(now int64, due []*task) []*task {
	last := now / wheelTick
	if last < w.tick {
		return due
	}
	var later *task
	for tick := w.tick; tick <= min(last, w.tick+wheelSlots-1); tick++ {
		for t := w.slots[slotOf(tick)]; t != nil; t = w.slots[slotOf(tick)] {
			w.remove(t)
			if tickOf(t.due) <= last {
				due = append(due, t)
			} else {
				t.dueAfter, later = later, t
			}
		}
	}
	w.tick = last + 1
	for later != nil {
		t := later
		later, t.dueAfter = t.dueAfter, nil
		w.file(t)
	}
	return due
}
