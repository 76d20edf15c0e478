// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"errors"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Numbers of the fields of a log record.
const (
	fieldTime           = 1
	fieldSeverityNumber = 2
	fieldSeverityText   = 3
	fieldBody           = 5
	fieldAttributes     = 6
	fieldDropped        = 7
	fieldFlags          = 8
	fieldTraceID        = 9
	fieldSpanID         = 10
	fieldObservedTime   = 11
	fieldEventName      = 12
)

// Numbers of the fields of a KeyValue.
const (
	fieldAttributeKey = 1 + iota
	fieldAttributeValue
	fieldKeyIndex
)

var errID = errors.New("a trace or span id has the wrong length")

// otlpRecord is a log record whose attributes are not decoded yet: which of them are depends on the event, whose name comes last. Its
// byte slices are parts of the request.
type otlpRecord struct {
	time, observed     pcommon.Timestamp
	severity           plog.SeverityNumber
	severityText, name []byte
	dropped, flags     uint32
	trace              pcommon.TraceID
	span               pcommon.SpanID
	// bodies has more than one element only if a sender writes the field again.
	bodies [][]byte
}

// clear releases the request.
func (r *otlpRecord) clear() {
	clear(r.bodies)
	*r = otlpRecord{bodies: r.bodies[:0]}
}

// readFields reads the current record, and finds its attributes.
func (d *otlpDecoding) readFields() error {
	d.record = otlpRecord{bodies: d.record.bodies[:0]}
	for m := (message{buf: d.body}); ; {
		if m.short(fieldAttributes) {
			if err := d.findAttribute(&m); err != nil {
				return err
			}
			continue
		}
		if !m.next() {
			return m.err
		}
		kind, known := kindOf(m.field)
		if !known {
			continue
		}
		if !m.is(kind) {
			return m.err
		}
		if err := d.readField(&m); err != nil {
			return err
		}
	}
}

// findAttribute adds the attribute that is the current field.
func (d *otlpDecoding) findAttribute(m *message) error {
	attribute, err := readAttribute(m)
	if d.attrs = append(d.attrs, attribute); err == nil && len(d.attrs) > d.settings.Limits.MaxAttributes {
		return d.tooMany()
	}
	return err
}

func kindOf(field protowire.Number) (kind protowire.Type, known bool) {
	switch field {
	case fieldTime, fieldObservedTime:
		return protowire.Fixed64Type, true
	case fieldSeverityNumber, fieldDropped:
		return protowire.VarintType, true
	case fieldFlags:
		return protowire.Fixed32Type, true
	case fieldSeverityText, fieldBody, fieldAttributes, fieldTraceID, fieldSpanID, fieldEventName:
		return protowire.BytesType, true
	}
	return 0, false
}

func (d *otlpDecoding) readField(m *message) error {
	r := &d.record
	switch m.field {
	case fieldTime:
		r.time = pcommon.Timestamp(m.number)
	case fieldObservedTime:
		r.observed = pcommon.Timestamp(m.number)
	case fieldSeverityNumber:
		r.severity = plog.SeverityNumber(m.number)
	case fieldSeverityText:
		r.severityText = m.bytes()
	case fieldBody:
		if body := m.bytes(); len(body) > 0 { // pdata writes an empty one where there is none
			r.bodies = append(r.bodies, body)
		}
	case fieldAttributes:
		return d.findAttribute(m)
	case fieldDropped:
		r.dropped = uint32(m.number)
	case fieldFlags:
		r.flags = uint32(m.number)
	case fieldTraceID:
		return readID(r.trace[:], m.bytes())
	case fieldSpanID:
		return readID(r.span[:], m.bytes())
	case fieldEventName:
		r.name = m.bytes()
	}
	return nil
}

// setFields writes everything of the current record but its attributes.
func (d *otlpDecoding) setFields(to plog.LogRecord) error {
	r := &d.record
	to.SetTimestamp(r.time)
	to.SetObservedTimestamp(r.observed)
	to.SetSeverityNumber(r.severity)
	to.SetSeverityText(d.texts.shared(r.severityText))
	to.SetDroppedAttributesCount(r.dropped)
	to.SetFlags(plog.LogRecordFlags(r.flags))
	to.SetTraceID(r.trace)
	to.SetSpanID(r.span)
	to.SetEventName(d.texts.shared(r.name))
	for _, body := range r.bodies {
		if err := d.value(to.Body(), body, 1); err != nil {
			return err
		}
	}
	return nil
}

// readID copies an id of that length; an empty one is no id.
func readID(id, from []byte) error {
	if len(from) != 0 && len(from) != len(id) {
		return errID
	}
	copy(id, from)
	return nil
}

var errTwice = errors.New("an attribute has two values")

// twoShort reports whether a message is two fields of less than 128 bytes each, with these tags, and where the second one begins.
func twoShort(part []byte, first, second byte) (at uint32, ok bool) {
	if len(part) < 4 || part[0] != first || part[1] >= 0x80 {
		return 0, false
	}
	next := 2 + int(part[1])
	if next+2 > len(part) || part[next] != second || part[next+1] >= 0x80 || int(part[next+1]) != len(part)-next-2 {
		return 0, false
	}
	return uint32(next), true
}

