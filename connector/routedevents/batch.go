// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// batch is one call, with its candidates for records. Its slices run parallel.
type batch struct {
	candidates []candidate
	// keys identify facts; after the claim those already recorded are zero.
	keys []uint64
	// resources are the resources of the candidates.
	resources []source
	// starts are the indexes of the candidates that report a task's start.
	starts map[pcommon.TraceID]int
	// callers is the data on callers to be stored.
	callers []byte
	counts  counts
}

// source is the application of events and spans.
type source struct {
	resource pcommon.Resource
	schema   string
}

// candidate is an event or a finished span that may become a record.
type candidate struct {
	source int
	fact   string
	uid    uid
	event  plog.LogRecord
	span   ptrace.Span
	ofSpan bool
}

func (b *batch) add(c candidate) {
	c.source = len(b.resources) - 1
	b.candidates = append(b.candidates, c)
	b.keys = append(b.keys, c.uid.key())
}

// addStart adds a candidate for a task's start. Of several announcements the earliest is used.
func (b *batch) addStart(e *occurrence) {
	if place, known := b.starts[e.trace]; known {
		if c := &b.candidates[place]; e.at() < c.event.Timestamp() {
			c.event, c.source = e.record(), len(b.resources)-1
		}
		return
	}
	if b.starts == nil {
		b.starts = map[pcommon.TraceID]int{}
	}
	b.starts[e.trace] = len(b.candidates)
	b.add(candidate{fact: lifecycle.TaskStarted, uid: uidOfStart(e.trace), event: e.record()})
}

