// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"math"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/sqltext"
)

// Item is what is being measured: a finished span, an event, or a detection on a finished span. It is used for one item
// after the other, and refers to pdata or a batch until Release.
type Item struct {
	// Resource are the attributes of the item's resource.
	Resource pcommon.Map
	attrs    Attributes
	// name is the event's name; empty for a span.
	name string
	// at is the end of a span or the time of an event, in Unix nanoseconds; took is the duration, negative if there is
	// none.
	at, took int64
	// failed is whether a span's status is error.
	failed bool

	fields     *fieldSet
	values     []value
	statements statements
	query      query
	exemplar   exemplar
}

// query is the parsed database query.
type query struct {
	statement
	known bool
}

// NewItem makes an item, which is to be used for many.
func NewItem() Item { return Item{statements: statements{}} }

// Release drops references to pdata and batches.
func (m *Item) Release() {
	clear(m.values[:cap(m.values)])
	*m = Item{values: m.values[:0], statements: m.statements}
}

// BeginSpan selects a finished span that ended at a time, and reads the fields of its plan.
func (m *Item) BeginSpan(p *Plan, span ptrace.Span, at int64) {
	m.name, m.attrs = "", Pdata(span.Attributes())
	m.at, m.took, m.failed = at, duration(span), span.Status().Code() == ptrace.StatusCodeError
	m.exemplar.ofSpan(series.Exemplar{At: at, Trace: span.TraceID(), Span: span.SpanID()})
	m.read(&p.fields)
}

// duration is negative for a span without a start, or with its end before it.
func duration(span ptrace.Span) int64 {
	start, end := span.StartTimestamp(), span.EndTimestamp()
	if start == 0 || end < start || end-start > math.MaxInt64 {
		return -1
	}
	return int64(end - start)
}

// BeginDetection selects a detection on the span that was measured last. Attributes that it lacks are taken from the span.
func (m *Item) BeginDetection(p *Plan, found ptrace.SpanEvent, span ptrace.Span) {
	m.name, m.attrs = found.Name(), Pdata(found.Attributes())
	m.read(&p.fields)
	for i := range m.values {
		v := &m.values[i]
		for rank, key := range m.fields.fields[i].keys {
			if attribute, found := span.Attributes().Get(key); found && v.rank == rankUnknown {
				v.Value, v.rank = valueOf(attribute), rank+1
			}
		}
	}
}

// BeginEvent selects an event, and reads the fields of its plan.
func (m *Item) BeginEvent(p *Plan, name string, attrs Attributes, at int64, trace pcommon.TraceID) {
	m.name, m.attrs = name, attrs
	m.at, m.took = at, -1
	m.exemplar.ofEvent(at, trace)
	m.read(&p.fields)
}

// Attribute returns the value of an attribute; KindNothing if there is none.
func (m *Item) Attribute(attribute Attribute) eventbatch.Value { return m.attrs.Get(attribute) }

// read reads fields from the attributes.
func (m *Item) read(fields *fieldSet) {
	m.fields = fields
	m.values = slices.Grow(m.values[:0], len(fields.fields))[:len(fields.fields)]
	clear(m.values)
	m.query = query{}
	m.attrs.read(fields, m.values)
}

// IsIncomplete reports whether no event announced the end of a span.
func (m *Item) IsIncomplete() bool { return m.values[fieldIncomplete].isTrue() }

// IsSynthesized reports whether no event announced a span.
func (m *Item) IsSynthesized() bool { return m.values[fieldSynthesized].isTrue() }

// value returns a field's value from the span or event, derived, or from the resource, in that order.
func (m *Item) value(index int) *value {
	v := &m.values[index]
	if v.rank != rankUnknown {
		return v
	}
	f := &m.fields.fields[index]
	for _, d := range f.derivations {
		if text := m.derive(d); text != "" {
			v.Value, v.rank = eventbatch.Text(text), rankText
			return v
		}
	}
	for i, key := range f.keys {
		if attribute, found := m.Resource.Get(key); found {
			v.Value, v.rank = valueOf(attribute), i+1
			return v
		}
	}
	v.rank = rankAbsent
	return v
}

// derive returns a derived text; empty if the item has none.
func (m *Item) derive(d derivation) string {
	switch d {
	case derivedEventName:
		return m.name
	case derivedStatus:
		return m.spanStatus()
	case derivedOperation:
		return m.statement().operation
	case derivedCollection:
		return m.statement().collection
	case derivedAboutSchema:
		return m.statement().aboutSchema()
	}
	return ""
}

// spanStatus returns an empty text for an event.
func (m *Item) spanStatus() string {
	switch {
	case m.name != "":
		return ""
	case m.failed:
		return string(lifecycle.StatusFailure)
	}
	return string(lifecycle.StatusSuccess)
}

// statement returns the parsed SQL of the event.
func (m *Item) statement() *statement {
	if !m.query.known {
		m.query.known = true
		m.query.statement = m.statements.describe(m.attrs.Text(sql))
		m.query.schema = m.query.schema || sqltext.AboutSchema(m.attrs.Text(sqlName), "")
	}
	return &m.query.statement
}
