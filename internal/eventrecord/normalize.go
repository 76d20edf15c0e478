// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrecord

import (
	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// AttrEventName is where senders put the event name before log records had an EventName field.
const AttrEventName = "event.name"

// Application is the service that fired an event, which distinguishes equal task IDs.
type Application struct{ Namespace, Service string }

// Hash distinguishes applications.
func (a Application) Hash() uint64 {
	hash := uint64(0)
	for _, name := range [...]string{a.Namespace, a.Service} {
		if name != "" {
			hash = xxh3.HashStringSeed(name, hash+1)
		}
	}
	return hash
}

// ApplicationOf returns the application of a resource.
func ApplicationOf(resource pcommon.Map) Application {
	return Application{Namespace: Text(resource, lifecycle.AttrServiceNamespace), Service: Text(resource, lifecycle.AttrServiceName)}
}

// Normalizer normalizes records. The zero value is ready for use. It is not safe for concurrent use.
type Normalizer struct {
	// Received is true for records received over the network: their routing attributes do not come from a router, and only
	// a task ID assigns an event to a task.
	Received bool
	// TraceIDs are those of the latest tasks.
	TraceIDs lifecycle.TraceIDs
}

// Normalize gives a record received by OTLP the form in which the tasker_events receiver would have produced it:
//
//   - EventName is the canonical name, taken from the attribute event.name (which is removed) if the field is empty;
//   - Timestamp, if zero or not plausible ([Possible]), is the payload's time, else the time of receipt (ObservedTimestamp);
//   - TraceID is the task's, if there is a task ID. A trace and span ID of the sender are the context in which the event
//     was fired: they become the attribute tasker.traceparent, unless it exists.
//
// It is idempotent and does not change records of the tasker_events receiver, except that the trace ID follows a changed
// service.name of the resource. A record without a name stays without one. A record without a task ID that a router has
// processed keeps its IDs.
//
// It returns the source of the record's time, and whether the sender's time was implausible (false when repeated).
func (n *Normalizer) Normalize(of Application, record plog.LogRecord) (clock Clock, impossible bool) {
	attrs := record.Attributes()
	normalizeName(record, attrs)
	clock, impossible = setTime(record, attrs)
	n.setTrace(of, record, attrs)
	return clock, impossible
}

// Name returns the canonical event name of a record, from the field or else the attribute event.name; empty if it has none.
func Name(record plog.LogRecord) string {
	if name := record.EventName(); name != "" {
		return lifecycle.Canonical(name)
	}
	return lifecycle.Canonical(Text(record.Attributes(), AttrEventName))
}

func normalizeName(record plog.LogRecord, attrs pcommon.Map) {
	before, name := record.EventName(), Name(record)
	if before == "" && name != "" {
		attrs.Remove(AttrEventName)
	}
	if name != before {
		record.SetEventName(name)
	}
}

func (n *Normalizer) setTrace(of Application, record plog.LogRecord, attrs pcommon.Map) {
	before, span := record.TraceID(), record.SpanID()
	trace, found := TraceID(&n.TraceIDs, of.Namespace, of.Service, attrs)
	if !found && !n.Received && (span.IsEmpty() || isStamped(attrs)) {
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
