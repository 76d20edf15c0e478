// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"encoding/binary"
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/treedata"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// batcher puts all events of a resource into one span, in the form that span_hierarchy reads. It is safe for concurrent use.
type batcher struct{ idle sync.Pool }

// batchMaker is reusable memory for the work on a batch.
type batchMaker struct {
	reader *treedata.Reader
	writer eventbatch.Writer
}

// maxIdleBatch bounds the bytes that an idle maker keeps.
const maxIdleBatch = 1 << 20

func newBatcher() *batcher {
	b := &batcher{}
	b.idle.New = func() any { return &batchMaker{reader: treedata.NewReader()} }
	return b
}

// spans does not change logs. The traces are the caller's and share nothing with them.
func (b *batcher) spans(logs plog.Logs) (ptrace.Traces, counts) {
	m := b.idle.Get().(*batchMaker)
	traces := ptrace.NewTraces()
	var c counts
	for _, resourceLogs := range logs.ResourceLogs().All() {
		m.writer.Begin()
		var first plog.LogRecord
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			for _, record := range scopeLogs.LogRecords().All() {
				if !c.wants(record) {
					continue
				}
				if m.writer.Events() == 0 {
					first = record
				}
				m.writer.Add(m.reader.Event(record.EventName(), record.TraceID(), eventrecord.Identity(record), record.Timestamp(), nil, record.Attributes()))
			}
		}
		if n := m.writer.Events(); n > 0 {
			c.converted += int64(n)
			m.carrier(newEventSpans(traces, resourceLogs).AppendEmpty(), first)
		}
	}
	if m.writer.Size() <= maxIdleBatch {
		b.idle.Put(m)
	}
	return traces, c
}

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
