// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventbatch

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Put makes a record the carrier of a batch with so many events.
func Put(record plog.LogRecord, batch Batch, events int, observed pcommon.Timestamp) {
	record.SetEventName(lifecycle.EventBatch)
	record.SetObservedTimestamp(observed)
	PutIn(record.Attributes(), batch, events)
}

// PutIn adds a batch with so many events to the attributes of its carrier, a record or span. They are strings, which pdata does not
// copy on reading, as it does bytes.
func PutIn(attrs pcommon.Map, batch Batch, events int) {
	attrs.EnsureCapacity(3)
	attrs.PutInt(lifecycle.AttrEventCount, int64(events))
	attrs.PutStr(lifecycle.AttrEventBatch, batch.Events)
	if batch.Decisions != "" {
		attrs.PutStr(lifecycle.AttrEventDecisions, batch.Decisions)
	}
}

// Of returns the batch that a record carries.
func Of(record plog.LogRecord) (batch Batch, found bool) {
	if record.EventName() != lifecycle.EventBatch {
		return Batch{}, false
	}
	return in(record.Attributes())
}

// OfSpan returns the batch that a span carries.
func OfSpan(span ptrace.Span) (batch Batch, found bool) {
	if span.Name() != lifecycle.EventBatch {
		return Batch{}, false
	}
	return in(span.Attributes())
}

// in returns the batch among the attributes of its carrier.
func in(attrs pcommon.Map) (batch Batch, found bool) {
	value, found := attrs.Get(lifecycle.AttrEventBatch)
	if !found || value.Type() != pcommon.ValueTypeStr {
		return Batch{}, false
	}
	return Batch{value.Str(), eventrecord.Text(attrs, lifecycle.AttrEventDecisions)}, true
}

// Count returns how many events a record or span stands for, by its name and attributes. Of a carrier it is the number that the
// carrier has, at least one, and no more than its batch has room for.
func Count(name string, attrs pcommon.Map) int64 {
	if name != lifecycle.EventBatch {
		return 1
	}
	count, found := attrs.Get(lifecycle.AttrEventCount)
	if !found {
		return 1
	}
	batch, _ := in(attrs)
	return max(1, min(count.Int(), int64(len(batch.Events)/headBytes)))
}

// Record writes the current event as the record that it stands for. Its strings are parts of the batch.
func (r *Reader[T]) Record(to plog.LogRecord, observed pcommon.Timestamp) {
	r.record(to, observed, r.Values())
}

// OwnRecord is Record with strings of the record's own, so that it does not keep the batch in memory.
func (r *Reader[T]) OwnRecord(to plog.LogRecord, observed pcommon.Timestamp) {
	r.record(to, observed, r.valuesOf(strings.Clone(r.batch[r.at+headBytes:r.end]), AllPlaces))
}

func (r *Reader[T]) record(to plog.LogRecord, observed pcommon.Timestamp, values []Value) {
	head, shape := r.Head(), r.Shape()
	to.SetEventName(shape.Name)
	to.SetTimestamp(head.Time)
	if to.SetObservedTimestamp(observed); head.AtReceipt {
		to.SetObservedTimestamp(head.Time)
	}
	to.SetTraceID(head.TraceID)
	severity := lifecycle.SeverityOf(shape.Name)
	to.SetSeverityNumber(plog.SeverityNumber(severity))
	to.SetSeverityText(severity.String())
	attrs := to.Attributes()
	attrs.EnsureCapacity(len(shape.Keys) + len(eventrecord.Stamps()))
	eventrecord.SetIdentity(attrs, head.Identity)
	for i, value := range values {
		value.CopyTo(attrs.PutEmpty(shape.Keys[i]))
	}
	if head.Routed {
		eventrecord.SetDecision(attrs, head.Signals, head.Priority)
	}
	if shape.Message {
		to.Body().SetStr(eventrecord.Message(to))
	}
}

// Records returns logs in which each carrier is replaced by the records of its events. It does not change the logs that it gets, and
// returns them if they have no carrier. What cannot be read of a batch is an error, and nothing is returned.
func Records(logs plog.Logs) (plog.Logs, error) {
	if !carries(logs) {
		return logs, nil
	}
	all := plog.NewLogs()
	reader := NewPlainReader()
	for _, from := range logs.ResourceLogs().All() {
		resource := all.ResourceLogs().AppendEmpty()
		from.Resource().CopyTo(resource.Resource())
		resource.SetSchemaUrl(from.SchemaUrl())
		for _, fromScope := range from.ScopeLogs().All() {
			scope := resource.ScopeLogs().AppendEmpty()
			fromScope.Scope().CopyTo(scope.Scope())
			scope.SetSchemaUrl(fromScope.SchemaUrl())
			for _, record := range fromScope.LogRecords().All() {
				batch, found := Of(record)
				if !found {
					record.CopyTo(scope.LogRecords().AppendEmpty())
					continue
				}
				if err := reader.Open(batch); err != nil {
					return plog.Logs{}, err
				}
				for reader.Next() {
					reader.Record(scope.LogRecords().AppendEmpty(), record.ObservedTimestamp())
				}
				if err := reader.Err(); err != nil {
					return plog.Logs{}, err
				}
			}
		}
	}
	return all, nil
}

func carries(logs plog.Logs) bool {
	for _, resourceLogs := range logs.ResourceLogs().All() {
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			for _, record := range scopeLogs.LogRecords().All() {
				if _, found := Of(record); found {
					return true
				}
			}
		}
	}
	return false
}
