// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
)

// Outcome is the status of a span.
type Outcome uint8

// The statuses of a span.
const (
	OutcomeUnset Outcome = iota
	OutcomeOk
	OutcomeError
)

// Span is a finished span. Times are Unix nanoseconds.
type Span struct {
	ID, Parent event.SpanID
	Name       string
	Start, End int64
	Outcome    Outcome
	Message    string
	Attributes []attribute.KeyValue
	Events     []SpanEvent
	// EventsDropped is the number of events beyond the first 128.
	EventsDropped uint32
	Link          *Link
}

// Failed reports whether the status of the span is an error.
func (s *Span) Failed() bool { return s.Outcome == OutcomeError }

// SpanEvent is an event on a span.
type SpanEvent struct {
	Name       string
	At         int64
	Attributes []attribute.KeyValue
}

// Link points at another span: the earlier attempt, the earlier run.
type Link struct {
	Trace event.TraceID
	Span  event.SpanID
}
