// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"context"
	"encoding/binary"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/treedata"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
)

// toTraces makes event spans for span_hierarchy. Their trace id routes them to the right instance.
type toTraces struct {
	component.StartFunc
	component.ShutdownFunc
	next      consumer.Traces
	telemetry *telemetry
	whole     bool     // spans have all attributes of their events
	batcher   *batcher // nil where each event has its own span
}

// Capabilities reports that the input is only read.
func (*toTraces) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs returns the next component's error unchanged. The same logs again make the same spans.
func (c *toTraces) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	traces, counts, err := c.convert(logs)
	if err != nil {
		return malformed(err)
	}
	if counts.converted > 0 {
		if err := c.next.ConsumeTraces(origin.Mark(ctx, origin.EventSpans), traces); err != nil {
			return err
		}
	}
	c.telemetry.record(ctx, counts)
	return nil
}

func (c *toTraces) convert(logs plog.Logs) (ptrace.Traces, counts, error) {
	if c.batcher != nil {
		return c.batcher.spans(logs)
	}
	records, err := eventbatch.Records(logs)
	if err != nil {
		return ptrace.Traces{}, counts{}, err
	}
	traces, counts := eventSpans(records, c.whole)
	return traces, counts, nil
}

// malformed is permanent: a batch of events that cannot be read is the same when it is sent again.
func malformed(err error) error {
	return consumererror.NewPermanent(fmt.Errorf("routed_events: %w", err))
}

// eventSpans does not change logs, which have no batches. The traces belong to the caller and share nothing with them. The spans have all attributes of
// their events, or those that a tree needs.
func eventSpans(logs plog.Logs, whole bool) (ptrace.Traces, counts) {
	traces := ptrace.NewTraces()
	var c counts
	for _, resourceLogs := range logs.ResourceLogs().All() {
		var spans ptrace.SpanSlice
		found := 0
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			for _, record := range scopeLogs.LogRecords().All() {
				if !c.wants(record) {
					continue
				}
				if found == 0 {
					spans = newEventSpans(traces, resourceLogs)
					spans.EnsureCapacity(recordsIn(resourceLogs))
				}
				found++
				fillSpan(spans.AppendEmpty(), record, whole)
			}
		}
		c.converted += int64(found)
	}
	return traces, c
}

// wants reports whether an event is for traces, and counts it if not.
func (c *counts) wants(record plog.LogRecord) bool {
	return c.wantsEvent(record.EventName(), eventrecord.SignalsOf(record.Attributes()), record.TraceID())
}

func (c *counts) wantsEvent(name string, signals lifecycle.Signals, trace pcommon.TraceID) bool {
	switch {
	case name == "":
		c.noName++
	case !signals.Has(lifecycle.SignalTraces):
		c.notRouted++
	case trace.IsEmpty():
		c.noTask++
	default:
		return true
	}
	return false
}

// newEventSpans adds the span slice for a resource's events.
func newEventSpans(traces ptrace.Traces, of plog.ResourceLogs) ptrace.SpanSlice {
	resourceSpans := traces.ResourceSpans().AppendEmpty()
	of.Resource().CopyTo(resourceSpans.Resource())
	resourceSpans.SetSchemaUrl(of.SchemaUrl())
	scopeSpans := resourceSpans.ScopeSpans().AppendEmpty()
	scopeSpans.Scope().SetName(lifecycle.ScopeEvents)
	scopeSpans.SetSchemaUrl(lifecycle.SchemaURL)
	return scopeSpans.Spans()
}

func fillSpan(span ptrace.Span, record plog.LogRecord, whole bool) {
	span.SetName(record.EventName())
	span.SetKind(ptrace.SpanKindInternal)
	span.SetTraceID(record.TraceID())
	span.SetSpanID(eventID(record))
	span.SetStartTimestamp(record.Timestamp())
	span.SetEndTimestamp(record.Timestamp())
	if reads := treedata.ReadsOf(record.EventName()); !whole && !reads.All() {
		copyRead(span.Attributes(), record.Attributes(), reads)
		return
	}
	record.Attributes().CopyTo(span.Attributes())
	span.Attributes().Remove(lifecycle.AttrIdentity) // it is the span id
}

// usuallyRead is how many attributes a tree reads of most events.
const usuallyRead = 6

func copyRead(to, from pcommon.Map, reads treedata.Reads) {
	to.EnsureCapacity(usuallyRead)
	for key, v := range from.All() {
		if reads.Key(key) {
			v.CopyTo(to.PutEmpty(key))
		}
	}
}

// eventID returns the event's identity as the id of its span.
func eventID(record plog.LogRecord) (id pcommon.SpanID) {
	binary.BigEndian.PutUint64(id[:], eventrecord.Identity(record))
	return id
}

// recordsIn counts the records of a resource.
func recordsIn(resourceLogs plog.ResourceLogs) int {
	size := 0
	for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
		size += scopeLogs.LogRecords().Len()
	}
	return size
}
