// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
)

// firstSpan reports whether a finished span was not measured before. A span without IDs is always considered new.
func (r *recorder) firstSpan(span ptrace.Span) bool {
	trace, id := span.TraceID(), span.SpanID()
	if trace.IsEmpty() || id.IsEmpty() {
		return true
	}
	var key [len(trace) + len(id)]byte
	copy(key[:], trace[:])
	copy(key[len(trace):], id[:])
	if !r.instance.spansSeen.Add(xxh3.Hash(key[:])) {
		r.tally.skipped[skipDuplicate]++
		return false
	}
	return true
}

// firstEvent reports whether an event was not counted before, as a record or as a span.
func (r *recorder) firstEvent(e *event) bool {
	if e.fingerprint == 0 {
		return true
	}
	if !r.instance.eventsSeen.Add(e.fingerprint) {
		r.tally.skipped[skipDuplicate]++
		return false
	}
	return true
}

// tooOld reports whether the time is further in the past than max_event_age.
func (r *recorder) tooOld(at int64) bool {
	if r.instance.cfg.MaxEventAge == 0 || r.now.Wall-at <= r.instance.cfg.MaxEventAge.Nanoseconds() {
		return false
	}
	r.tally.skipped[skipTooOld]++
	return true
}

// fingerprintsOf returns the fingerprints of records, zero for those that are not events, and prefetches their places in
// the set. The list is valid until the next call.
func (r *recorder) fingerprintsOf(records plog.LogRecordSlice) []uint64 {
	r.fingerprints = r.fingerprints[:0]
	for _, record := range records.All() {
		fingerprint := uint64(0)
		if record.EventName() != "" {
			fingerprint = eventrecord.Identity(record) ^ r.service
		}
		r.fingerprints = append(r.fingerprints, fingerprint)
	}
	r.instance.eventsSeen.Fetch(r.fingerprints)
	return r.fingerprints
}

// spanFingerprint returns the fingerprint of an event span, which routed_events uses as its span ID; zero without one.
func (r *recorder) spanFingerprint(span ptrace.Span) uint64 {
	id := span.SpanID()
	if id.IsEmpty() {
		return 0
	}
	return binary.BigEndian.Uint64(id[:]) ^ r.service
}
