// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/seen"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/tally"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
)

// firstSpan reports whether a finished span was not measured before. A span without IDs is always considered new.
func (b *batch) firstSpan(span ptrace.Span) bool {
	trace, id := span.TraceID(), span.SpanID()
	if trace.IsEmpty() || id.IsEmpty() {
		return true
	}
	var key [len(trace) + len(id)]byte
	copy(key[:], trace[:])
	copy(key[len(trace):], id[:])
	return b.first(b.recorder.state.Spans, xxh3.Hash(key[:]))
}

// firstEvent reports whether an event was not counted before, as a record or as a span.
func (b *batch) firstEvent(e *event) bool {
	return e.fingerprint == 0 || b.first(b.recorder.state.Events, e.fingerprint)
}

// first adds a key to a set. An item whose key is known is skipped.
func (b *batch) first(set *seen.Set, key uint64) bool {
	isNew := set.Add(key)
	if !isNew {
		b.skip(tally.Duplicate, 1)
	}
	return isNew
}

// fingerprintsOf returns the fingerprints of records, zero for those that are not events, and prefetches their places in
// the set. The list is valid until the next call.
func (b *batch) fingerprintsOf(records plog.LogRecordSlice) []uint64 {
	b.recorder.fingerprints = b.recorder.fingerprints[:0]
	for _, record := range records.All() {
		fingerprint := uint64(0)
		if record.EventName() != "" {
			fingerprint = eventrecord.Identity(record) ^ b.service
		}
		b.recorder.fingerprints = append(b.recorder.fingerprints, fingerprint)
	}
	b.recorder.state.Events.Fetch(b.recorder.fingerprints)
	return b.recorder.fingerprints
}

// spanFingerprint returns the fingerprint of an event span, which routed_events uses as its span ID; zero without one.
func (b *batch) spanFingerprint(span ptrace.Span) uint64 {
	id := span.SpanID()
	if id.IsEmpty() {
		return 0
	}
	return binary.BigEndian.Uint64(id[:]) ^ b.service
}
