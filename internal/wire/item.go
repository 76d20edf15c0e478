package wire

import (
	"encoding/hex"
	"strconv"
	"time"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/eventlog"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// maxEventName is the longest name of an event, in bytes. A longer one is surely a mistake, and names become labels.
const maxEventName = 255

// absent is the index of a field that an item does not have: the item's own token is never a field.
const absent = 0

// fields of an item, as indexes of tokens.
type fields struct {
	event, occurredAt, payload                         uint32
	service, namespace, correlationID, id, traceparent uint32
}

// fields finds the fields of the item whose tokens are at hand.
func (d *decoding) fields() (f fields) {
	own := &d.tokens[0]
	for next := uint32(1); next < own.next; {
		value := next + 1
		next = d.after(value)
		var field *uint32
		switch string(d.plain(&d.tokens[value-1])) {
		case "event":
			field = &f.event
		case "occurred_at":
			field = &f.occurredAt
		case "payload":
			field = &f.payload
		case "service":
			field = &f.service
		case "namespace":
			field = &f.namespace
		case "correlation_id":
			field = &f.correlationID
		case "id":
			field = &f.id
		case "traceparent":
			field = &f.traceparent
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

// item makes a log record of the item that was scanned, or refuses it.
func (d *decoding) item() {
	if d.tokens[0].kind != kindObject {
		d.refuse(ReasonType, "", "the item is not a JSON object",
			`send objects of the form {"event": "step.completed", "payload": {…}}`)
		return
	}
	f := d.fields()
	event, ok := d.eventName(f.event)
	if !ok {
		return
	}
	if f.payload == absent || d.tokens[f.payload].kind != kindObject {
		d.refuse(ReasonField, "payload", "payload is missing or not an object",
			"send the event's payload as a JSON object; an empty one is {}")
		return
	}
	namespace, ok1 := d.optional(f.namespace, "namespace", "")
	service, ok2 := d.optional(f.service, "service", d.settings.DefaultService)
	correlationID, ok3 := d.optional(f.correlationID, "correlation_id", "")
	id, ok4 := d.optional(f.id, "id", "")
	traceparent, ok5 := d.optional(f.traceparent, "traceparent", "")
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 {
		return
	}
	occurred, ok := d.occurredAt(f.occurredAt)
	if !ok {
		return
	}

	record := d.records(namespace, service).AppendEmpty()
	attrs := record.Attributes()
	attrs.EnsureCapacity(int(d.tokens[f.payload].size) + countTexts(correlationID, id, traceparent))
	d.members(attrs, f.payload, true)
	if correlationID != "" && attribute(attrs, lifecycle.AttrCorrelationID) == "" {
		attrs.PutStr(lifecycle.AttrCorrelationID, correlationID)
	}
	if id != "" {
		attrs.PutStr(lifecycle.AttrEventID, id)
	}
	if traceparent != "" {
		attrs.PutStr(lifecycle.AttrTraceparent, traceparent)
	}

	record.SetEventName(event)
	record.SetObservedTimestamp(d.now)
	record.SetTimestamp(d.timestamp(occurred, event, attrs))
	severity := lifecycle.SeverityOf(event)
	record.SetSeverityNumber(plog.SeverityNumber(severity))
	record.SetSeverityText(severity.String())

	taskID, found := eventlog.TaskID(attrs)
	if found {
		record.SetTraceID(lifecycle.TraceID(namespace, service, taskID))
	} else if event == lifecycle.TaskFailed && initializationFailed(attrs) {
		record.SetTraceID(lifecycle.TraceID(namespace, service, refusedTask(d.source)))
	}
	record.Body().SetStr(lifecycle.Message(event, taskID, attribute(attrs, lifecycle.AttrTaskName),
		attribute(attrs, lifecycle.AttrStepName), attribute(attrs, lifecycle.AttrErrorMessage)))
	d.report.Accepted++
}

// eventName is the canonical name. It has refused the item when it is false.
func (d *decoding) eventName(i uint32) (string, bool) {
	const remedy = `send the event's name, such as "step.completed"`
	switch t := &d.tokens[i]; {
	case i == absent:
		d.refuse(ReasonField, "event", "event is missing", remedy)
	case t.kind != kindText:
		d.refuse(ReasonField, "event", "event is not a string", remedy)
	case t.end-t.start > maxEventName:
		d.refuse(ReasonField, "event", "event is longer than 255 bytes", remedy)
	default:
		name := lifecycle.Canonical(d.text(t))
		if name == "" {
			d.refuse(ReasonField, "event", "event is empty", remedy)
		}
		return name, name != ""
	}
	return "", false
}

// optional is the text of a field that need not be there; a number is taken as it is written. It has refused the item when
// it is false.
func (d *decoding) optional(i uint32, name, otherwise string) (string, bool) {
	if i == absent {
		return otherwise, true
	}
	switch t := &d.tokens[i]; t.kind {
	case kindText:
		if t.start == t.end {
			return otherwise, true
		}
		return d.text(t), true
	case kindInteger, kindFloat:
		return string(d.bytes(t)), true
	}
	d.refuse(ReasonField, name, name+" is not a string", "send "+name+" as a string, or leave it out")
	return "", false
}

// occurredAt is the item's own time, or zero when it has none that can be used. It has refused the item when it is false.
func (d *decoding) occurredAt(i uint32) (pcommon.Timestamp, bool) {
	if i == absent {
		return 0, true
	}
	t := &d.tokens[i]
	if t.kind == kindText {
		if seconds, nanos, ok := parseTime(d.plain(t)); ok {
			if !d.plausible(seconds) {
				d.report.ClockFallbacks++
				return 0, true
			}
			return pcommon.Timestamp(seconds*int64(time.Second) + nanos), true
		}
	}
	d.refuse(ReasonTime, "occurred_at", "occurred_at is not a time of RFC 3339",
		`send a time such as "2026-06-01T12:00:00.036885123Z", or leave occurred_at out`)
	return 0, false
}

// plausible tells whether a clock can have shown these Unix seconds.
func (d *decoding) plausible(seconds int64) bool {
	return seconds > 0 && seconds <= d.latest
}

// timestamp is the best clock available: the item's, the payload's, the receiver's.
func (d *decoding) timestamp(occurred pcommon.Timestamp, event string, attrs pcommon.Map) pcommon.Timestamp {
	if occurred != 0 {
		return occurred
	}
	if at, ok := eventlog.PayloadTime(event, attrs); ok && d.plausible(int64(at/pcommon.Timestamp(time.Second))) {
		d.report.PayloadClock++
		return at
	}
	d.report.ReceiptClock++
	return d.now
}

// initializationFailed tells whether a failed task was refused at its creation, so that it has no id.
func initializationFailed(attrs pcommon.Map) bool {
	if attribute(attrs, lifecycle.AttrEventType) == "initialization_failed" {
		return true
	}
	flag, found := attrs.Get(lifecycle.AttrInitializationFail)
	return found && flag.Type() == pcommon.ValueTypeBool && flag.Bool()
}

// refusedTask stands for the id of a task that never got one. The same item sent again has the same.
func refusedTask(source []byte) string {
	sum := xxh3.Hash128(source).Bytes()
	return "refused:" + hex.EncodeToString(sum[:])
}

// attribute is the text under a key, or empty.
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
