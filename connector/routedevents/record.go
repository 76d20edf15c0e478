// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/printable"
)

// recordWriter makes structured records of one batch.
type recordWriter struct {
	// lines makes each record's body a line of JSON.
	lines bool
	tasks taskSpans
	// callers is nil where only the event itself names its task's caller.
	callers *callers
}

// write makes the record of a fact.
func (w *recordWriter) write(target plog.LogRecord, c *candidate, resource pcommon.Map) {
	switch {
	case c.ofSpan:
		fillOutcome(target, c.fact, c.span)
	default:
		c.event.CopyTo(target)
		if c.fact != c.event.EventName() {
			nameAnew(target, c.fact)
		}
		w.complete(target)
	}
	target.Attributes().PutStr(lifecycle.AttrRecordUID, c.uid.String())
	w.finish(target, resource)
}

// announcement makes the record of an event, independent of other events.
func (w *recordWriter) announcement(target, event plog.LogRecord, resource pcommon.Map) {
	event.CopyTo(target)
	w.complete(target)
	w.finish(target, resource)
}

// nameAnew renames a copy of an event to its fact, and removes what belongs to the old name.
func nameAnew(target plog.LogRecord, fact string) {
	target.SetEventName(fact)
	target.SetSeverityNumber(plog.SeverityNumberUnspecified)
	target.Attributes().Remove(lifecycle.AttrEventType)
	pcommon.NewValueEmpty().CopyTo(target.Body())
}

// complete sets a copied event's span context, and its severity and readable line if missing.
func (w *recordWriter) complete(target plog.LogRecord) {
	attrs := target.Attributes()
	attrs.Remove(lifecycle.AttrSignals)
	attrs.Remove(lifecycle.AttrIdentity)
	w.setCorrelation(target, attrs)
	w.setContext(target, attrs)
	if target.SeverityNumber() == plog.SeverityNumberUnspecified {
		setSeverity(target)
	}
	if target.Body().Type() == pcommon.ValueTypeEmpty {
		target.Body().SetStr(eventrecord.Message(target))
	}
}

func setSeverity(target plog.LogRecord) {
	severity := lifecycle.SeverityOf(target.EventName())
	target.SetSeverityNumber(plog.SeverityNumber(severity))
	target.SetSeverityText(severity.String())
}

// finish adds the fields that follow from the rest of a record.
func (w *recordWriter) finish(target plog.LogRecord, resource pcommon.Map) {
	f := fieldsOf(target.EventName(), target.Attributes())
	if w.lines {
		toLine(target, resource, f)
	} else {
		f.put(target.Attributes()) // makes a list of a backtrace's lines
		makeSafe(target.Attributes())
	}
	makeValueSafe(target.Body())
	target.SetEventName(printable.Value(target.EventName()))
}

// setCorrelation gives a task's record a correlation id if it has none: of its own time, with the suffix of all generated ids of
// its task.
func (w *recordWriter) setCorrelation(target plog.LogRecord, attrs pcommon.Map) {
	if _, found := attrs.Get(lifecycle.AttrCorrelationID); found || target.TraceID().IsEmpty() {
		return
	}
	attrs.PutStr(lifecycle.AttrCorrelationID, w.tasks.suffixOf(target.TraceID()).At(int64(target.Timestamp())))
}

// setContext sets a record's trace and span to those of its task. A task with a caller is in the caller's trace, as in
// span_hierarchy. An event without a task gets its sender's context, if known.
func (w *recordWriter) setContext(target plog.LogRecord, attrs pcommon.Map) {
	own := target.TraceID()
	if !own.IsEmpty() && w.callers != nil {
		target.SetTraceID(w.callers.traceOf(own))
		target.SetSpanID(w.tasks.of(own))
		return
	}
	trace, span, called := lifecycle.ParseTraceparent(eventrecord.Text(attrs, lifecycle.AttrTraceparent))
	if !own.IsEmpty() {
		span = w.tasks.of(own)
	} else if !called {
		span = pcommon.SpanID{}
	}
	if called {
		target.SetTraceID(trace)
	}
	target.SetSpanID(span)
}

// integer returns zero for a value that is not a whole number.
func integer(attrs pcommon.Map, key string) int64 {
	value, found := attrs.Get(key)
	if !found {
		return 0
	}
	switch value.Type() {
	case pcommon.ValueTypeInt:
		return value.Int()
	case pcommon.ValueTypeDouble: // some JSON libraries know only floats
		return int64(value.Double())
	}
	return 0
}

// taskSpans computes the ids of tasks' spans and the suffixes of their correlation ids, and caches the last, because a task's
// events are mostly adjacent.
type taskSpans struct {
	trace pcommon.TraceID
	span  pcommon.SpanID

	correlated pcommon.TraceID
	suffix     lifecycle.CorrelationSuffix
}

// of returns the id of the span of a task's first run, which has the key "" and the begin 0.
func (t *taskSpans) of(trace pcommon.TraceID) pcommon.SpanID {
	if trace != t.trace {
		t.trace, t.span = trace, lifecycle.SpanID(trace, lifecycle.SpanTask, "", 0)
	}
	return t.span
}

func (t *taskSpans) suffixOf(trace pcommon.TraceID) lifecycle.CorrelationSuffix {
	if trace != t.correlated {
		t.correlated, t.suffix = trace, lifecycle.CorrelationSuffixOf(trace)
	}
	return t.suffix
}
