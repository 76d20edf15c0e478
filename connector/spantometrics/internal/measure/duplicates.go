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
	"github.com/tasker-otel/otelcol-tasker/internal/bounded/generations"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
)

// firstSpan reports whether a finished span was not measured before. A span without IDs, whose key is zero, is always considered new.
func (b *batch) firstSpan(key uint64) bool {
	return key == 0 || b.first(b.recorder.state.Spans, key)
}

// identifyFinished finds the keys of the next finished spans.
func (b *batch) identifyFinished(spans ptrace.SpanSlice, next int) {
	keys := b.recorder.spanKeys[:0]
	for i := next; i < min(next+fetchedAtOnce, spans.Len()); i++ {
		keys = append(keys, keyOf(spans.At(i)))
	}
	b.recorder.state.Spans.Fetch(keys)
	b.recorder.spanKeys = keys
}

// keyOf returns the key of a finished span; zero if it has no IDs.
func keyOf(span ptrace.Span) uint64 {
	trace, id := span.TraceID(), span.SpanID()
	if trace.IsEmpty() || id.IsEmpty() {
		return 0
	}
	var key [len(trace) + len(id)]byte
	copy(key[:], trace[:])
	copy(key[len(trace):], id[:])
	return max(1, xxh3.Hash(key[:])) // 0 and 1 are the same key
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

// identifyRecords finds the fingerprints of events in the order in which they are measured. It fails if a batch is malformed, before
// anything is measured.
func (b *batch) identifyRecords(ld plog.Logs) error {
	for _, resourceLogs := range ld.ResourceLogs().All() {
		b.enter(resourceLogs.Resource().Attributes())
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			for _, record := range scopeLogs.LogRecords().All() {
				if carried, found := eventbatch.Of(record); found {
					if err := b.identifyCarried(carried); err != nil {
						return err
					}
					continue
				}
				fingerprint := uint64(0) // of a record that is no event
				if record.EventName() != "" {
					fingerprint = eventrecord.Identity(record) ^ b.service
				}
				b.recorder.fingerprints = append(b.recorder.fingerprints, fingerprint)
			}
		}
	}
	return nil
}

// identifySpans finds the fingerprints of the event spans that are measured, as identifyRecords does.
func (b *batch) identifySpans(td ptrace.Traces, by origin.Maker) error {
	if !b.measuresEventSpans(by) {
		return nil
	}
	for _, resourceSpans := range td.ResourceSpans().All() {
		b.enter(resourceSpans.Resource().Attributes())
		for _, scopeSpans := range resourceSpans.ScopeSpans().All() {
			if scopeSpans.Scope().Name() != lifecycle.ScopeEvents {
				continue
			}
			for _, span := range scopeSpans.Spans().All() {
				if carried, found := eventbatch.OfSpan(span); found {
					if err := b.identifyCarried(carried); err != nil {
						return err
					}
					continue
				}
				b.recorder.fingerprints = append(b.recorder.fingerprints, b.spanFingerprint(span))
			}
		}
	}
	return nil
}

// identifyCarried reads the heads of the events of a batch, and finds their fingerprints.
func (b *batch) identifyCarried(batch eventbatch.Batch) error {
	events := b.recorder.events
	if err := events.Open(batch); err != nil {
		return err
	}
	for events.Next() {
		read := events.Head()
		b.recorder.heads = append(b.recorder.heads, head{trace: read.TraceID, at: read.Time, atReceipt: read.AtReceipt, signals: read.Signals})
		b.recorder.fingerprints = append(b.recorder.fingerprints, read.Identity^b.service)
	}
	return events.Err()
}

// fetchedAtOnce is how many fingerprints are loaded into the CPU's cache at a time.
const fetchedAtOnce = generations.FetchedAtOnce

// nextFingerprint returns the fingerprint of the next event.
func (b *batch) nextFingerprint() uint64 {
	rest := b.recorder.fingerprints[b.measured:]
	if b.measured%fetchedAtOnce == 0 {
		b.recorder.state.Events.Fetch(rest[:min(len(rest), fetchedAtOnce)])
	}
	b.measured++
	return rest[0]
}

// spanFingerprint returns the fingerprint of an event span, which routed_events uses as its span ID; zero without one.
func (b *batch) spanFingerprint(span ptrace.Span) uint64 {
	id := span.SpanID()
	if id.IsEmpty() {
		return 0
	}
	return binary.BigEndian.Uint64(id[:]) ^ b.service
}
