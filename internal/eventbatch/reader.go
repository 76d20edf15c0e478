// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventbatch

import (
	"encoding/binary"
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Reader reads batches, one after the other. It remembers shapes, each with what its user has found out about it, because the same
// ones are in every batch.
type Reader[T any] struct {
	learn func(*Shape) T
	known map[string]*known[T]

	batch       string
	decisions   string
	application uint64
	// shapes are those of the batch; its events begin at first.
	shapes []*known[T]
	first  int
	// at is where the current event begins, and end where it ends.
	at, end int
	// index is the number of the current event, from 0; sought after Seek.
	index  int
	of     *known[T]
	values []Value
	err    error
}

type known[T any] struct {
	shape *Shape
	value T
}

// sought is the index of an event that was found by its offset.
const sought = -2

// maxKnown bounds how many shapes are remembered.
const maxKnown = 1024

// NewReader makes a reader. It calls learn for each shape that it does not know yet.
func NewReader[T any](learn func(*Shape) T) *Reader[T] {
	return &Reader[T]{learn: learn, known: map[string]*known[T]{}}
}

// NewPlainReader makes a reader for a user who finds out nothing about shapes.
func NewPlainReader() *Reader[struct{}] {
	return NewReader(func(*Shape) struct{} { return struct{}{} })
}

// Open begins a batch, also one that is open. Next goes on to the first event.
func (r *Reader[T]) Open(b Batch) error {
	batch := b.Events
	if r.err == nil && batch != "" && batch == r.batch && b.Decisions == r.decisions {
		r.end, r.index = r.first, -1
		return nil
	}
	r.Close()
	if len(batch) <= wordBytes {
		return errMalformed
	}
	if batch[0] != version {
		return fmt.Errorf("a batch of events has version %d; this collector reads version %d", batch[0], version)
	}
	in := input{rest: batch[1:]}
	r.application = in.word()
	for range in.count() {
		shape, err := r.shape(in.text())
		if err != nil {
			return err
		}
		r.shapes = append(r.shapes, shape)
	}
	if in.bad {
		return errMalformed
	}
	r.batch, r.decisions, r.first = batch, b.Decisions, len(batch)-len(in.rest)
	r.end = r.first
	return nil
}

// Close releases the batch.
func (r *Reader[T]) Close() {
	clear(r.shapes)
	clear(r.values[:cap(r.values)])
	r.batch, r.decisions, r.shapes, r.of, r.err = "", "", r.shapes[:0], nil, nil
	r.first, r.at, r.end, r.index = 0, 0, 0, -1
}

func (r *Reader[T]) shape(encoded string) (*known[T], error) {
	if of, found := r.known[encoded]; found {
		return of, nil
	}
	shape, err := readShape(strings.Clone(encoded))
	if err != nil {
		return nil, err
	}
	if len(r.known) == maxKnown {
		clear(r.known)
	}
	of := &known[T]{shape, r.learn(shape)}
	r.known[shape.encoded] = of
	return of, nil
}

// Application returns the hash of the application whose events these were when the batch was written.
func (r *Reader[T]) Application() uint64 { return r.application }

// Next goes on to the next event that no router has dropped. It returns false after the last one, and at a malformed one, which Err
// tells.
func (r *Reader[T]) Next() bool {
	for r.end < len(r.batch) {
		r.index++
		if !r.seek(r.end) {
			return false
		}
		switch {
		case r.decisions == "":
			return true
		case r.index >= len(r.decisions):
			return r.fail()
		case r.decisions[r.index] != dropped:
			return true
		}
	}
	if r.decisions != "" && r.index+1 != len(r.decisions) {
		return r.fail()
	}
	return false
}

// Seek goes to the event at an offset that [Reader.Offset] has returned. It returns false if it is malformed. The router's decision
// on the event is then not known.
func (r *Reader[T]) Seek(at int) bool {
	r.index = sought
	return r.seek(at)
}

func (r *Reader[T]) seek(at int) bool {
	if len(r.batch)-at < headBytes {
		return r.fail()
	}
	head, ok := lowWord(r.batch[at:]) // length and shape
	length, shape := int(head&MaxEventBytes), int(head>>(lengthBytes*wordBits)%maxShapes)
	if !ok || length < headBytes || length > len(r.batch)-at || shape >= len(r.shapes) {
		return r.fail()
	}
	r.at, r.end, r.of = at, at+length, r.shapes[shape]
	return true
}

// Offset returns the place of the current event in the batch.
func (r *Reader[T]) Offset() int { return r.at }

// Index returns the number of the current event, counting those that are dropped; after the last one, the number of that.
func (r *Reader[T]) Index() int { return r.index }

// Size returns the bytes of the current event, more than those of all its texts.
func (r *Reader[T]) Size() int { return r.end - r.at }

// Err returns the error at which Next, Seek or another method stopped.
func (r *Reader[T]) Err() error { return r.err }

func (r *Reader[T]) fail() bool {
	r.err = errMalformed
	r.end = len(r.batch)
	return false
}

// Shape returns the shape of the current event.
func (r *Reader[T]) Shape() *Shape { return r.of.shape }

// Known returns what was learnt about the shape of the current event.
func (r *Reader[T]) Known() *T { return &r.of.value }

// TraceID returns the trace id of the current event.
func (r *Reader[T]) TraceID() pcommon.TraceID {
	trace, ok := traceID(r.batch[r.at+traceAt:])
	if !ok {
		r.fail()
	}
	return trace
}

// decision returns the byte of the current event.
func (r *Reader[T]) decision() byte {
	if r.decisions == "" || r.index == sought {
		return undecided
	}
	return r.decisions[r.index]
}

// Signals returns the router's decision on the current event; all signals if no router has processed it.
func (r *Reader[T]) Signals() (signals lifecycle.Signals, routed bool) {
	b := r.decision()
	if b == undecided {
		return lifecycle.SignalsAll, false
	}
	if b&signalsMask > byte(lifecycle.SignalsAll)+1 || b&signalsMask == 0 {
		r.fail()
	}
	return lifecycle.Signals(b&signalsMask-1) & lifecycle.SignalsAll, true
}

// Head reads the head of the current event.
func (r *Reader[T]) Head() (head Head) {
	words, ok := headWords(r.batch[r.at+traceAt : r.at+headBytes])
	binary.LittleEndian.PutUint64(head.TraceID[:8], words[0])
	binary.LittleEndian.PutUint64(head.TraceID[8:], words[1])
	head.Identity, head.Time = words[2], pcommon.Timestamp(words[3])
	known := true
	if head.Signals, head.Routed = r.Signals(); head.Routed {
		head.Priority, known = priorityOf(r.decision() >> priorityBits)
	} else {
		head.Priority = lifecycle.PriorityNormal
	}
	flags := r.batch[r.at+flagsAt]
	head.AtReceipt = flags == 1
	if !ok || !known || flags > 1 {
		r.fail()
	}
	return head
}

// Values returns the values of the current event, in the order of its shape's keys. They are valid until the next call.
func (r *Reader[T]) Values() []Value { return r.valuesOf(r.batch[r.at+headBytes:r.end], AllPlaces) }

// ValuesAt is Values for those who need some of the values only. All are checked, but the others are undefined.
func (r *Reader[T]) ValuesAt(places Places) []Value {
	return r.valuesOf(r.batch[r.at+headBytes:r.end], places)
}

func (r *Reader[T]) valuesOf(encoded string, places Places) []Value {
	keys := len(r.of.shape.Keys)
	if cap(r.values) < keys {
		r.values = make([]Value, keys)
	}
	values := r.values[:keys]
	in := input{rest: encoded}
	for i := range values {
		switch {
		case !places.has(i):
			in.skip()
		case !in.short(&values[i]):
			values[i] = in.value()
		}
	}
	if in.bad || in.rest != "" {
		r.fail()
	}
	return values
}
