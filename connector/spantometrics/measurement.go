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

// measurement is what is being measured: a finished span, an event, or what was detected on a finished span.
type measurement struct {
	fields *fieldSet
	values []fieldValue
	// statements are those of the instance.
	statements statements
	// attrs and resource are those of the span or event.
	attrs, resource pcommon.Map
	// name is the event's, and empty for a span.
	name string
	// at is when it ended or happened, in Unix nanoseconds, and took how long it took, or negative.
	at, took int64
	// failed is a span's status.
	failed bool
	// where is its exemplar without a value, once located.
	where   series.Exemplar
	located bool
	query   query
}

// query is what is known of a database query.
type query struct {
	statement
	known bool
}

// begin turns to the next thing to be measured, whose attributes are m.attrs.
func (m *measurement) begin(fields *fieldSet) {
	m.fields = fields
	m.values = m.values[:0]
	m.values = slices.Grow(m.values, len(fields.fields))[:len(fields.fields)]
	clear(m.values)
	m.query = query{}
	fields.read(m.attrs, m.values)
}

// release forgets the pdata, and returns the room for values to be used again.
func (m *measurement) release() []fieldValue {
	clear(m.values[:cap(m.values)])
	return m.values[:0]
}

// readMissing looks in other attributes for the fields that were not found.
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

// value returns that of a field of the span or event, or what can be worked out, or that of its resource.
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

// deriveFunc works out the text of what is being measured under a key; empty if it has none.
type deriveFunc func(*measurement) string

// deriveFuncOf is nil for a key whose value a sender has to write.
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

// spanStatus is empty for an event.
func (m *measurement) spanStatus() string {
	switch {
	case m.name != "":
		return ""
	case m.failed:
		return string(lifecycle.StatusFailure)
	}
	return string(lifecycle.StatusSuccess)
}

// statement returns what the event's SQL does.
func (m *measurement) statement() *statement {
	if !m.query.known {
		m.query.known = true
		m.query.statement = m.statements.describe(text(m.attrs, lifecycle.AttrSQL))
		m.query.schema = m.query.schema || sqltext.AboutSchema(text(m.attrs, lifecycle.AttrName), "")
	}
	return &m.query.statement
}
