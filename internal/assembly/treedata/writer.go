// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package treedata

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Writer collects trees as spans, the trees of one application under one resource.
type Writer struct {
	traces    ptrace.Traces
	resources map[*event.Resource]ptrace.SpanSlice
	spans     int
}

// NewWriter makes an empty writer.
func NewWriter() *Writer {
	return &Writer{traces: ptrace.NewTraces(), resources: map[*event.Resource]ptrace.SpanSlice{}}
}

// Spans returns the number of spans written since the last Take.
func (w *Writer) Spans() int { return w.spans }

// Take hands over what was written and leaves the writer empty. The traces are the caller's.
func (w *Writer) Take() ptrace.Traces {
	taken := w.traces
	w.traces = ptrace.NewTraces()
	clear(w.resources)
	w.spans = 0
	return taken
}

// Write appends a tree. It retains nothing of the tree but strings.
func (w *Writer) Write(tree *tree.Tree) {
	spans, ok := w.resources[tree.Resource]
	if !ok {
		rs := w.traces.ResourceSpans().AppendEmpty()
		if tree.Resource != nil {
			putAll(rs.Resource().Attributes(), tree.Resource.Attributes)
		}
		scope := rs.ScopeSpans().AppendEmpty()
		scope.Scope().SetName(lifecycle.ScopeSpans)
		scope.SetSchemaUrl(lifecycle.SchemaURL)
		spans = scope.Spans()
		w.resources[tree.Resource] = spans
	}
	w.spans += len(tree.Spans)
	for i := range tree.Spans {
		write(spans.AppendEmpty(), tree.Trace, &tree.Spans[i])
	}
}

func write(to ptrace.Span, trace event.TraceID, from *tree.Span) {
	to.SetTraceID(trace)
	to.SetSpanID(from.ID)
	to.SetParentSpanID(from.Parent)
	to.SetName(from.Name)
	to.SetKind(spanKind(from.Name))
	to.SetStartTimestamp(pcommon.Timestamp(from.Start))
	to.SetEndTimestamp(pcommon.Timestamp(from.End))
	putAll(to.Attributes(), from.Attributes)
	switch from.Outcome {
	case tree.OutcomeOk:
		to.Status().SetCode(ptrace.StatusCodeOk)
	case tree.OutcomeError:
		to.Status().SetCode(ptrace.StatusCodeError)
		to.Status().SetMessage(from.Message)
	}
	to.SetDroppedEventsCount(from.EventsDropped)
	for i := range from.Events {
		added := to.Events().AppendEmpty()
		added.SetName(from.Events[i].Name)
		added.SetTimestamp(pcommon.Timestamp(from.Events[i].At))
		putAll(added.Attributes(), from.Events[i].Attributes)
	}
	if from.Link != nil {
		link := to.Links().AppendEmpty()
		link.SetTraceID(from.Link.Trace)
		link.SetSpanID(from.Link.Span)
	}
}

// spanKind returns the span kind of the semantic conventions: a query is a client call to a database, a pass consumes a message of
// the queue.
func spanKind(name string) ptrace.SpanKind {
	switch name {
	case lifecycle.SpanQuery:
		return ptrace.SpanKindClient
	case lifecycle.SpanOrchestration:
		return ptrace.SpanKindConsumer
	}
	return ptrace.SpanKindInternal
}

func putAll(to pcommon.Map, attrs []attribute.KeyValue) {
	to.EnsureCapacity(to.Len() + len(attrs))
	for i := range attrs {
		switch key, from := attrs[i].Key, &attrs[i].Value; from.Kind {
		case attribute.KindInt:
			to.PutInt(key, from.Int)
		case attribute.KindDouble:
			to.PutDouble(key, from.Double)
		case attribute.KindBool:
			to.PutBool(key, from.Int != 0)
		case attribute.KindStrings:
			list := to.PutEmptySlice(key)
			list.EnsureCapacity(len(from.Strings))
			for _, text := range from.Strings {
				list.AppendEmpty().SetStr(text)
			}
		default:
			to.PutStr(key, from.Text)
		}
	}
}
