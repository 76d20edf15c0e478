// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/routing"
)

// kind is what the events of a batch with the same name and keys have in common.
type kind struct {
	naming
	// spared means that nothing of such an event needs scrubbing, if it is not too long.
	spared bool
	// foreign means that such an event may belong to another program.
	foreign bool
	// hasID means that such events have an id of their sender's.
	hasID bool
}

func (r *router) kindOf(shape *eventbatch.Shape) kind {
	return kind{
		naming:  r.naming(shape.Name),
		spared:  shape.Name != "" && len(shape.Name) <= lifecycle.MaxEventName && r.scrubber.Spares(shape.Keys),
		foreign: r.table.Lookup(shape.Name) == r.table.Fallback() && !lifecycle.Defines(shape.Name),
		hasID:   slices.Contains(shape.Keys, lifecycle.AttrEventID),
	}
}

// carried is what was read of a batch when its events were decided on.
type carried struct {
	// moved marks the events that became records.
	moved []bool
	// broken means that the rest could not be read, and the batch has a decision of its own.
	broken bool
}

// asRecord reports whether the current event of a batch, which has that head, must be a record: it needs scrubbing, or another time;
// its trace id is that of another service name; or the batch was received over the network.
func (r *router) asRecord(w *scratch, b *batch, head *eventbatch.Head, service uint64, observed pcommon.Timestamp) bool {
	k := w.reader.Known()
	return !k.spared || b.received || b.mixed && k.foreign || w.reader.Application() != service || w.reader.Size() > r.scrubber.Room() ||
		!head.AtReceipt && !eventrecord.Possible(head.Time, observed)
}

// decideBatch decides on the events of a batch. Those that must be records it appends as such, and marks them as moved. What cannot be
// read of a received batch is dropped: the other records of the request may be of other senders. Otherwise it is an error.
func (r *router) decideBatch(w *scratch, b *batch, events eventbatch.Batch, service uint64, records plog.LogRecordSlice, observed pcommon.Timestamp) error {
	c := w.next()
	err := w.reader.Open(events)
	for err == nil && w.reader.Next() {
		k, head := w.reader.Known(), w.reader.Head()
		moved := r.asRecord(w, b, &head, service, observed) || b.repeated(k, &head, service)
		c.moved = append(c.moved, moved)
		if moved {
			w.reader.Record(records.AppendEmpty(), observed)
			continue
		}
		b.clocks[eventrecord.ClockSender]++
		b.add(b.decideBatched(k, &head, service), service)
	}
	if err == nil {
		err = w.reader.Err()
	}
	if c.broken = err != nil; c.broken && b.received {
		b.add(event{reason: reasonMalformed}, service)
		return nil
	}
	return err
}

// next begins a batch.
func (w *scratch) next() *carried {
	if n := len(w.carried); n < cap(w.carried) {
		w.carried = w.carried[:n+1]
	} else {
		w.carried = append(w.carried, carried{})
	}
	c := &w.carried[len(w.carried)-1]
	*c = carried{moved: c.moved[:0]}
	return c
}

// repeated reports whether an equal event is in the request already. As a record this one gets an identity of its own.
func (b *batch) repeated(k *kind, head *eventbatch.Head, service uint64) bool {
	return !k.hasID && b.repeats[head.Identity^service] > 0
}

// decideBatched decides on an event of a batch.
func (b *batch) decideBatched(k *kind, head *eventbatch.Head, service uint64) event {
	if k.decision.Reason != routing.ReasonNone {
		return event{counts: k.counts, reason: k.decision.Reason}
	}
	e := event{fingerprint: head.Identity, given: true, routed: head.Routed}
	e.decide(&k.naming, head.TraceID)
	if !k.hasID && e.mayRepeat(head.Time, head.AtReceipt) {
		b.distinguish(&e, service)
	}
	return e
}

// applyBatch adds the decisions on the events of a batch to its record. It returns false if none is kept.
func (w *scratch) applyBatch(d *decisions, record plog.LogRecord, events eventbatch.Batch) bool {
	c := &w.carried[w.applied]
	w.applied++
	opened, kept := w.reader.Open(events) == nil, 0
	w.decisions = w.decisions[:0]
	for _, moved := range c.moved {
		if !opened || !w.reader.Next() {
			break // decideBatch has read as many
		}
		w.dropUntil(w.reader.Index()) // what an earlier router has dropped
		if !moved {
			if e, keep := d.next(); keep {
				kept++
				w.decisions = eventbatch.AppendDecision(w.decisions, e.signals, e.priority)
				continue
			}
		}
		w.decisions = eventbatch.AppendDropped(w.decisions)
	}
	if c.broken {
		d.next()
	}
	if kept == 0 {
		return false
	}
	w.dropUntil(len(events.Decisions))
	eventbatch.Put(record, eventbatch.Batch{Events: events.Events, Decisions: string(w.decisions)}, kept, record.ObservedTimestamp())
	return true
}

// dropUntil drops the events that follow those decided on, up to an index.
func (w *scratch) dropUntil(index int) {
	for len(w.decisions) < index {
		w.decisions = eventbatch.AppendDropped(w.decisions)
	}
}
