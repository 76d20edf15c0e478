// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"math"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// fillOutcome makes the record of a finished span: at its end, with its ids, attributes, duration and error. The same span makes
// the same record.
func fillOutcome(target plog.LogRecord, fact string, span ptrace.Span) {
	target.SetEventName(fact)
	target.SetTimestamp(span.EndTimestamp())
	target.SetObservedTimestamp(span.EndTimestamp()) // it originates in the collector
	target.SetTraceID(span.TraceID())
	target.SetSpanID(span.SpanID())
	target.SetFlags(plog.DefaultLogRecordFlags.WithIsSampled(true))
	setSeverity(target)
	attrs := target.Attributes()
	span.Attributes().CopyTo(attrs)
	if span.StartTimestamp() != 0 && span.EndTimestamp() >= span.StartTimestamp() {
		took := float64(span.EndTimestamp()-span.StartTimestamp()) / 1e6
		attrs.PutDouble(lifecycle.AttrDurationMS, math.Round(took*100)/100)
	}
	if span.Status().Code() == ptrace.StatusCodeError {
		if class := eventrecord.Text(attrs, lifecycle.AttrErrorType); class != "" {
			attrs.PutStr(lifecycle.AttrErrorClass, class)
		}
		if message := span.Status().Message(); message != "" {
			attrs.PutStr(lifecycle.AttrErrorMessage, message)
		}
		if trace := backtrace(span); trace != "" {
			attrs.PutStr(lifecycle.AttrBacktrace, trace)
		}
	}
	target.Body().SetStr(eventrecord.Message(target))
}

// backtrace returns that of the exception that ended an attempt.
func backtrace(span ptrace.Span) string {
	for _, event := range span.Events().All() {
		if trace := eventrecord.Text(event.Attributes(), lifecycle.AttrExceptionStacktrace); trace != "" {
			return trace
		}
	}
	return ""
}
