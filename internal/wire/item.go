// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/hex"
	"strconv"
	"time"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// absent is the index of a field that an item does not have: the item's own token is never a field.
const absent = 0

// fields are those of an item, as indexes of tokens. A CloudEvent has some of its own (cloudevent.go).
type fields struct {
	event, occurredAt, payload                         uint32
	service, namespace, correlationID, id, traceparent uint32

	specVersion, kind, source, time, contentType, data, dataBase64 uint32
	// plainOnly and cloudOnly count the fields that are known in only one of the two forms.
	plainOnly, cloudOnly int
}

// fields finds the fields of the current item's tokens.
func (d *decoding) fields() (f fields) {
	own := &d.tokens[0]
	for next := uint32(1); next < own.next; {
		value := next + 1
		next = d.after(value)
		var field *uint32
		switch string(d.plain(&d.tokens[value-1])) {
		case "event":
			field = &f.event
			f.plainOnly++
		case "occurred_at":
			field = &f.occurredAt
			f.plainOnly++
		case "payload":
			field = &f.payload
			f.plainOnly++
		case "service":
			field = &f.service
		case "namespace":
			field = &f.namespace
		case "correlation_id", "correlationid":
			field = &f.correlationID
		case "id":
			field = &f.id
		case "traceparent":
			field = &f.traceparent
		case "specversion":
			field = &f.specVersion
		case "type":
			field = &f.kind
			f.cloudOnly++
		case "source":
			field = &f.source
			f.cloudOnly++
		case "time":
			field = &f.time
			f.cloudOnly++
		case "datacontenttype":
			field = &f.contentType
			f.cloudOnly++
		case "data":
			field = &f.data
			f.cloudOnly++
		case "data_base64":
			field = &f.dataBase64
			f.cloudOnly++
		case "subject", "dataschema", "tracestate": // allowed in a CloudEvent; the payload has the information
			f.cloudOnly++
			continue
		default:
			d.report.UnknownFields++
			continue
		}
		if d.tokens[value].kind != kindNull {
			*field = value
		}
	}
	return f
}

// envelope has the fields of an item besides its payload.
type envelope struct {
	event, namespace, service, correlationID, id, traceparent string
	occurred                                                  pcommon.Timestamp
}

// item makes a log record of the scanned item, or refuses it.
func (d *decoding) item() {
	if d.tokens[0].kind != kindObject {
		d.refuse(ReasonType, "", "the item is not a JSON object",
			`send objects of the form {"event": "step.completed", "payload": {…}}`)
		return
	}
	f := d.fields()
	if f.specVersion != absent || d.request.Format == FormatCloudEvents {
		d.structured(&f)
		return
	}
	d.report.UnknownFields += f.cloudOnly
	if f.event == absent {
		d.refuse(ReasonField, "event", "event is missing", eventRemedy)
		return
	}
	event := d.eventName(d.name(f.event, "event"), "event")
	if d.refused {
		return
	}
	if f.payload == absent || d.tokens[f.payload].kind != kindObject {
		d.refuse(ReasonField, "payload", "payload is missing or not an object",
			"send the event's payload as a JSON object; an empty one is {}")
		return
	}
	e := envelope{
		event:         event,
		namespace:     d.optional(f.namespace, "namespace"),
		service:       d.service(f.service),
		correlationID: d.optional(f.correlationID, "correlation_id"),
		id:            d.optional(f.id, "id"),
		traceparent:   d.optional(f.traceparent, "traceparent"),
		occurred:      d.occurredAt(f.occurredAt),
	}
	if !d.refused {
		d.record(&e, f.payload)
	}
}

// record writes an item whose payload is the object at i, into the batch or as a log record.
func (d *decoding) record(e *envelope, i uint32) {
	if e.service == "" {
		e.service = d.settings.DefaultService
	}
	if e.correlationID == "" {
		e.correlationID = d.request.CorrelationID
	}
	d.collect(i)
	of := d.group(e.namespace, e.service)
	if of.batch != nil && d.batch(of.batch, e) {
		d.report.Accepted++
		return
	}
	record := of.records.AppendEmpty()
	attrs := record.Attributes()
	hashed := d.payload(attrs, e, i, countTexts(e.correlationID, e.id, e.traceparent)+roomForStamp)
	if e.correlationID != "" && attribute(attrs, lifecycle.AttrCorrelationID) == "" {
		before := attrs.Len()
		attrs.PutStr(lifecycle.AttrCorrelationID, e.correlationID)
		if attrs.Len() == before { // it replaces one that is hashed
			hashed.First, hashed.Sum = 0, 0
		}
	}
	if e.id != "" {
		attrs.PutStr(lifecycle.AttrEventID, e.id)
	}
	if e.traceparent != "" {
		attrs.PutStr(lifecycle.AttrTraceparent, e.traceparent)
	}

	record.SetEventName(e.event)
	record.SetObservedTimestamp(d.now)
	at := d.timestamp(e.occurred, e.event, attrs)
	record.SetTimestamp(at)
	eventrecord.SetIdentity(attrs, eventrecord.FingerprintWith(e.event, at, attrs, hashed))
	severity := lifecycle.SeverityOf(e.event)
	record.SetSeverityNumber(plog.SeverityNumber(severity))
	record.SetSeverityText(severity.String())

	if trace, found := eventrecord.TraceID(&d.traces, e.namespace, e.service, attrs); found {
		record.SetTraceID(trace)
	} else if e.event == lifecycle.TaskFailed && initializationFailed(attrs) {
		record.SetTraceID(lifecycle.TraceID(e.namespace, e.service, refusedTask(d.source, d.salt)))
	}
	if !d.left.any() { // otherwise only trees and metrics are made of the event
		record.Body().SetStr(eventrecord.Message(record))
	}
	d.report.Accepted++
}

