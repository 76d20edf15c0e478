// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"errors"
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// errNotFlat is the error of a value that a batch cannot have.
var errNotFlat = errors.New("the value is structured")

// batch writes the current record into the batch, normalized. It returns false if it must stay a record: it is not one of Tasker's
// events, has no usable time, a shape that is not known yet, or something that a batch cannot have. The report and the count of
// values are then to be reset. Where values that nothing uses are left out, the body and the severity are, too.
func (d *otlpDecoding) batch(of eventrecord.Application, event string) (done bool, err error) {
	r := &d.record
	if len(r.name) == 0 || !d.timed() || r.dropped > 0 || len(d.body) > eventbatch.MaxEventBytes/2 {
		return false, nil
	}
	known := d.shapes.of(event, len(d.attrs), false)
	if !known.is(event, false) || !known.defined || known.structured || !d.matches(known) {
		return false, nil
	}
	if all := len(known.chosen) == 0; all && (len(r.bodies) > 0 || !d.hasSeverity(known.severity)) {
		return false, nil
	}
	head := eventbatch.Head{Time: r.time, AtReceipt: r.time == r.observed}
	if head.TraceID, err = d.traceOf(known, of); err != nil {
		return false, err
	}
	traceparent := ""
	switch ids := !r.trace.IsEmpty() && !r.span.IsEmpty(); {
	case head.TraceID == r.trace && !r.span.IsEmpty():
		return false, nil // a record keeps the span
	case ids:
		traceparent = lifecycle.Traceparent(r.trace, r.span)
	}
	with := besides(0)
	if traceparent != "" {
		with = hasTraceparent
	}
	if !d.writer.Begin(known.batchShape(with, false)) {
		return false, nil
	}
	sum, err := d.batchMembers(known)
	if err == nil {
		err = d.checkBodies()
	}
	if err != nil {
		d.writer.Cancel()
		if errors.Is(err, errNotFlat) {
			known.structured, err = true, nil
		}
		return false, err
	}
	if traceparent != "" {
		d.writer.String(traceparent)
		sum += d.seeds[len(besidesKeys)-1].String(traceparent)
	}
	known.misses = 0
	head.Identity = eventrecord.FingerprintOf(event, r.time, sum)
	return d.writer.End(&head), nil
}

// timed reports whether the current record has a time that can be used.
func (d *otlpDecoding) timed() bool {
	r := &d.record
	return r.time != 0 && (r.time == r.observed || eventrecord.Possible(r.time, r.observed))
}

// hasSeverity reports whether the severity of the current record is this one, or not given.
func (d *otlpDecoding) hasSeverity(severity lifecycle.Severity) bool {
	r := &d.record
	return (r.severity == plog.SeverityNumberUnspecified || r.severity == plog.SeverityNumber(severity)) &&
		(len(r.severityText) == 0 || string(r.severityText) == severity.String())
}

// checkBodies checks the limits of a body that is not decoded.
func (d *otlpDecoding) checkBodies() error {
	for _, body := range d.record.bodies {
		if _, _, err := d.hash(0, body, 1); err != nil {
			return err
		}
	}
	return nil
}

// traceOf returns the trace id of a record's task; an empty one if it has none.
func (d *otlpDecoding) traceOf(known *shape, of eventrecord.Application) (trace pcommon.TraceID, err error) {
	if known.task == nowhere {
		return trace, nil
	}
	field, number, text, err := anyValue(d.attrs[known.task].value(d.body))
	if err != nil {
		return trace, err
	}
	id := ""
	switch field {
	case fieldInt:
		return d.normalizer.TraceIDs.OfNumber(of.Namespace, of.Service, int64(number)), nil
	case fieldString:
		id = d.texts.shared(text)
	case fieldDouble:
		value := pcommon.NewValueDouble(math.Float64frombits(number))
		id = eventrecord.IDText(value)
	}
	if id == "" {
		return trace, nil
	}
	return d.normalizer.TraceIDs.Of(of.Namespace, of.Service, id), nil
}

// batchMembers writes the attributes that are kept, and returns the sum of the hashes of all.
func (d *otlpDecoding) batchMembers(known *shape) (sum uint64, err error) {
	for i := range known.members {
		m, value := &known.members[i], d.attrs[i].value(d.body)
		if m.kind == kept {
			hash, _, err := d.batchValue(m.seed, value, 2)
			if err != nil {
				return 0, err
			}
			sum += hash
			continue
		}
		hash, empty, err := d.hash(m.seed, value, 2)
		if err != nil {
			return 0, err
		}
		if !empty && !d.report.leave(m.kind) {
			sum += hash
		}
	}
	return sum, nil
}

// batchValue writes an AnyValue, and returns its hash as hash does.
func (d *otlpDecoding) batchValue(seed eventrecord.Seed, body []byte, depth int) (sum uint64, empty bool, err error) {
	field, number, bytes, err := anyValue(body)
	if err != nil {
		return 0, false, err
	}
	if err := d.check(field, bytes, depth); err != nil {
		return 0, false, err
	}
	switch field {
	case fieldString:
		d.writer.Text(bytes)
		return seed.Text(bytes), false, nil
	case fieldBool:
		d.writer.Bool(number != 0)
		return seed.Bool(number != 0), false, nil
	case fieldInt:
		d.writer.Int(int64(number))
		return seed.Int(int64(number)), false, nil
	case fieldDouble:
		d.writer.Double(math.Float64frombits(number))
		return seed.Double(math.Float64frombits(number)), false, nil
	case fieldArray:
		if depth > 2 {
			return 0, false, errNotFlat
		}
		sum, err := d.batchElements(seed.List(), bytes, depth+1)
		return sum, false, err
	case fieldMap, fieldBytes:
		return 0, false, errNotFlat
	}
	d.writer.Nothing()
	return 0, true, nil
}

// batchElements writes the elements of an ArrayValue, and returns the hash of the list, whose first element has the seed.
func (d *otlpDecoding) batchElements(seed eventrecord.Seed, body []byte, depth int) (uint64, error) {
	elements := 0
	m := message{buf: body}
	for m.element() {
		elements++
	}
	if m.err != nil {
		return 0, m.err
	}
	d.writer.List(elements)
	for m = (message{buf: body}); m.element(); {
		sum, empty, err := d.batchValue(seed, m.bytes(), depth)
		if err != nil {
			return 0, err
		}
		if empty {
			sum = seed.Nothing()
		}
		seed = eventrecord.Seed(sum)
	}
	d.writer.EndList()
	return uint64(seed), nil
}
