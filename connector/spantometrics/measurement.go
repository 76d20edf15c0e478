// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/sqltext"
)

// measurement is the item being measured: a finished span, an event, or a detection on a finished span.
type measurement struct {
	fields *fieldSet
	values []fieldValue
	// statements is the instance's cache.
	statements statements
	// attrs and resource are the attributes of the span or event and of its resource.
	attrs, resource pcommon.Map
	// name is the event's name; empty for a span.
	name string
	// at is the end of a span or the time of an event, in Unix nanoseconds; took is the duration, negative if there is
	// none.
	at, took int64
	// failed is whether a span's status is error.
	failed bool
	// where is the exemplar without a value, once it is computed.
	where   series.Exemplar
	located bool
	query   query
}

// query is the parsed database query.
type query struct {
	statement
	known bool
}

// begin prepares for the next item, whose attributes are m.attrs.
func (m *measurement) begin(fields *fieldSet) {
	m.fields = fields
	m.values = m.values[:0]
	m.values = slices.Grow(m.values, len(fields.fields))[:len(fields.fields)]
	clear(m.values)
	m.query = query{}
	fields.read(m.attrs, m.values)
}

// release drops references to pdata and returns the buffer of values for reuse.
func (m *measurement) release() []fieldValue {
	clear(m.values[:cap(m.values)])
	return m.values[:0]
}

// readMissing reads the fields that were not found from other attributes.
func (m *measurement) readMissing(attrs pcommon.Map) {
	for i := range m.values {
		v := &m.values[i]
		for rank, key := range m.fields.fields[i].keys {
			if attribute, found := attrs.Get(key); found && v.rank == rankUnknown {
				v.attribute, v.rank = attribute, rank+1
			}
		}
	}
}

// value returns a field's value from the span or event, derived, or from the resource, in that order.
func (m *measurement) value(index int) *fieldValue {
	v := &m.values[index]
	if v.rank != rankUnknown {
		return v
	}
	f := &m.fields.fields[index]
	for _, derive := range f.derive {
		if v.text = derive(m); v.text != "" {
			v.rank = rankText
			return v
		}
	}
	for i, key := range f.keys {
		if attribute, found := m.resource.Get(key); found {
			v.attribute, v.rank = attribute, i+1
			return v
		}
	}
	v.rank = rankAbsent
	return v
}

// deriveFunc derives a field's text from the measured item; empty if it has none.
type deriveFunc func(*measurement) string

// deriveFuncOf returns the function for a key; nil if its value is not derived.
func deriveFuncOf(key string) deriveFunc {
	switch key {
	case keyEventName:
		return func(m *measurement) string { return m.name }
	case lifecycle.AttrStatus:
		return func(m *measurement) string { return m.spanStatus() }
	case lifecycle.AttrDBOperationName:
		return func(m *measurement) string { return m.statement().operation }
	case lifecycle.AttrDBCollectionName:
		return func(m *measurement) string { return m.statement().collection }
	case keyAboutSchema:
		return func(m *measurement) string { return m.statement().aboutSchema() }
	}
	return nil
}

// spanStatus returns an empty text for an event.
func (m *measurement) spanStatus() string {
	switch {
	case m.name != "":
		return ""
	case m.failed:
		return string(lifecycle.StatusFailure)
	}
	return string(lifecycle.StatusSuccess)
}

// statement returns the parsed SQL of the event.
func (m *measurement) statement() *statement {
	if !m.query.known {
		m.query.known = true
		m.query.statement = m.statements.describe(text(m.attrs, lifecycle.AttrSQL))
		m.query.schema = m.query.schema || sqltext.AboutSchema(text(m.attrs, lifecycle.AttrName), "")
	}
	return &m.query.statement
}
