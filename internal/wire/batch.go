// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// maxIdleBatch bounds the bytes that an idle decoding keeps for batches.
const maxIdleBatch = 1 << 20

// besides is the set of attributes that an event has besides its payload, in this order.
type besides uint8

const (
	hasCorrelationID besides = 1 << iota
	hasEventID
	hasTraceparent
	allBesides
)

// besidesKeys has the keys of the set, in its order.
var besidesKeys = [...]string{lifecycle.AttrCorrelationID, lifecycle.AttrEventID, lifecycle.AttrTraceparent}

// besidesSeeds are the seeds of besidesKeys.
type besidesSeeds [len(besidesKeys)]eventrecord.Seed

func newBesidesSeeds() (seeds besidesSeeds) {
	for i, key := range besidesKeys {
		seeds[i] = eventrecord.SeedOf(key)
	}
	return seeds
}

// batchShape returns the shape that events of this shape have in a batch. With message their records have a readable body.
func (s *shape) batchShape(with besides, message bool) *eventbatch.Shape {
	if s.batched[with] == nil {
		var keys []string
		for _, m := range s.members {
			if m.kind == kept {
				keys = append(keys, m.key)
			}
		}
		for i, key := range besidesKeys {
			if with&(1<<i) != 0 {
				keys = append(keys, key)
			}
		}
		s.batched[with] = eventbatch.NewShape(s.event, keys, message)
	}
	return s.batched[with]
}

// putBatch adds the record that carries the batch. It returns false if there are no events in it.
func putBatch(to plog.LogRecordSlice, w *eventbatch.Writer, observed pcommon.Timestamp) bool {
	if w.Events() == 0 {
		return false
	}
	eventbatch.Put(to.AppendEmpty(), w.Batch(), w.Events(), observed)
	return true
}

// batch writes an item of a known shape into the batch of its application. It returns false, and has done nothing, if the item must
// become a record: it has no time of its own, a shape that is not known yet, values that a batch cannot have, or no id though it is
// a task's.
func (d *decoding) batch(to *eventbatch.Writer, e *envelope) bool {
	if e.occurred == 0 {
		return false
	}
	known := d.shapes.of(e.event, len(d.values), false)
	if !known.is(e.event, false) || known.structured || !d.matches(known) {
		return false
	}
	if len(d.source) > eventbatch.MaxEventBytes/2 || !d.flat(known) {
		known.structured = true
		return false
	}
	head := eventbatch.Head{Time: e.occurred}
	var ofTask bool
	if head.TraceID, ofTask = d.traceOf(known, e); !ofTask && e.event == lifecycle.TaskFailed {
		return false
	}
	texts := [...]string{e.correlationID, e.id, e.traceparent}
	with := besides(0)
	for i, text := range texts {
		if text != "" {
			with |= 1 << i
		}
	}
	if with&hasCorrelationID != 0 && known.correlation != nowhere {
		if t := &d.tokens[d.values[known.correlation]]; t.kind != kindInteger && (t.kind != kindText || t.start == t.end) {
			return false // the item's replaces that of the payload
		}
		with &^= hasCorrelationID
	}
	if !to.Begin(known.batchShape(with, len(known.chosen) == 0)) {
		return false
	}
	known.misses = 0
	sum := d.batchMembers(to, known)
	for i, text := range texts {
		if with&(1<<i) != 0 {
			to.String(text)
			sum += d.seeds[i].String(text)
		}
	}
	head.Identity = d.identity(known, e, sum)
	return to.End(&head)
}

// flat reports whether a batch can have the values of the payload that are kept.
func (d *decoding) flat(known *shape) bool {
	for i := range known.members {
		if known.members[i].kind != kept {
			continue
		}
		value := d.values[i]
		switch t := &d.tokens[value]; t.kind {
		case kindObject:
			return false
		case kindArray:
			for element := value + 1; element < t.next; element++ {
				if d.tokens[element].kind >= kindObject {
					return false
				}
			}
		}
	}
	return true
}

// traceOf returns the trace id of an item's task, as [eventrecord.TraceID] does for a record.
func (d *decoding) traceOf(known *shape, e *envelope) (trace pcommon.TraceID, found bool) {
	if known.task == nowhere {
		return trace, false
	}
	t := &d.tokens[d.values[known.task]]
	id := ""
	switch t.kind {
	case kindInteger:
		if n, ok := parseInteger(d.bytes(t)); ok {
			return d.traces.OfNumber(e.namespace, e.service, n), true
		}
		id = string(d.bytes(t))
	case kindText:
		id = d.text(t)
	case kindFloat:
		number := pcommon.NewValueEmpty()
		d.set(number, d.values[known.task])
		id = eventrecord.IDText(number)
	}
	if id == "" {
		return trace, false
	}
	return d.traces.Of(e.namespace, e.service, id), true
}

// batchMembers writes the values of the payload that are kept, and returns the sum of the hashes of all.
func (d *decoding) batchMembers(to *eventbatch.Writer, known *shape) (sum uint64) {
	for i := range known.members {
		m := &known.members[i]
		if m.kind == kept {
			sum += d.batchValue(to, m.seed, d.values[i])
		} else if !d.report.leave(m.kind) {
			sum += d.hash(m.seed, d.values[i])
		}
	}
	return sum
}

// batchValue writes the value of the token at i and returns its hash.
func (d *decoding) batchValue(to *eventbatch.Writer, seed eventrecord.Seed, i uint32) uint64 {
	switch t := &d.tokens[i]; t.kind {
	case kindText:
		text := d.plain(t)
		to.Text(text)
		return seed.Text(text)
	case kindInteger:
		if n, ok := parseInteger(d.bytes(t)); ok {
			to.Int(n)
			return seed.Int(n)
		}
	case kindFloat:
		if f, err := strconv.ParseFloat(string(d.bytes(t)), 64); err == nil {
			to.Double(f)
			return seed.Double(f)
		}
	case kindTrue, kindFalse:
		to.Bool(t.kind == kindTrue)
		return seed.Bool(t.kind == kindTrue)
	case kindArray:
		to.List(int(t.size))
		element := seed.List()
		for next := i + 1; next < t.next; next++ {
			element = eventrecord.Seed(d.batchValue(to, element, next))
		}
		to.EndList()
		return uint64(element)
	default:
		to.Nothing()
		return seed.Nothing()
	}
	text := d.bytes(&d.tokens[i]) // a number beyond int64 or float64
	to.Text(text)
	return seed.Text(text)
}

// identity returns the fingerprint of an item, as [eventrecord.FingerprintWith] does for a record.
func (d *decoding) identity(known *shape, e *envelope, sum uint64) uint64 {
	if e.id == "" {
		return eventrecord.FingerprintOf(e.event, e.occurred, sum)
	}
	task := uint64(0)
	if known.task != nowhere {
		task = d.hash(eventrecord.SeedOfTaskID, d.values[known.task])
	}
	return eventrecord.FingerprintOfID(e.event, eventrecord.SeedOfEventID.String(e.id), task, known.task != nowhere)
}
