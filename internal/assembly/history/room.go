// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package history

import "github.com/tasker-otel/otelcol-tasker/internal/assembly/event"

// Limits are the limits on a tree.
type Limits struct {
	// Spans is the largest number of spans.
	Spans int
	// Bytes is the approximate size.
	Bytes int64
}

// Room is what counts toward the limits on a tree. A task can stay open for ever, so they apply to each pass, and to what happens
// between two passes. They are counted as the events are read, so that what is left out does not depend on when spans are emitted:
// searches, batches without attempts, queries and events on spans. Passes, attempts and waits are never left out.
type Room struct {
	Spans int
	Bytes int64 // on the wire, about
}

// Approximate sizes of a span and of a span event on the wire, without optional texts.
const (
	bytesPerSpan      = 512
	bytesPerSpanEvent = 32
)

// roomFor counts spans and bytes, and reports whether they are within the limits.
func (rd *Reader) roomFor(spans int, bytes int64) bool {
	rd.room.Spans += spans
	rd.room.Bytes += bytes
	return rd.room.Spans <= rd.limits.Spans && rd.room.Bytes <= rd.limits.Bytes
}

// measure counts the span of a query or a span event.
func (rd *Reader) measure(r *event.Record) {
	switch r.Kind {
	case event.Query:
		r.Cut = !rd.roomFor(1, bytesPerSpan+rd.task.Events.Detail(r).Size())
	case event.Discovered:
		r.Cut = !rd.roomFor(0, bytesPerSpanEvent+int64(len(rd.task.Events.List(r)))*event.BytesPerString)
	case event.NothingViable, event.TaskPending, event.SpanEvent, event.StepReset, event.TaskCancelled, event.TaskResolved, event.StepCancelled,
		event.StepResolved:
		r.Cut = !rd.roomFor(0, bytesPerSpanEvent+rd.task.Events.Detail(r).Size())
	}
}
