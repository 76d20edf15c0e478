// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrecord

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// attrEventName is where senders put the name of an event before log records had a field for it.
const attrEventName = "event.name"

// Normalizer normalises records. The zero value is ready. One goroutine uses it at a time.
type Normalizer struct {
	// Received is true if the records came over the network as they are: then their stamps are no router's, and only a
	// task's id says to which task an event belongs.
	Received bool

	traces lifecycle.TraceIDs
}

// Normalize makes a record that arrived by OTLP the same as one that the receiver of events would have made:
//
//   - EventName is the canonical name, taken from the attribute event.name (which is removed) if the field is empty;
//   - Timestamp, if zero or [Possible] for no clock, is the payload's time, else the time of receipt (ObservedTimestamp);
//   - TraceID is that of the task, if there is a task id. A trace and span id of the sender's own are the context in
//     which the event was fired: they become the attribute tasker.traceparent, unless that is there already.
//
// It is idempotent, and changes nothing in a record of the receiver: the trace id is computed again all the same, because
// a resource's service.name may have been corrected on the way. A record without a name keeps none. A record that a router
// has stamped, and that has no task id, keeps its ids, which are not a sender's.
//
// It returns whose time the record has, and whether the sender's was impossible; the second time, that is all right.
func (n *Normalizer) Normalize(resource pcommon.Map, record plog.LogRecord) (clock Clock, impossible bool) {
	attrs := record.Attributes()
	normalizeName(record, attrs)
	clock, impossible = setTime(record, attrs)
	n.setTrace(resource, record, attrs)
	return clock, impossible
}

// Name is the canonical name of the event that a record is, from the field or, if that is empty, the attribute event.name.
// It is empty for a record without a name.
func Name(record plog.LogRecord) string {
	if name := record.EventName(); name != "" {
		return lifecycle.Canonical(name)
	}
	return lifecycle.Canonical(text(record.Attributes(), attrEventName))
}

func normalizeName(record plog.LogRecord, attrs pcommon.Map) {
	before, name := record.EventName(), Name(record)
	if before == "" && name != "" {
		attrs.Remove(attrEventName)
	}
	if name != before {
		record.SetEventName(name)
	}
}

func (n *Normalizer) setTrace(resource pcommon.Map, record plog.LogRecord, attrs pcommon.Map) {
	var trace pcommon.TraceID
	before, span := record.TraceID(), record.SpanID()
	if task, found := TaskID(attrs); found {
		trace = n.traces.Of(
			text(resource, lifecycle.AttrServiceNamespace), text(resource, lifecycle.AttrServiceName), task)
	} else if !n.Received && (span.IsEmpty() || isStamped(attrs)) {
		return
	}
	if trace == before {
		return
	}
	record.SetTraceID(trace)
	record.SetSpanID(pcommon.SpanID{})
	if before.IsEmpty() || span.IsEmpty() {
		return
	}
	if _, found := attrs.Get(lifecycle.AttrTraceparent); !found {
		attrs.PutStr(lifecycle.AttrTraceparent, lifecycle.Traceparent(before, span))
	}
}

func isStamped(attrs pcommon.Map) bool {
	_, found := attrs.Get(lifecycle.AttrSignals)
	return found
}
