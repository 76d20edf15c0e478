// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/dedup"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
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
	reasonMalformed routing.Reason = "malformed"
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

// decide normalises every record and decides on it, but drops and stamps nothing yet. It decides likewise on the events in a batch
// record, but for those that must be records, which it appends. An error is that of a batch of this process that cannot be read.
func (r *router) decide(w *scratch, b *batch, logs plog.Logs) error {
	size := logs.LogRecordCount()
	b.events = slices.Grow(b.events, size)
	b.keys = slices.Grow(b.keys, size)
	w.carried, w.applied = w.carried[:0], 0
	now := pcommon.NewTimestampFromTime(r.now())
	w.normalizer.Received = b.received
	for _, resourceLogs := range logs.ResourceLogs().All() {
		of := eventrecord.ApplicationOf(resourceLogs.Resource().Attributes())
		service := of.Hash()
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			records := scopeLogs.LogRecords()
			for i := 0; i < records.Len(); i++ { // the number grows
				record := records.At(i)
				if !eventrecord.Possible(record.ObservedTimestamp(), now) {
					record.SetObservedTimestamp(now)
				}
				if events, found := eventbatch.Of(record); found {
					if err := r.decideBatch(w, b, events, service, records, record.ObservedTimestamp()); err != nil {
						return err
					}
					continue
				}
				clock, impossible := w.normalizer.Normalize(of, record)
				b.clocks[clock]++
				if impossible {
					b.impossible++
				}
				b.add(r.decideRecord(b, record, service), service)
			}
		}
	}
	return nil
}

// add adds a decision.
func (b *batch) add(e event, service uint64) {
	key := uint64(0)
	if e.reason == routing.ReasonNone {
		key = e.fingerprint ^ service
	}
	b.events = append(b.events, e)
	b.keys = append(b.keys, key)
}

// naming is what follows from an event's name.
type naming struct {
	counts   *nameCounts
	decision *routing.Decision
}

func (r *router) naming(name string) naming {
	return naming{r.statistics.of(name), r.table.Lookup(name)}
}

func (r *router) decideRecord(b *batch, record plog.LogRecord, service uint64) event {
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
	n := r.naming(name)
	if n.decision.Reason != routing.ReasonNone {
		return event{counts: n.counts, reason: n.decision.Reason}
	}
	e := event{}
	if !b.received {
		e.fingerprint, e.given = eventrecord.Given(record)
		e.routed = e.given && eventrecord.Routed(record)
	}
	if !e.given {
		e.fingerprint = eventrecord.Fingerprint(name, record.Timestamp(), record.Attributes())
	}
	e.decide(&n, record.TraceID())
	if e.mayRepeat(record.Timestamp(), record.Timestamp() == record.ObservedTimestamp()) {
		if _, found := record.Attributes().Get(lifecycle.AttrEventID); !found {
			b.distinguish(&e, service)
		}
	}
	return e
}

// decide decides on an event with a route.
func (e *event) decide(n *naming, trace pcommon.TraceID) {
	e.counts, e.priority = n.counts, n.decision.Priority
	random := routing.RandomnessOf(e.fingerprint)
	if !trace.IsEmpty() {
		random = routing.Randomness(trace)
	}
	if e.signals = n.decision.Sample(random); e.signals == lifecycle.SignalsNone {
		e.reason = routing.ReasonSampled
	}
}

// mayRepeat reports whether other events may equal an event without an id: its time is in whole seconds, or that of its receipt.
func (e *event) mayRepeat(at pcommon.Timestamp, atReceipt bool) bool {
	return !e.routed && e.reason == routing.ReasonNone && (at%1e9 == 0 || atReceipt)
}

// distinguish gives the second and third of equal items in a batch an identity of their own: a sender does not put an item into a
// request twice, but the engine does announce a change two or three times within a second, the resolution of a payload's clock. A
// resend of the request has the same items in the same order. Items with an id or a finer time need no such rule.
func (b *batch) distinguish(e *event, service uint64) {
	if b.repeats == nil {
		b.repeats = map[uint64]uint64{}
	}
	before := b.repeats[e.fingerprint^service]
	b.repeats[e.fingerprint^service] = before + 1
	if before > 0 {
		e.fingerprint, e.given = eventrecord.Repeat(e.fingerprint, before), false
	}
}

// apply removes the dropped records and what becomes empty; it scrubs and stamps the others. It writes batches again.
func (r *router) apply(w *scratch, b *batch, logs plog.Logs) {
	decisions := decisions{batch: b, sheds: r.shedder.sheds(), deduplicates: r.seen != nil}
	logs.ResourceLogs().RemoveIf(func(resourceLogs plog.ResourceLogs) bool {
		resourceLogs.ScopeLogs().RemoveIf(func(scopeLogs plog.ScopeLogs) bool {
			scopeLogs.LogRecords().RemoveIf(func(record plog.LogRecord) bool {
				if events, found := eventbatch.Of(record); found {
					return !w.applyBatch(&decisions, record, events)
				}
				e, kept := decisions.next()
				if kept {
					w.pass.Scrub(record)
					stamp(record, e)
				}
				return !kept
			})
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

// decisions are those on the events of a batch, in their order.
type decisions struct {
	batch        *batch
	index        int
	sheds        [len(sheddable)]bool
	deduplicates bool
}

// next completes the decision on the next event, and reports whether it is kept.
func (d *decisions) next() (e *event, kept bool) {
	e = &d.batch.events[d.index]
	if e.reason == routing.ReasonNone && d.deduplicates && d.batch.keys[d.index] == 0 {
		e.reason = reasonDuplicate
	}
	d.index++
	if i := indexOf(e.priority); e.reason == routing.ReasonNone && i >= 0 && d.sheds[i] {
		e.reason = reasonShed
	}
	if e.reason != routing.ReasonNone {
		return e, false
	}
	d.batch.kept++
	return e, true
}

// roomForStamp is the number of attributes of a stamp: identity and signals. Without reserving them the attribute list would
// double. tasker_events has reserved them already.
const roomForStamp = 2

// stamp writes the decision on a record.
func stamp(record plog.LogRecord, e *event) {
	attrs := record.Attributes()
	if !e.given {
		attrs.Remove(lifecycle.AttrEventBatch) // which only this collector may write
		attrs.Remove(lifecycle.AttrEventDecisions)
		attrs.EnsureCapacity(attrs.Len() + roomForStamp)
		eventrecord.SetIdentity(attrs, e.fingerprint)
	}
	if e.priority == lifecycle.PriorityNormal && (e.routed || !e.given) {
		attrs.Remove(lifecycle.AttrPriority) // of an earlier router
	}
	eventrecord.SetDecision(attrs, e.signals, e.priority)
}

// setScope replaces an OTLP sender's scope by that of events.
func setScope(scope pcommon.InstrumentationScope) {
	if scope.Name() != lifecycle.ScopeEvents {
		scope.SetName(lifecycle.ScopeEvents)
		scope.SetVersion("")
	}
}
