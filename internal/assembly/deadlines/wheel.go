// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package deadlines

import "time"

const (
	// slots and TickLength span 51 seconds. What is due later is filed in the last slot, and again when that slot is reached.
	slots = 256
	// TickLength is the distance of two ticks in nanoseconds.
	TickLength = int64(200 * time.Millisecond)
)

// Entry is the place of a value in a wheel. The value holds it.
type Entry[T any] struct {
	due           int64
	tick          int64 // of the slot in which it is filed
	filed         bool
	before, after T // neighbours in that slot
}

// Due returns when the value is due, as last scheduled.
func (e *Entry[T]) Due() int64 { return e.due }

// InWheel is a value that can be in a wheel. The zero value of the type stands for none.
type InWheel[T any] interface {
	comparable
	Deadline() *Entry[T]
}

// Wheel finds the values that are due. A value is due at the first whole tick at or after its due time, and each is filed in the slot
// of that tick, or of an earlier one: a due time that moves later is only recorded, and the value is filed again when its slot is
// reached.
type Wheel[T InWheel[T]] struct {
	slots  [slots]T
	tick   int64 // of the slot that comes next
	values int
}

// Tick returns the tick at which what is due at a time is found.
func Tick(due int64) int64 {
	tick := due / TickLength
	if tick*TickLength < due {
		tick++
	}
	return tick
}

// Schedule sets when the value is due.
func (w *Wheel[T]) Schedule(v T, due int64) {
	e := v.Deadline()
	e.due = due
	if e.filed && Tick(due) >= e.tick {
		return
	}
	w.Remove(v)
	w.file(v)
}

func (w *Wheel[T]) file(v T) {
	var none T
	e := v.Deadline()
	if w.values == 0 {
		w.tick = min(w.tick, Tick(e.due))
	}
	e.tick = min(max(Tick(e.due), w.tick), w.tick+slots-1)
	slot := &w.slots[slotOf(e.tick)]
	e.after, e.before = *slot, none
	if *slot != none {
		(*slot).Deadline().before = v
	}
	*slot, e.filed = v, true
	w.values++
}

// Remove takes the value out; it does nothing if the value is not in the wheel.
func (w *Wheel[T]) Remove(v T) {
	var none T
	e := v.Deadline()
	if !e.filed {
		return
	}
	if e.before != none {
		e.before.Deadline().after = e.after
	} else {
		w.slots[slotOf(e.tick)] = e.after
	}
	if e.after != none {
		e.after.Deadline().before = e.before
	}
	e.before, e.after, e.filed = none, none, false
	w.values--
}

func slotOf(tick int64) int64 { return ((tick % slots) + slots) % slots }

// Turn takes out the values that are due up to now and appends them to due. After the clock went back there are none.
func (w *Wheel[T]) Turn(now int64, due []T) []T {
	last := now / TickLength
	if last < w.tick {
		return due
	}
	var none, later T
	for tick := w.tick; tick <= min(last, w.tick+slots-1); tick++ {
		for v := w.slots[slotOf(tick)]; v != none; v = w.slots[slotOf(tick)] {
			w.Remove(v)
			if e := v.Deadline(); Tick(e.due) <= last {
				due = append(due, v)
			} else {
				e.after, later = later, v
			}
		}
	}
	w.tick = last + 1
	for later != none {
		v := later
		e := v.Deadline()
		later, e.after = e.after, none
		w.file(v)
	}
	return due
}
