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

// firstSpan reports whether a finished span is measured for the first time. One without ids cannot be distinguished from others, and
// is taken for a new one.
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

// firstEvent reports whether an event is counted for the first time, as a record or as a span.
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

// tooOld reports whether something that happened at a time is older, now that it comes, than the operator wants.
func (r *recorder) tooOld(at int64) bool {
	if r.instance.cfg.MaxEventAge == 0 || r.now.Wall-at <= r.instance.cfg.MaxEventAge.Nanoseconds() {
		return false
	}
	r.tally.skipped[skipTooOld]++
	return true
}

// fingerprintsOf returns the fingerprints of records, zero for those that are no events. They are looked up next: the places of
// all of them are fetched at once. The list is valid until the next call.
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

// spanFingerprint returns that of an event span, whose id routed_events made of the record's. It is zero without one.
func (r *recorder) spanFingerprint(span ptrace.Span) uint64 {
	id := span.SpanID()
	if id.IsEmpty() {
		return 0
	}
	return binary.BigEndian.Uint64(id[:]) ^ r.service
}
