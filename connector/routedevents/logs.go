package routedevents

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// toLogs makes structured records for people and log stores.
type toLogs struct {
	component.StartFunc
	component.ShutdownFunc
	next      consumer.Logs
	telemetry *telemetry
	// lines makes each record's body a line of JSON.
	lines bool
}

// Capabilities say that the input is only read.
func (*toLogs) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs returns the next component's error as it is. Called again with the same logs it makes the same records.
func (c *toLogs) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	structured, counts := structuredRecords(logs, c.lines)
	if counts.converted > 0 {
		if err := c.next.ConsumeLogs(ctx, structured); err != nil {
			return err
		}
	}
	c.telemetry.record(ctx, counts)
	return nil
}

// structuredRecords leaves logs as they are. What it returns is the caller's and shares nothing with them.
func structuredRecords(logs plog.Logs, lines bool) (plog.Logs, counts) {
	structured := plog.NewLogs()
	var (
		c     counts
		tasks taskSpans
	)
	for _, resourceLogs := range logs.ResourceLogs().All() {
		size := recordsIn(resourceLogs)
		if size == 0 {
			continue
		}
		target := structured.ResourceLogs().AppendEmpty()
		scope := target.ScopeLogs().AppendEmpty()
		scope.Scope().SetName(lifecycle.ScopeEvents)
		scope.SetSchemaUrl(lifecycle.SchemaURL)
		records := scope.LogRecords()
		records.EnsureCapacity(size)
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			for _, record := range scopeLogs.LogRecords().All() {
				switch {
				case record.EventName() == "":
					c.noName++
				case !eventrecord.SignalsOf(record.Attributes()).Has(lifecycle.SignalLogs):
					c.notRouted++
				default:
					fillRecord(records.AppendEmpty(), record, resourceLogs.Resource().Attributes(), lines, &tasks)
				}
			}
		}
		if records.Len() > 0 {
			c.converted += int64(records.Len())
			resourceLogs.Resource().CopyTo(target.Resource())
			target.SetSchemaUrl(resourceLogs.SchemaUrl())
		}
	}
	structured.ResourceLogs().RemoveIf(func(r plog.ResourceLogs) bool { return r.ScopeLogs().At(0).LogRecords().Len() == 0 })
	return structured, c
}

func fillRecord(target, record plog.LogRecord, resource pcommon.Map, lines bool, tasks *taskSpans) {
	record.CopyTo(target)
	attrs := target.Attributes()
	attrs.Remove(lifecycle.AttrSignals)
	setCorrelation(target, attrs, tasks)
	setContext(target, attrs, tasks)
	name := target.EventName()
	if target.SeverityNumber() == plog.SeverityNumberUnspecified {
		severity := lifecycle.SeverityOf(name)
		target.SetSeverityNumber(plog.SeverityNumber(severity))
		target.SetSeverityText(severity.String())
	}
	if target.Body().Type() == pcommon.ValueTypeEmpty {
		target.Body().SetStr(eventrecord.Message(target))
	}
	if f := fieldsOf(name, attrs); lines {
		toLine(target, resource, f)
	} else {
		f.put(attrs)
	}
}

// setCorrelation gives a task's record a correlation id if it was sent without one: that of its own time, with the suffix
// that all generated ids of its task have.
func setCorrelation(target plog.LogRecord, attrs pcommon.Map, tasks *taskSpans) {
	if _, found := attrs.Get(lifecycle.AttrCorrelationID); found || target.TraceID().IsEmpty() {
		return
	}
	attrs.PutStr(lifecycle.AttrCorrelationID, tasks.suffixOf(target.TraceID()).At(int64(target.Timestamp())))
}

// setContext puts a record into its task's span; the span id that the router stamped is only the event's. Where the event
// carries its caller's context the task's span is part of the caller's trace, as span_hierarchy makes it. An event of no
// task goes back to where its sender fired it, if that is known.
func setContext(target plog.LogRecord, attrs pcommon.Map, tasks *taskSpans) {
	trace, span, called := lifecycle.ParseTraceparent(str(attrs, lifecycle.AttrTraceparent))
	own := target.TraceID()
	if !own.IsEmpty() {
		span = tasks.of(own)
	} else if !called {
		span = pcommon.SpanID{}
	}
	if called {
		target.SetTraceID(trace)
	}
	target.SetSpanID(span)
}

// str is empty for a value that is no text.
func str(attrs pcommon.Map, key string) string {
	value, found := attrs.Get(key)
	if !found || value.Type() != pcommon.ValueTypeStr {
		return ""
	}
	return value.Str()
}

// taskSpans works out the ids of tasks' spans and the suffixes of their correlation ids, and keeps the last, because the
// events of a task come in runs.
type taskSpans struct {
	trace pcommon.TraceID
	span  pcommon.SpanID

	correlated pcommon.TraceID
	suffix     lifecycle.CorrelationSuffix
}

// of is the id of the span of a task's first run, which has the key "" and the begin 0.
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
