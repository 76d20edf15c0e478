package spantometrics

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/sqltext"
)

// subject is what is being measured: a finished span, an event, or what was detected on a finished span.
type subject struct {
	fields *fieldSet
	values []fieldValue
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

// begin turns to the next thing to be measured, whose attributes are s.attrs.
func (s *subject) begin(fields *fieldSet) {
	s.fields = fields
	s.values = s.values[:0]
	s.values = slices.Grow(s.values, len(fields.fields))[:len(fields.fields)]
	clear(s.values)
	s.query = query{}
	fields.read(s.attrs, s.values)
}

// readMissing looks in other attributes for the fields that were not found.
func (s *subject) readMissing(attrs pcommon.Map) {
	for i := range s.values {
		v := &s.values[i]
		for rank, key := range s.fields.fields[i].keys {
			if attribute, found := attrs.Get(key); found && v.rank == rankUnknown {
				v.attribute, v.rank = attribute, rank+1
			}
		}
	}
}

// value is that of a field of the span or event, or what can be worked out, or that of its resource.
func (r *recorder) value(index int) *fieldValue {
	v := &r.values[index]
	if v.rank != rankUnknown {
		return v
	}
	f := &r.fields.fields[index]
	for _, work := range f.workers {
		if v.text = work(r); v.text != "" {
			v.rank = rankText
			return v
		}
	}
	for i, key := range f.keys {
		if attribute, found := r.resource.Get(key); found {
			v.attribute, v.rank = attribute, i+1
			return v
		}
	}
	v.rank = rankAbsent
	return v
}

// worker works out the text of what is being measured under a key; empty if it has none.
type worker func(*recorder) string

// workerOf is nil for a key whose value a sender has to write.
func workerOf(key string) worker {
	switch key {
	case keyEventName:
		return func(r *recorder) string { return r.name }
	case lifecycle.AttrStatus:
		return func(r *recorder) string { return r.spanStatus() }
	case lifecycle.AttrDBOperationName:
		return func(r *recorder) string { return r.statement().operation }
	case lifecycle.AttrDBCollectionName:
		return func(r *recorder) string { return r.statement().collection }
	case keyAboutSchema:
		return func(r *recorder) string { return r.statement().aboutSchema() }
	}
	return nil
}

// spanStatus is empty for an event.
func (s *subject) spanStatus() string {
	switch {
	case s.name != "":
		return ""
	case s.failed:
		return string(lifecycle.StatusFailure)
	}
	return string(lifecycle.StatusSuccess)
}

// statement is what the event's SQL does.
func (r *recorder) statement() *statement {
	if !r.query.known {
		r.query.known = true
		r.query.statement = r.statements.describe(text(r.attrs, lifecycle.AttrSQL))
		r.query.schema = r.query.schema || sqltext.AboutSchema(text(r.attrs, lifecycle.AttrName), "")
	}
	return &r.query.statement
}
