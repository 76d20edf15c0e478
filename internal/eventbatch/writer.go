// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventbatch

import (
	"math"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// version is the first byte of a batch.
const version = 4

// Batch is a batch of events.
type Batch struct {
	// Events are the events, in the form that a Writer writes.
	Events string
	// Decisions has a byte for each of them, as AppendDecision and AppendDropped write it; it is empty if no router has decided on
	// them. A router adds it and leaves the events as they are.
	Decisions string
}

// Head is what an event has besides its shape and values.
type Head struct {
	TraceID  pcommon.TraceID
	Identity uint64
	Time     pcommon.Timestamp
	// Routed is true if a router has set Signals and Priority.
	Routed   bool
	Signals  lifecycle.Signals
	Priority lifecycle.Priority
	// AtReceipt is true if the time is also that of the event's receipt.
	AtReceipt bool
}

// Offsets of the parts of an event before its values: length, shape, flags, trace id, identity, time.
const (
	shapeAt    = lengthBytes
	flagsAt    = shapeAt + 2
	traceAt    = flagsAt + 1
	identityAt = traceAt + 2*wordBytes
	timeAt     = identityAt + wordBytes
	headBytes  = timeAt + wordBytes

	headWordCount = (headBytes - traceAt) / wordBytes

	maxShapes = 1 << (2 * wordBits)
	// lengthBytes are those of the length of an event, and of a list. MaxEventBytes is the longest event.
	lengthBytes   = 4
	MaxEventBytes = 1<<(lengthBytes*wordBits) - 1
)

// Writer makes one batch at a time. Its memory is reused for the next.
type Writer struct {
	application uint64
	shapes      []byte
	places      map[*Shape]int
	kinds       int
	events      []byte
	decisions   []byte
	routed      bool // of any event
	count       int
	// from is where the current event begins, and list where the elements of the current list do.
	from, list int
}

// Reset begins a batch of the events of an application, given by a hash.
func (w *Writer) Reset(application uint64) {
	w.application = application
	w.shapes, w.events, w.decisions = w.shapes[:0], w.events[:0], w.decisions[:0]
	w.kinds, w.count, w.from, w.routed = 0, 0, 0, false
	clear(w.places)
}

// Events returns the number of events in the batch.
func (w *Writer) Events() int { return w.count }

// Size returns the capacity of the buffers kept for the next batch.
func (w *Writer) Size() int { return cap(w.events) + cap(w.shapes) }

// Batch returns a copy of the batch.
func (w *Writer) Batch() Batch {
	var head [1 + wordBytes + maxNumber]byte
	head[0] = version
	putWord(head[1:], w.application)
	var b strings.Builder
	b.Grow(len(head) + len(w.shapes) + len(w.events))
	b.Write(appendUint(head[:1+wordBytes], uint64(w.kinds)))
	b.Write(w.shapes)
	b.Write(w.events)
	batch := Batch{Events: b.String()}
	if w.routed {
		batch.Decisions = string(w.decisions)
	}
	return batch
}

// Begin begins an event. Its values follow, in the order of the keys, and End or Cancel. It returns false, and begins nothing, if the
// shape is too long or the batch has too many.
func (w *Writer) Begin(shape *Shape) bool {
	place, known := w.places[shape]
	if !known {
		if place = w.kinds; place == maxShapes || !shape.fits() {
			return false
		}
		if w.places == nil {
			w.places = map[*Shape]int{}
		}
		w.places[shape] = place
		w.kinds++
		w.shapes = appendText(w.shapes, shape.encoded)
	}
	w.from = len(w.events)
	w.events = append(w.events, make([]byte, headBytes)...)
	putSmall(w.events[w.from+shapeAt:][:2], place)
	return true
}

// Text writes a text.
func (w *Writer) Text(text []byte) {
	w.events = appendText(append(w.events, byte(KindText)), text)
}

// String is Text for a string.
func (w *Writer) String(text string) {
	w.events = appendText(append(w.events, byte(KindText)), text)
}

// Int writes an integer.
func (w *Writer) Int(n int64) { w.events = appendInt(append(w.events, byte(KindInt)), n) }

// Double writes a number.
func (w *Writer) Double(f float64) {
	w.events = appendWord(append(w.events, byte(KindDouble)), math.Float64bits(f))
}

// Bool writes a boolean.
func (w *Writer) Bool(on bool) { w.events = append(w.events, byte(KindBool), flag(on)) }

// List begins a list of so many elements, which follow, and then EndList. Lists have no lists.
func (w *Writer) List(elements int) {
	w.events = appendUint(append(w.events, byte(KindList)), uint64(elements))
	w.events = append(w.events, make([]byte, lengthBytes)...)
	w.list = len(w.events)
}

// EndList ends the list that List has begun.
func (w *Writer) EndList() { putSmall(w.events[w.list-lengthBytes:w.list], len(w.events)-w.list) }

// Nothing writes an element without a value.
func (w *Writer) Nothing() { w.events = append(w.events, byte(KindNothing)) }

// Value writes any value.
func (w *Writer) Value(v Value) { w.events = appendValue(w.events, v) }

// Cancel removes the current event.
func (w *Writer) Cancel() { w.events = w.events[:w.from] }

// End ends the current event. It returns false, and removes it, if it is too long.
func (w *Writer) End(head *Head) bool {
	length := len(w.events) - w.from
	if length > MaxEventBytes {
		w.Cancel()
		return false
	}
	w.count++
	b := w.events[w.from:]
	putSmall(b[:lengthBytes], length)
	b[flagsAt] = flag(head.AtReceipt)
	putTrace(b[traceAt:], head.TraceID)
	putWord(b[identityAt:], head.Identity)
	putWord(b[timeAt:], uint64(head.Time))
	if w.routed = w.routed || head.Routed; head.Routed {
		w.decisions = AppendDecision(w.decisions, head.Signals, head.Priority)
	} else {
		w.decisions = append(w.decisions, undecided)
	}
	return true
}

// The bytes of events without a decision. Others have the signals, from 1 on, in the low bits, and the priority above them.
const (
	dropped      = 0
	undecided    = wordMask
	priorityBits = 4
	signalsMask  = 1<<priorityBits - 1
)

// AppendDecision appends the decision on an event that is kept.
func AppendDecision(b []byte, signals lifecycle.Signals, priority lifecycle.Priority) []byte {
	return append(b, byte(signals&lifecycle.SignalsAll)+1|priorityByte(priority)<<priorityBits)
}

// AppendDropped appends the decision on an event that is dropped. Readers leave it out.
func AppendDropped(b []byte) []byte { return append(b, dropped) }

// The priorities that are not normal, as bytes.
const (
	lowPriority = 1 + iota
	highPriority
	criticalPriority
)

func priorityByte(priority lifecycle.Priority) byte {
	switch priority {
	case lifecycle.PriorityLow:
		return lowPriority
	case lifecycle.PriorityHigh:
		return highPriority
	case lifecycle.PriorityCritical:
		return criticalPriority
	}
	return 0
}

// priorityOf returns false for a byte that priorityByte does not return.
func priorityOf(b byte) (priority lifecycle.Priority, ok bool) {
	switch b {
	case 0:
		return lifecycle.PriorityNormal, true
	case lowPriority:
		return lifecycle.PriorityLow, true
	case highPriority:
		return lifecycle.PriorityHigh, true
	case criticalPriority:
		return lifecycle.PriorityCritical, true
	}
	return lifecycle.PriorityNormal, false
}
