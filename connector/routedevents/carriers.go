// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// kind is what the events of batches with the same name and keys have in common.
type kind struct {
	fact   string // of an event of a task
	bySpan bool
	inPass bool
	// stepCount and traceparent are the places of these attributes. They are -1 for an event that does not have them, and stepCount
	// also if the fact does not depend on it.
	stepCount, traceparent int
}

func kindOf(shape *eventbatch.Shape) kind {
	k := kind{
		fact: lifecycle.FactOfEvent(shape.Name, 0), bySpan: lifecycle.ReportedBySpan(shape.Name), inPass: lifecycle.InsidePass(shape.Name),
		stepCount: -1, traceparent: shape.Place(lifecycle.AttrTraceparent),
	}
	if k.fact != lifecycle.FactOfEvent(shape.Name, 1) {
		k.stepCount = shape.Place(lifecycle.AttrStepCount)
	}
	return k
}

// readBatch is readEvent for the events of a batch. Most cost no more than a look at their heads: only candidates become records.
func (f *facts) readBatch(b *batch, carrier plog.LogRecord, events eventbatch.Batch, routed bool) error {
	r := f.readers.Get().(*eventbatch.Reader[kind])
	defer func() {
		r.Close()
		f.readers.Put(r)
	}()
	if err := r.Open(events); err != nil {
		return err
	}
	observed := carrier.ObservedTimestamp()
	for r.Next() {
		k, name := r.Known(), r.Shape().Name
		signals, _ := r.Signals()
		toLogs := routed && signals.Has(lifecycle.SignalLogs)
		notes := k.traceparent >= 0 || k.inPass && f.callers.any.Load()
		switch {
		case name == "":
			b.counts.noName++
			continue
		case k.fact == "" && !notes && !toLogs:
			b.counts.notRouted++
			continue
		}
		e := occurrence{name: name, trace: r.TraceID(), bySpan: k.bySpan, signals: signals, reader: r, observed: observed}
		if !e.trace.IsEmpty() {
			e.fact = k.factOf(r)
			if notes {
				b.callers = f.callers.note(b.callers, e.trace, r.Head().Time, name, k.traceparentOf(r))
			}
		}
		f.decide(b, &e, routed)
	}
	return r.Err()
}

// factOf returns the fact that the current event of a task reports; empty if none.
func (k *kind) factOf(r *eventbatch.Reader[kind]) string {
	if k.stepCount < 0 {
		return k.fact
	}
	return lifecycle.FactOfEvent(r.Shape().Name, whole(r.Values()[k.stepCount]))
}

// traceparentOf returns the context of the current event's sender; empty if it has none.
func (k *kind) traceparentOf(r *eventbatch.Reader[kind]) string {
	if k.traceparent < 0 {
		return ""
	}
	if v := r.Values()[k.traceparent]; v.Kind == eventbatch.KindText {
		return v.Text
	}
	return ""
}

// whole returns zero for a value that is not a whole number.
func whole(v eventbatch.Value) int64 {
	switch v.Kind {
	case eventbatch.KindInt:
		return v.Int()
	case eventbatch.KindDouble: // some JSON libraries know only floats
		return int64(v.Double())
	}
	return 0
}