// readEvents adds candidates from events. With routed, events that the router has sent to logs count, too. An error means that a
// batch cannot be read.
func (f *facts) readEvents(b *batch, logs plog.Logs, routed bool) error {
	for _, rl := range logs.ResourceLogs().All() {
		b.resources = append(b.resources, source{rl.Resource(), rl.SchemaUrl()})
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				if events, found := eventbatch.Of(record); !found {
					f.readEvent(b, record, routed)
				} else if err := f.readBatch(b, record, events, routed); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// occurrence is an event that is a record, or the current one of a batch.
type occurrence struct {
	name     string
	fact     string // empty if it reports none
	trace    pcommon.TraceID
	bySpan   bool // its fact is reported by a span, if it has a task
	signals  lifecycle.Signals
	severity plog.SeverityNumber // unspecified where it follows from the name
	event    plog.LogRecord

	reader   *eventbatch.Reader[kind] // nil for a record
	observed pcommon.Timestamp
}

// at returns the time of the event.
func (e *occurrence) at() pcommon.Timestamp {
	if e.reader != nil {
		return e.reader.Head().Time
	}
	return e.event.Timestamp()
}

// record returns the event as a record.
func (e *occurrence) record() plog.LogRecord {
	if e.reader != nil {
		e.event = plog.NewLogRecord()
		e.reader.OwnRecord(e.event, e.observed) // it outlives the request
		e.reader = nil
	}
	return e.event
}

func (f *facts) readEvent(b *batch, event plog.LogRecord, routed bool) {
	name, attrs := event.EventName(), event.Attributes()
	e := occurrence{
		name: name, trace: event.TraceID(), bySpan: lifecycle.ReportedBySpan(name), signals: eventrecord.SignalsOf(attrs),
		severity: event.SeverityNumber(), event: event,
	}
	if name != "" && !e.trace.IsEmpty() {
		b.callers = f.callers.note(b.callers, e.trace, event.Timestamp(), name, eventrecord.Text(attrs, lifecycle.AttrTraceparent))
		e.fact = lifecycle.FactOfEvent(name, integer(attrs, lifecycle.AttrStepCount))
	}
	f.decide(b, &e, routed)
}

// decide adds an event as candidate, or counts why it is none.
func (f *facts) decide(b *batch, e *occurrence, routed bool) {
	toLogs := routed && e.signals.Has(lifecycle.SignalLogs)
	switch {
	case e.name == "":
		b.counts.noName++
	case e.fact != "" && f.records[e.fact] && (toLogs || e.signals.Has(lifecycle.SignalTraces)):
		f.addEvent(b, e.fact, e)
	case e.fact == lifecycle.TaskStarted, e.bySpan && !e.trace.IsEmpty():
		f.leaveOut(b, e.name, e.fact, toLogs)
	case toLogs:
		f.addEvent(b, e.name, e)
	default:
		b.counts.notRouted++
	}
}

// addEvent adds an event as candidate, unless its severity is too low.
func (f *facts) addEvent(b *batch, fact string, e *occurrence) {
	severity := e.severity
	if severity == plog.SeverityNumberUnspecified || fact == lifecycle.TaskStarted {
		severity = plog.SeverityNumber(lifecycle.SeverityOf(fact))
	}
	switch {
	case f.below(severity):
		b.counts.belowSeverity++
	case fact == lifecycle.TaskStarted:
		b.addStart(e)
	default:
		event, resource := e.record(), b.resources[len(b.resources)-1].resource.Attributes()
		b.add(candidate{fact: fact, uid: uidOfEvent(event, resource), event: event})
	}
}

// leaveOut counts an announcement of a fact whose single record comes from another input. fact is empty if that is a span.
func (f *facts) leaveOut(b *batch, name, fact string, toLogs bool) {
	if !toLogs {
		b.counts.notRouted++
		return
	}
	b.counts.announcements++
	if fact == "" {
		fact = name
	}
	if f.records[fact] {
		return
	}
	if _, warned := f.unlisted.LoadOrStore(fact, true); !warned {
		f.log.Warn("An event is routed to logs and makes no record, because records does not name its fact. Add the fact to records, or set announcements: all.",
			zap.String("event", name), zap.String("fact", fact))
	}
}

// readSpans adds candidates from finished spans.
func (f *facts) readSpans(b *batch, spans ptrace.SpanSlice) {
	for _, span := range spans.All() {
		name := span.Name()
		if name != lifecycle.SpanTask && name != lifecycle.SpanStep {
			continue
		}
		if incomplete, found := span.Attributes().Get(lifecycle.AttrIncomplete); found && incomplete.Bool() {
			b.counts.incomplete++
			continue
		}
		fact := lifecycle.FactOfSpan(name, lifecycle.Status(eventrecord.Text(span.Attributes(), lifecycle.AttrStatus)))
		if f.wants(fact, &b.counts) {
			b.add(candidate{fact: fact, uid: uidOfSpan(fact, span), span: span, ofSpan: true})
		}
	}
}

// build makes the records of those candidates that remain after the claim.
func (f *facts) build(b *batch) plog.Logs {
	made := plog.NewLogs()
	w := recordWriter{lines: f.lines, callers: f.callers}
	places := make([]plog.LogRecordSlice, len(b.resources))
	opened := make([]bool, len(b.resources))
	for i := range b.candidates {
		c := &b.candidates[i]
		if b.keys[i] == 0 {
			if c.fact != lifecycle.TaskStarted { // which has three announcements per pass
				b.counts.duplicates++
			}
			continue
		}
		if !opened[c.source] {
			places[c.source] = newScope(made, b.resources[c.source])
			opened[c.source] = true
		}
		w.write(places[c.source].AppendEmpty(), c, b.resources[c.source].resource.Attributes())
		b.counts.converted++
	}
	return made
}

// newScope begins the records of a resource.
func newScope(made plog.Logs, of source) plog.LogRecordSlice {
	rl := made.ResourceLogs().AppendEmpty()
	of.resource.CopyTo(rl.Resource())
	makeSafe(rl.Resource().Attributes())
	rl.SetSchemaUrl(of.schema)
	scope := rl.ScopeLogs().AppendEmpty()
	scope.Scope().SetName(lifecycle.ScopeEvents)
	scope.SetSchemaUrl(lifecycle.SchemaURL)
	return scope.LogRecords()
}
