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

// asRecord reports whether the current event of a batch, which has that head, must be a record: it needs scrubbing, or another time;
// its trace id is that of another service name; or the batch was received over the network.
func (r *router) asRecord(w *scratch, b *batch, head *eventbatch.Head, service uint64, observed pcommon.Timestamp) bool {
	k := w.reader.Known()
	return !k.spared || b.received || b.mixed && k.foreign || w.reader.Application() != service || w.reader.Size() > r.scrubber.Room() ||
		!head.AtReceipt && !eventrecord.Possible(head.Time, observed)
}

// decideBatch decides on the events of a batch, and appends the others as records.
func (r *router) decideBatch(w *scratch, b *batch, events string, service uint64, records plog.LogRecordSlice, observed pcommon.Timestamp) error {
	if err := w.reader.Open(events); err != nil {
		return err
	}
	for w.reader.Next() {
		head := w.reader.Head()
		if r.asRecord(w, b, &head, service, observed) {
			w.reader.Record(records.AppendEmpty(), observed)
			continue
		}
		b.clocks[eventrecord.ClockSender]++
		b.add(b.decideBatched(w.reader.Known(), &head, service), service)
	}
	return w.reader.Err()
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

// applyBatch writes the kept events of a batch, with the decisions on them. It returns false if there are none.
func (r *router) applyBatch(w *scratch, d *decisions, record plog.LogRecord, events string, service uint64) bool {
	if w.reader.Open(events) != nil {
		return false // decideBatch has read it
	}
	observed := record.ObservedTimestamp()
	w.reader.Rewrite(&w.writer)
	for w.reader.Next() {
		head := w.reader.Head()
		if r.asRecord(w, d.batch, &head, service, observed) {
			continue
		}
		if e, kept := d.next(); kept {
			head.Identity, head.Routed, head.Signals, head.Priority = e.fingerprint, true, e.signals, e.priority
			w.reader.CopyTo(&w.writer, &head)
		}
	}
	if w.writer.Events() == 0 {
		return false
	}
	eventbatch.Put(record, w.writer.Batch(), w.writer.Events(), observed)
	return true
}
