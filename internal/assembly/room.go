// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

// treeLimits are the limits on a tree.
type treeLimits struct {
	// spans is the largest number of spans.
	spans int
	// bytes is the approximate size.
	bytes int64
}

// room is what counts toward the limits on a tree. A task can stay open for ever, so they apply to each pass, and to what happens
// between two passes. They are counted as the events are read, so that what is left out does not depend on when spans are emitted:
// searches, batches without attempts, queries and events on spans. Passes, attempts and waits are never left out.
type room struct {
	spans int
	bytes int64 // on the wire, about
}

// Approximate sizes of a span and of a span event on the wire, without optional texts.
const (
	bytesPerSpan      = 512
	bytesPerSpanEvent = 32
)

// roomFor counts spans and bytes, and reports whether they are within the limits.
func (rd *reader) roomFor(spans int, bytes int64) bool {
	rd.room.spans += spans
	rd.room.bytes += bytes
	return rd.room.spans <= rd.limits.spans && rd.room.bytes <= rd.limits.bytes
}

// measure counts the span of a query or a span event.
func (rd *reader) measure(r *record) {
	switch r.kind {
	case kindQuery:
		r.cut = !rd.roomFor(1, bytesPerSpan+rd.task.detail(r).size())
	case kindDiscovered:
		r.cut = !rd.roomFor(0, bytesPerSpanEvent+int64(len(rd.task.list(r)))*bytesPerString)
	case kindNothingViable, kindTaskPending, kindSpanEvent, kindStepReset, kindTaskCancelled, kindTaskResolved, kindStepCancelled,
		kindStepResolved:
		r.cut = !rd.roomFor(0, bytesPerSpanEvent+rd.task.detail(r).size())
	}
}
