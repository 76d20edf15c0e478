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

// batcher puts all events of a resource that are records into one span, in the form that span_hierarchy reads, and passes on those
// that are in batches as they are. It is safe for concurrent use.
type batcher struct{ idle sync.Pool }

// batchMaker is reusable memory for the work on one request.
type batchMaker struct {
	writer eventbatch.RecordWriter
	reads  treedata.Reads
	reader *eventbatch.Reader[struct{}]
	counts counts
	// of is the resource whose events are read; its spans begin with the first one.
	of     plog.ResourceLogs
	traces ptrace.Traces
	spans  ptrace.SpanSlice
	begun  bool
}

// maxIdleBatch bounds the bytes that an idle maker keeps.
const maxIdleBatch = 1 << 20

func newBatcher() *batcher {
	b := &batcher{}
	b.idle.New = func() any { return &batchMaker{reader: eventbatch.NewPlainReader()} }
	return b
}

// spans does not change logs. The traces are the caller's and share nothing with them but strings.
func (b *batcher) spans(logs plog.Logs) (ptrace.Traces, counts, error) {
	m := b.idle.Get().(*batchMaker)
	m.traces, m.counts = ptrace.NewTraces(), counts{}
	var err error
	for _, m.of = range logs.ResourceLogs().All() {
		m.begun = false
		if err = m.pack(); err != nil {
			break
		}
	}
	traces, counts := m.traces, m.counts
	m.of, m.traces, m.spans = plog.ResourceLogs{}, ptrace.Traces{}, ptrace.SpanSlice{}
	m.reader.Close()
	if m.writer.Size() <= maxIdleBatch {
		b.idle.Put(m)
	}
	return traces, counts, err
}

// pack makes the spans of a resource: one for each batch, one for all records, and one for each record that a batch cannot have.
func (m *batchMaker) pack() error {
	m.writer.Reset(0) // nothing reads the application of this batch
	var first plog.LogRecord
	for _, scopeLogs := range m.of.ScopeLogs().All() {
		for _, record := range scopeLogs.LogRecords().All() {
			if batch, found := eventbatch.Of(record); found {
				if err := m.pass(batch); err != nil {
					return err
				}
				continue
			}
			if !m.counts.wants(record) {
				continue
			}
			m.counts.converted++
			if !m.add(record) {
				fillSpan(m.next(), record, false)
			} else if m.writer.Events() == 1 {
				first = record
			}
		}
	}
	if n := m.writer.Events(); n > 0 {
		head := headOf(first)
		fillCarrier(m.next(), &head, m.writer.Batch(), n)
	}
	return nil
}

// pass makes a span of a batch as it is, if events in it are for traces.
func (m *batchMaker) pass(batch eventbatch.Batch) error {
	if err := m.reader.Open(batch); err != nil {
		return err
	}
	var first eventbatch.Head
	events := 0
	for m.reader.Next() {
		signals, _ := m.reader.Signals()
		if !m.counts.wantsEvent(m.reader.Shape().Name, signals, m.reader.TraceID()) {
			continue
		}
		if events++; events == 1 {
			first = m.reader.Head()
		}
	}
	if err := m.reader.Err(); err != nil {
		return err
	}
	if events > 0 {
		m.counts.converted += int64(events)
		fillCarrier(m.next(), &first, batch, events)
	}
	return nil
}

// next adds a span.
func (m *batchMaker) next() ptrace.Span {
	if !m.begun {
		m.spans, m.begun = newEventSpans(m.traces, m.of), true
	}
	return m.spans.AppendEmpty()
}

// add adds an event with the attributes that trees read. It returns false if a batch cannot have it.
func (m *batchMaker) add(record plog.LogRecord) bool {
	head := headOf(record)
	m.reads = treedata.ReadsOf(record.EventName())
	return m.writer.Add(record, &head, m.wants)
}

func (m *batchMaker) wants(key string) bool { return m.reads.Key(key) && !eventrecord.IsStamp(key) }

// headOf returns what span_hierarchy reads of a head: it gets no record that is not for traces.
func headOf(record plog.LogRecord) eventbatch.Head {
	return eventbatch.Head{TraceID: record.TraceID(), Identity: eventrecord.Identity(record), Time: record.Timestamp()}
}

// fillCarrier fills the span that carries a batch. It has the ids and the time of the first event for traces, because a span needs
// them, and the number of events for traces.
func fillCarrier(span ptrace.Span, first *eventbatch.Head, batch eventbatch.Batch, events int) {
	var id pcommon.SpanID
	binary.BigEndian.PutUint64(id[:], first.Identity)
	span.SetName(lifecycle.EventBatch)
	span.SetKind(ptrace.SpanKindInternal)
	span.SetTraceID(first.TraceID)
	span.SetSpanID(id)
	span.SetStartTimestamp(first.Time)
	span.SetEndTimestamp(first.Time)
	eventbatch.PutIn(span.Attributes(), batch, events)
}