// readAttribute reads the KeyValue that is the current field of a message. Most are a short key and a short value; SDKs write the key
// first, and collectors the value.
func readAttribute(in *message) (a otlpAttribute, err error) {
	const (
		key   = fieldAttributeKey<<3 | byte(protowire.BytesType)
		value = fieldAttributeValue<<3 | byte(protowire.BytesType)
	)
	part, start, end := in.bytes(), uint32(in.start), uint32(in.end)
	if second, ok := twoShort(part, key, value); ok {
		return otlpAttribute{start + 2, start + second, start + second + 2, end}, nil
	}
	if second, ok := twoShort(part, value, key); ok {
		return otlpAttribute{start + second + 2, end, start + 2, start + second}, nil
	}
	found := false
	for m := (message{buf: in.buf[:in.end], at: in.start}); ; {
		if !m.next() {
			return a, m.err
		}
		switch m.field {
		case fieldAttributeKey:
			if !m.is(protowire.BytesType) {
				return a, m.err
			}
			a.keyStart, a.keyEnd = uint32(m.start), uint32(m.end)
		case fieldAttributeValue:
			if !m.is(protowire.BytesType) {
				return a, m.err
			}
			if found {
				return a, errTwice
			}
			a.valueStart, a.valueEnd, found = uint32(m.start), uint32(m.end), true
		case fieldKeyIndex: // of profiles only
			if !m.is(protowire.VarintType) {
				return a, m.err
			}
		}
	}
}

// payload writes the attributes of an event, with capacity for others, as decoding.payload does.
func (d *otlpDecoding) payload(attrs pcommon.Map, event string, untimed bool, others int) (hashed eventrecord.Hashed, err error) {
	d.left.begin()
	known := d.shapes.of(event, len(d.attrs), untimed)
	if known.is(event, untimed) && d.matches(known) {
		known.misses, d.left.chosen = 0, known.chosen
		return d.fill(attrs, known, others)
	}
	d.left.choose(event, untimed)
	attrs.EnsureCapacity(len(d.attrs) + 1 + others)
	attrs.PutEmpty(lifecycle.AttrIdentity)
	if known.missed() {
		d.learn(known, event, untimed)
	}
	err = d.members(attrs, d.body, d.attrs, true, 2)
	return eventrecord.Hashed{LeftOut: d.left.sum}, err
}

// fill writes attributes of a known shape.
func (d *otlpDecoding) fill(attrs pcommon.Map, known *shape, others int) (hashed eventrecord.Hashed, err error) {
	attrs.EnsureCapacity(known.empty.Len() + others)
	known.empty.CopyTo(attrs)
	member, err := d.leaveFrom(known, 0, &hashed)
	for key, value := range attrs.All() {
		if key == lifecycle.AttrIdentity {
			continue
		}
		if err != nil {
			return hashed, err
		}
		var hash uint64
		if hash, err = d.setHashed(value, known.members[member].seed, d.attrs[member].value(d.body)); err != nil {
			return hashed, err
		}
		hashed.Sum += hash
		member, err = d.leaveFrom(known, member+1, &hashed)
	}
	hashed.First = attrs.Len()
	return hashed, err
}

// leaveFrom hashes the attributes of a known shape that are left out, from one on up to the next kept one, and returns its index.
func (d *otlpDecoding) leaveFrom(known *shape, member int, hashed *eventrecord.Hashed) (int, error) {
	for ; member < len(known.members) && known.members[member].kind != kept; member++ {
		m := &known.members[member]
		hash, empty, err := d.hash(m.seed, d.attrs[member].value(d.body), 2)
		if err != nil {
			return member, err
		}
		if !empty && !d.report.leave(m.kind) {
			hashed.LeftOut += hash
		}
	}
	return member, nil
}

func (d *otlpDecoding) matches(known *shape) bool {
	if len(d.attrs) != len(known.members) {
		return false
	}
	for i := range known.members {
		if known.members[i].key != string(d.attrs[i].key(d.body)) {
			return false
		}
	}
	return true
}

// learn caches the shape of the current attributes, unless they are too many or have a duplicate key.
func (d *otlpDecoding) learn(known *shape, event string, untimed bool) {
	if len(d.attrs) > maxShapeKeys {
		return
	}
	learned := newShape(event, untimed, d.left.chosen)
	for _, a := range d.attrs {
		text := a.key(d.body)
		if len(text) > maxShared || !learned.add(d.texts.shared(text), d.kindOf(text)) {
			return
		}
	}
	*known = learned
}

// payloadKey returns the payload's key for that of an attribute.
func payloadKey(attribute []byte) (key []byte, ok bool) {
	return bytes.CutPrefix(attribute, []byte(lifecycle.AttributePrefix))
}

// kindOf returns why an attribute is left out, or kept.
func (d *otlpDecoding) kindOf(attribute []byte) leftOutKind {
	if key, ok := payloadKey(attribute); ok {
		return d.left.kindOf(key)
	}
	return kept
}

// placeOf returns the index of an attribute's key among those left out, or nowhere.
func (d *otlpDecoding) placeOf(attribute []byte) int {
	if key, ok := payloadKey(attribute); ok {
		return d.left.placeOf(key)
	}
	return nowhere
}

// leave computes only the hash of a value.
func (d *otlpDecoding) leave(place int, value []byte) error {
	key := &d.left.keys[place]
	hash, empty, err := d.hash(key.seed, value, 2)
	if err != nil || empty || d.report.leave(key.kind) {
		return err
	}
	d.left.add(place, hash)
	return nil
}
