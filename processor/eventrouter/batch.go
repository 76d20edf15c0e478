// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"slices"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/dedup"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/routing"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter/internal/scrub"
)

// Drop reasons of the router itself, besides those of package routing.
const (
	reasonNoName    routing.Reason = "no_name"
	reasonLongName  routing.Reason = "long_name"
	reasonNotTasker routing.Reason = "not_tasker"
	reasonDuplicate routing.Reason = "duplicate"
	reasonShed      routing.Reason = "shed"
)

// batch is one call of ConsumeLogs. Its slices run parallel to the records, in their order.
type batch struct {
	events []event
	// repeats counts, by fingerprint, events that their clock does not distinguish; nil until there is one.
	repeats map[uint64]uint64
	// keys identify duplicates; zero for a record that is dropped anyway, or was found to be a duplicate.
	keys  []uint64
	claim dedup.Claim
	// kept is the number of records passed on.
	kept int
	// received is true if the records came over the network: their stamps are not of this collector's router.
	received bool
	// mixed is true if there may be records of other programs among them.
	mixed    bool
	scrubbed scrub.Counts
	// clocks counts records by the source of their time, and impossible those whose own time was not used.
	clocks     [eventrecord.ClockReceipt + 1]int64
	impossible int64
}

// maxIdleEvents bounds the memory that an idle batch keeps.
const maxIdleEvents = 1 << 13

// reset empties the batch and keeps its memory.
func (b *batch) reset() {
	if cap(b.events) > maxIdleEvents {
		*b = batch{}
		return
	}
	*b = batch{events: b.events[:0], keys: b.keys[:0]}
}

// event is the decision on a record.
type event struct {
	// counts are the counters of the event's name; nil for an event without one.
	counts      *nameCounts
	fingerprint uint64
	// routed means that an earlier router set the fingerprint, and given that the record already has it.
	routed, given bool

	signals  lifecycle.Signals
	priority lifecycle.Priority
	reason   routing.Reason
}

// decide normalises every record and decides on it, but drops and stamps nothing yet.
func (r *router) decide(w *scratch, b *batch, logs plog.Logs) {
	size := logs.LogRecordCount()
	b.events = slices.Grow(b.events, size)
	b.keys = slices.Grow(b.keys, size)
	now := pcommon.NewTimestampFromTime(r.now())
	w.normalizer.Received = b.received
	for _, resourceLogs := range logs.ResourceLogs().All() {
		resource := resourceLogs.Resource().Attributes()
		of, service := eventrecord.ApplicationOf(resource), serviceHash(resource)
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			for _, record := range scopeLogs.LogRecords().All() {
				if !eventrecord.Possible(record.ObservedTimestamp(), now) {
					record.SetObservedTimestamp(now)
				}
				clock, impossible := w.normalizer.Normalize(of, record)
				b.clocks[clock]++
				if impossible {
					b.impossible++
				}
				e := b.distinguish(r.decideRecord(b, record), service, record)
				key := uint64(0)
				if e.reason == routing.ReasonNone {
					key = e.fingerprint ^ service
				}
				b.events = append(b.events, e)
				b.keys = append(b.keys, key)
			}
		}
	}
}

func (r *router) decideRecord(b *batch, record plog.LogRecord) event {
	name := record.EventName()
	if name == "" {
		return event{reason: reasonNoName}
	}
	if len(name) > lifecycle.MaxEventName {
		return event{reason: reasonLongName}
	}
	if b.mixed && notTasker(r.table, name, record.Attributes()) {
		return event{reason: reasonNotTasker}
	}
	counts := r.statistics.of(name)
	decision := r.table.Lookup(name)
	if decision.Reason != routing.ReasonNone {
		return event{counts: counts, reason: decision.Reason}
	}
	e := event{counts: counts, priority: decision.Priority}
	if !b.received {
		e.fingerprint, e.given = eventrecord.Given(record)
		e.routed = e.given && eventrecord.Routed(record)
	}
	if !e.given {
		e.fingerprint = eventrecord.Fingerprint(name, record.Timestamp(), record.Attributes())
	}
	random := routing.RandomnessOf(e.fingerprint)
	if trace := record.TraceID(); !trace.IsEmpty() {
		random = routing.Randomness(trace)
	}
	if e.signals = decision.Sample(random); e.signals == lifecycle.SignalsNone {
		e.reason = routing.ReasonSampled
	}
	return e
}

