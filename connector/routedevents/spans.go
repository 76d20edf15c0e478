// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"context"
	"encoding/binary"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
)

// spansInput makes structured records of finished spans, and of event spans from another collector.
type spansInput struct {
	input
	next consumer.Logs
}

// ConsumeTraces returns the next component's error unchanged. The same spans again make the same records after an error, and no
// record of a fact after success.
func (i *spansInput) ConsumeTraces(ctx context.Context, traces ptrace.Traces) error {
	f := i.facts
	if !f.once {
		return nil
	}
	maker, b := origin.Of(ctx), &batch{}
	for _, rs := range traces.ResourceSpans().All() {
		b.resources = append(b.resources, source{rs.Resource(), rs.SchemaUrl()})
		for _, ss := range rs.ScopeSpans().All() {
			var made origin.Maker
			switch ss.Scope().Name() {
			case lifecycle.ScopeSpans:
				made = origin.Hierarchy
			case lifecycle.ScopeEvents:
				made = origin.EventSpans
			default:
				continue
			}
			switch {
			case maker != made && !f.trusts:
				b.counts.received += eventsIn(ss.Spans())
			case made == origin.Hierarchy:
				f.readSpans(b, ss.Spans())
			default:
				if err := f.readEvents(b, eventsOf(rs, ss), false); err != nil {
					return malformed(err)
				}
			}
		}
	}
	return f.deliver(ctx, i.next.ConsumeLogs, b)
}

// eventsIn counts spans, and the events of a batch instead of its span.
func eventsIn(spans ptrace.SpanSlice) (n int64) {
	for _, span := range spans.All() {
		n += eventbatch.Count(span.Name(), span.Attributes())
	}
	return n
}

// eventsOf converts event spans back to events. A batch stays one.
func eventsOf(rs ptrace.ResourceSpans, ss ptrace.ScopeSpans) plog.Logs {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rs.Resource().CopyTo(rl.Resource())
	rl.SetSchemaUrl(rs.SchemaUrl())
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	records.EnsureCapacity(ss.Spans().Len())
	for _, span := range ss.Spans().All() {
		record := records.AppendEmpty()
		if batch, found := eventbatch.OfSpan(span); found {
			eventbatch.Put(record, batch, 0, span.StartTimestamp())
			continue
		}
		record.SetEventName(lifecycle.Canonical(span.Name()))
		record.SetTimestamp(span.StartTimestamp())
		record.SetObservedTimestamp(span.StartTimestamp())
		record.SetTraceID(span.TraceID())
		span.Attributes().CopyTo(record.Attributes())
		if id := span.SpanID(); !id.IsEmpty() {
			eventrecord.SetIdentity(record.Attributes(), binary.BigEndian.Uint64(id[:]))
		}
	}
	return logs
}
