// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

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
func (b *batch) addStart(event plog.LogRecord) {
	trace := event.TraceID()
	if place, known := b.starts[trace]; known {
		if c := &b.candidates[place]; event.Timestamp() < c.event.Timestamp() {
			c.event, c.source = event, len(b.resources)-1
		}
		return
	}
	if b.starts == nil {
		b.starts = map[pcommon.TraceID]int{}
	}
	b.starts[trace] = len(b.candidates)
	b.add(candidate{fact: lifecycle.TaskStarted, uid: uidOfStart(trace), event: event})
}

// readEvents adds candidates from events. With routed, events that the router has sent to logs count, too.
func (f *facts) readEvents(b *batch, logs plog.Logs, routed bool) {
	for _, rl := range logs.ResourceLogs().All() {
		b.resources = append(b.resources, source{rl.Resource(), rl.SchemaUrl()})
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				f.readEvent(b, record, routed)
			}
		}
	}
}

func (f *facts) readEvent(b *batch, event plog.LogRecord, routed bool) {
	name, attrs, ofTask := event.EventName(), event.Attributes(), !event.TraceID().IsEmpty()
	if name == "" {
		b.counts.noName++
		return
	}
	signals := eventrecord.SignalsOf(attrs)
	toLogs := routed && signals.Has(lifecycle.SignalLogs)
	fact := ""
	if ofTask {
		b.callers = f.callers.note(b.callers, event.TraceID(), event.Timestamp(), name, eventrecord.Text(attrs, lifecycle.AttrTraceparent))
		fact = lifecycle.FactOfEvent(name, integer(attrs, lifecycle.AttrStepCount))
	}
	switch {
	case fact != "" && f.records[fact] && (toLogs || signals.Has(lifecycle.SignalTraces)):
		f.addEvent(b, fact, event)
	case fact == lifecycle.TaskStarted, ofTask && lifecycle.ReportedBySpan(name):
		f.leaveOut(b, name, fact, toLogs)
	case toLogs:
		f.addEvent(b, name, event)
	default:
		b.counts.notRouted++
	}
}

// addEvent adds an event as candidate, unless its severity is too low.
func (f *facts) addEvent(b *batch, fact string, event plog.LogRecord) {
	severity := event.SeverityNumber()
	if severity == plog.SeverityNumberUnspecified || fact == lifecycle.TaskStarted {
		severity = plog.SeverityNumber(lifecycle.SeverityOf(fact))
	}
	switch {
	case f.below(severity):
		b.counts.belowSeverity++
	case fact == lifecycle.TaskStarted:
		b.addStart(event)
	default:
		resource := b.resources[len(b.resources)-1].resource.Attributes()
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