// distinguish gives the second and third of equal items in a batch an identity of their own: a sender does not put an item into a
// request twice, but the engine does announce a change two or three times within a second, the resolution of a payload's clock. A
// resend of the request has the same items in the same order. Items with an id or a finer time need no such rule.
func (b *batch) distinguish(e event, service uint64, record plog.LogRecord) event {
	if e.routed || e.reason != routing.ReasonNone || record.Timestamp()%1e9 != 0 && record.Timestamp() != record.ObservedTimestamp() {
		return e
	}
	if _, found := record.Attributes().Get(lifecycle.AttrEventID); found {
		return e
	}
	if b.repeats == nil {
		b.repeats = map[uint64]uint64{}
	}
	before := b.repeats[e.fingerprint^service]
	b.repeats[e.fingerprint^service] = before + 1
	if before > 0 {
		e.fingerprint, e.given = eventrecord.Repeat(e.fingerprint, before), false
	}
	return e
}

// serviceHash distinguishes equal payloads of two applications.
func serviceHash(resource pcommon.Map) uint64 {
	var hash uint64
	for _, key := range [...]string{lifecycle.AttrServiceNamespace, lifecycle.AttrServiceName} {
		if value, found := resource.Get(key); found {
			hash = xxh3.HashStringSeed(value.Str(), hash+1)
		}
	}
	return hash
}

// apply removes the dropped records and what becomes empty; it scrubs and stamps the others.
func (r *router) apply(w *scratch, b *batch, logs plog.Logs) {
	next := 0
	sheds := r.shedder.sheds()
	drop := func(record plog.LogRecord) bool {
		e := &b.events[next]
		if e.reason == routing.ReasonNone && r.seen != nil && b.keys[next] == 0 {
			e.reason = reasonDuplicate
		}
		next++
		if i := indexOf(e.priority); e.reason == routing.ReasonNone && i >= 0 && sheds[i] {
			e.reason = reasonShed
		}
		if e.reason != routing.ReasonNone {
			return true
		}
		b.kept++
		w.pass.Scrub(record)
		stamp(record, e)
		return false
	}
	logs.ResourceLogs().RemoveIf(func(resourceLogs plog.ResourceLogs) bool {
		resourceLogs.ScopeLogs().RemoveIf(func(scopeLogs plog.ScopeLogs) bool {
			scopeLogs.LogRecords().RemoveIf(drop)
			setScope(scopeLogs.Scope())
			w.pass.ScrubResource(scopeLogs.Scope().Attributes())
			w.pass.ScrubText(scopeLogs.Scope().Version(), scopeLogs.Scope().SetVersion)
			w.pass.ScrubText(scopeLogs.SchemaUrl(), scopeLogs.SetSchemaUrl)
			return scopeLogs.LogRecords().Len() == 0
		})
		w.pass.ScrubResource(resourceLogs.Resource().Attributes())
		w.pass.ScrubText(resourceLogs.SchemaUrl(), resourceLogs.SetSchemaUrl)
		return resourceLogs.ScopeLogs().Len() == 0
	})
	b.scrubbed = w.pass.Take()
	r.shedder.inFlight.Add(int64(b.kept))
}

// roomForStamp is the number of attributes of a stamp: identity and signals. Without reserving them the attribute list would
// double. tasker_events has reserved them already.
const roomForStamp = 2

// stamp writes the decision on a record.
func stamp(record plog.LogRecord, e *event) {
	attrs := record.Attributes()
	if !e.given {
		attrs.EnsureCapacity(attrs.Len() + roomForStamp)
		eventrecord.SetIdentity(attrs, e.fingerprint)
	}
	attrs.PutStr(lifecycle.AttrSignals, e.signals.String())
	switch {
	case e.priority != lifecycle.PriorityNormal:
		attrs.PutStr(lifecycle.AttrPriority, string(e.priority))
	case e.routed || !e.given:
		attrs.Remove(lifecycle.AttrPriority) // of an earlier router
	}
}

// setScope replaces an OTLP sender's scope by that of events.
func setScope(scope pcommon.InstrumentationScope) {
	if scope.Name() != lifecycle.ScopeEvents {
		scope.SetName(lifecycle.ScopeEvents)
		scope.SetVersion("")
	}
}