// roomForStamp is the number of attributes reserved for event_router: without it the first addition would copy all attributes.
const roomForStamp = 1

const eventRemedy = `send the event's name, such as "step.completed"`

// name returns the text of a field that must not be a number.
func (d *decoding) name(i uint32, field string) string {
	if i != absent && d.tokens[i].kind != kindText {
		d.refuse(ReasonField, field, field+" is not a string", eventRemedy)
	}
	return d.optional(i, field)
}

// eventName returns the canonical form of an event's name from a field.
func (d *decoding) eventName(name, field string) string {
	switch {
	case d.refused:
	case name == "":
		d.refuse(ReasonField, field, field+" is empty", eventRemedy)
	case len(name) > lifecycle.MaxEventName:
		d.refuse(ReasonField, field, field+" is longer than "+strconv.Itoa(lifecycle.MaxEventName)+" bytes", eventRemedy)
	default:
		if name = lifecycle.Canonical(name); name == "" {
			d.refuse(ReasonField, field, field+" is empty", eventRemedy)
		}
		return name
	}
	return ""
}

// optional returns the text of an optional field; a number is used as written.
func (d *decoding) optional(i uint32, name string) string {
	if i == absent || d.refused {
		return ""
	}
	switch t := &d.tokens[i]; t.kind {
	case kindText:
		if t.start == t.end {
			return ""
		}
		return d.text(t)
	case kindInteger, kindFloat:
		return string(d.bytes(t))
	}
	d.refuse(ReasonField, name, name+" is not a string", "send "+name+" as a string, or leave it out")
	return ""
}

// service returns the name of the item's application, which is nearly always that of the item before.
func (d *decoding) service(i uint32) string {
	if t := &d.tokens[i]; i != absent && t.kind == kindText && !t.escaped && string(d.bytes(t)) == d.last.Service {
		return d.last.Service
	}
	return d.optional(i, "service")
}

// occurredAt returns the item's own time, or zero if it has none that can be used.
func (d *decoding) occurredAt(i uint32) pcommon.Timestamp {
	if i == absent || d.refused {
		return 0
	}
	if t := &d.tokens[i]; t.kind == kindText {
		return d.time(d.plain(t), "occurred_at")
	}
	return d.time(nil, "occurred_at")
}

// time reads the time of a field. It returns zero for an impossible time.
func (d *decoding) time(text []byte, field string) pcommon.Timestamp {
	seconds, nanos, ok := parseTime(text)
	switch {
	case !ok:
		d.refuse(ReasonTime, field, field+" is not a time of RFC 3339",
			`send a time such as "2026-06-01T12:00:00.036885123Z", or leave `+field+" out")
		return 0
	case seconds <= 0 || seconds > d.latest || !eventrecord.Possible(pcommon.Timestamp(seconds*int64(time.Second)), d.now):
		d.report.ClockFallbacks++
		d.impossible = time.Unix(seconds, nanos).UTC().Format(time.RFC3339Nano)
		return 0
	}
	return pcommon.Timestamp(seconds*int64(time.Second) + nanos)
}

// timestamp returns the best time available: the item's, the payload's, the receiver's.
func (d *decoding) timestamp(occurred pcommon.Timestamp, event string, attrs pcommon.Map) pcommon.Timestamp {
	if occurred != 0 {
		return occurred
	}
	if d.impossible != "" {
		eventrecord.MarkImpossible(attrs, d.impossible)
	}
	at, clock := eventrecord.FallbackTime(event, attrs, d.now)
	if clock == eventrecord.ClockPayload {
		d.report.PayloadClock++
	} else {
		d.report.ReceiptClock++
	}
	return at
}

// initializationFailed reports whether a failed task was refused at its creation, so that it has no id.
func initializationFailed(attrs pcommon.Map) bool {
	if attribute(attrs, lifecycle.AttrEventType) == "initialization_failed" {
		return true
	}
	flag, found := attrs.Get(lifecycle.AttrInitializationFail)
	return found && flag.Type() == pcommon.ValueTypeBool && flag.Bool()
}

// refusedTask returns a substitute for the id of a task that never got one, equal for the same item sent again. The salt identifies
// an item in addition to its bytes.
func refusedTask(source []byte, salt string) string {
	hash := xxh3.New()
	// A hash never returns an error.
	_, _ = hash.Write(source)
	_, _ = hash.WriteString(salt)
	sum := hash.Sum128().Bytes()
	return "refused:" + hex.EncodeToString(sum[:])
}

// attribute returns the text under a key, or "".
func attribute(attrs pcommon.Map, key string) string {
	value, found := attrs.Get(key)
	if !found {
		return ""
	}
	switch value.Type() {
	case pcommon.ValueTypeStr:
		return value.Str()
	case pcommon.ValueTypeInt:
		return strconv.FormatInt(value.Int(), 10)
	}
	return ""
}

func countTexts(texts ...string) (n int) {
	for _, text := range texts {
		if text != "" {
			n++
		}
	}
	return n
}
