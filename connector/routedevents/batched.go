// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"encoding/binary"
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/treedata"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// batcher puts all events of a resource into one span, in the form that span_hierarchy reads. It is safe for concurrent use.
type batcher struct{ idle sync.Pool }

// batchMaker is reusable memory for the work on a batch.
type batchMaker struct {
	writer eventbatch.RecordWriter
	reads  treedata.Reads
}

// maxIdleBatch bounds the bytes that an idle maker keeps.
const maxIdleBatch = 1 << 20

func newBatcher() *batcher {
	b := &batcher{}
	b.idle.New = func() any { return &batchMaker{} }
	return b
}

// spans does not change logs. The traces are the caller's and share nothing with them.
func (b *batcher) spans(logs plog.Logs) (ptrace.Traces, counts) {
	m := b.idle.Get().(*batchMaker)
	traces := ptrace.NewTraces()
	var c counts
	for _, resourceLogs := range logs.ResourceLogs().All() {
		made := spansOf{logs: resourceLogs, traces: traces}
		m.pack(&made, &c)
		c.converted += made.events
	}
	if m.writer.Size() <= maxIdleBatch {
		b.idle.Put(m)
	}
	return traces, c
}

// spansOf are the event spans of a resource.
type spansOf struct {
	logs   plog.ResourceLogs
	traces ptrace.Traces
	spans  ptrace.SpanSlice
	begun  bool
	events int64
}

// next adds a span, which stands for some events.
func (s *spansOf) next(events int64) ptrace.Span {
	if !s.begun {
		s.spans, s.begun = newEventSpans(s.traces, s.logs), true
	}
	s.events += events
	return s.spans.AppendEmpty()
}

// pack makes the spans of a resource: one for all events, and one for each event that a batch cannot have.
func (m *batchMaker) pack(made *spansOf, c *counts) {
	m.writer.Reset(0) // nothing reads the application of this batch
	var first plog.LogRecord
	for _, scopeLogs := range made.logs.ScopeLogs().All() {
		for _, record := range scopeLogs.LogRecords().All() {
			if !c.wants(record) {
				continue
			}
			if !m.add(record) {
				fillSpan(made.next(1), record, false)
			} else if m.writer.Events() == 1 {
				first = record
			}
		}
	}
	if n := m.writer.Events(); n > 0 {
		m.carrier(made.next(int64(n)), first)
	}
}

// add adds an event with the attributes that trees read. It returns false if a batch cannot have it.
func (m *batchMaker) add(record plog.LogRecord) bool {
	head := eventbatch.Head{TraceID: record.TraceID(), Identity: eventrecord.Identity(record), Time: record.Timestamp()}
	m.reads = treedata.ReadsOf(record.EventName())
	return m.writer.Add(record, &head, m.wants)
}

func (m *batchMaker) wants(key string) bool { return m.reads.Key(key) && !eventrecord.IsStamp(key) }

// carrier fills the span that carries the batch. It has the ids and the time of the first event, because a span needs them.
func (m *batchMaker) carrier(span ptrace.Span, first plog.LogRecord) {
	var id pcommon.SpanID
	binary.BigEndian.PutUint64(id[:], eventrecord.Identity(first))
	span.SetName(lifecycle.EventBatch)
	span.SetKind(ptrace.SpanKindInternal)
	span.SetTraceID(first.TraceID())
	span.SetSpanID(id)
	span.SetStartTimestamp(first.Timestamp())
	span.SetEndTimestamp(first.Timestamp())
	attrs := span.Attributes()
	attrs.PutInt(lifecycle.AttrEventCount, int64(m.writer.Events()))
	attrs.PutStr(lifecycle.AttrEventBatch, m.writer.Batch()) // a string, which span_hierarchy can read without copying it
}
