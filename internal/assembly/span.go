// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

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

// Tree is one run of a task: the task's span first, every parent before its children. Spans of the run that were emitted before as
// parts are not in it. The tree and everything in it belong to the assembler and are valid only until the sink returns.
type Tree struct {
	Trace event.TraceID
	// Key is the id under which the assembler knows the task. It differs from Trace if the task has a caller.
	Key      event.TraceID
	Resource *event.Resource
	Reason   Reason
	// Part is true while the task is open: the tree has final spans of it, without the task's own.
	Part  bool
	Spans []Span
	// Cut is the number of spans that the limits on a tree left out, and SpanEventsCut that of events on spans.
	Cut, SpanEventsCut int
	// EventsDropped is the number of events dropped because a span has 128 at most.
	EventsDropped int

	steps []event.Step // of the task
}

// Reason says why a tree left the assembler.
type Reason uint8

const (
	// ReasonEnded means that the task ended and nothing of it is missing.
	ReasonEnded Reason = iota
	// ReasonSettled means that the task ended and some events did not arrive within the settle timeout.
	ReasonSettled
	// ReasonIdle means that no event arrived for the idle timeout; the tree is incomplete.
	ReasonIdle
	// ReasonEvicted means that the number of open tasks was at its limit, and this one had been idle longest.
	ReasonEvicted
	// ReasonEvictedBytes means that the memory of open tasks was over its limit, and this one had been idle longest.
	ReasonEvictedBytes
	// ReasonShutdown means that the collector stopped.
	ReasonShutdown

	// ReasonOpen means that the task is open, and the tree, which is not emitted, shows its present state.
	ReasonOpen
)

func (r Reason) String() string {
	return [...]string{"ended", "settled", "idle", "evicted", "evicted_bytes", "shutdown", "open"}[r]
}
