// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"errors"
	"math"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
)

// Numbers of the fields of an AnyValue.
const (
	fieldString = 1 + iota
	fieldBool
	fieldInt
	fieldDouble
	fieldArray
	fieldMap
	fieldBytes
	fieldStringIndex // of profiles only
)

// fieldElements is the field of an ArrayValue, or of a KeyValueList, that has its elements.
const fieldElements = 1

// overLimit is the error of a record beyond a limit. Other errors are of the whole request.
type overLimit struct {
	code           Reason
	reason, remedy string
}

func (o *overLimit) Error() string { return o.reason }

func asOverLimit(err error, into **overLimit) bool { return err != nil && errors.As(err, into) }

var errAlso = errors.New("a value is a list or map and something else")

// anyValue returns the field that an AnyValue has, the last one if there are several; 0 for an empty one. Most are short strings and integers. A list
// or map that another field follows is an error: it would be ignored without being checked.
func anyValue(body []byte) (field protowire.Number, number uint64, bytes []byte, err error) {
	const (
		text    = fieldString<<3 | byte(protowire.BytesType)
		integer = fieldInt<<3 | byte(protowire.VarintType)
	)
	if len(body) >= 2 {
		switch {
		case body[0] == text && body[1] < 0x80 && int(body[1]) == len(body)-2:
			return fieldString, 0, body[2:], nil
		case body[0] == integer:
			if n, size := protowire.ConsumeVarint(body[1:]); size == len(body)-1 {
				return fieldInt, n, nil, nil
			}
		}
	}
	for m := (message{buf: body}); ; {
		if !m.next() {
			return field, number, bytes, m.err
		}
		kind := protowire.BytesType
		switch m.field {
		case fieldBool, fieldInt, fieldStringIndex:
			kind = protowire.VarintType
		case fieldDouble:
			kind = protowire.Fixed64Type
		case fieldString, fieldArray, fieldMap, fieldBytes:
		default:
			continue
		}
		if !m.is(kind) {
			return 0, 0, nil, m.err
		}
		if field == fieldArray || field == fieldMap {
			return 0, 0, nil, errAlso
		}
		field, number, bytes = m.field, m.number, nil
		if kind == protowire.BytesType {
			bytes = m.bytes()
		}
	}
}

// stringOf returns a copy of the text that an AnyValue is, or "".
func (d *otlpDecoding) stringOf(body []byte) string {
	field, _, text, err := anyValue(body)
	if err != nil || field != fieldString {
		return "" // an error is found when the value is decoded
	}
	return d.texts.shared(text)
}

// check counts a value of the current record and checks its limits.
func (d *otlpDecoding) check(field protowire.Number, bytes []byte, depth int) error {
	limits := &d.settings.Limits
	if d.values++; d.values > limits.MaxAttributes {
		return d.tooMany()
	}
	switch field {
	case fieldArray, fieldMap:
		if depth >= limits.MaxDepth {
			return &overLimit{ReasonDepth, "the record is nested deeper than " + strconv.Itoa(limits.MaxDepth) + " levels",
				"send flatter payloads, or raise max_depth"}
		}
	case fieldString, fieldBytes:
		if len(bytes) > limits.MaxValueBytes {
			return &overLimit{ReasonValueSize, "a text of the record is longer than " + strconv.Itoa(limits.MaxValueBytes) + " bytes",
				"leave bulky values out of the payload, or raise max_value_bytes"}
		}
	}
	return nil
}

// setHashed writes the AnyValue of an attribute and returns its hash; zero for an empty one.
func (d *otlpDecoding) setHashed(to pcommon.Value, seed eventrecord.Seed, body []byte) (uint64, error) {
	field, number, text, err := anyValue(body)
	if err != nil {
		return 0, err
	}
	switch field {
	case fieldString:
		if err := d.check(field, text, 2); err != nil {
			return 0, err
		}
		hash := seed.Text(text)
		to.SetStr(d.texts.sharedAt(hash, text))
		return hash, nil
	case fieldInt:
		if err := d.check(field, nil, 2); err != nil {
			return 0, err
		}
		to.SetInt(int64(number))
		return seed.Int(int64(number)), nil
	}
	if err := d.value(to, body, 2); err != nil {
		return 0, err
	}
	return seed.Attribute(to), nil
}

// value writes an AnyValue inside of so many objects and lists.
func (d *otlpDecoding) value(to pcommon.Value, body []byte, depth int) error {
	field, number, bytes, err := anyValue(body)
	if err != nil {
		return err
	}
	if err := d.check(field, bytes, depth); err != nil {
		return err
	}
	switch field {
	case fieldString:
		to.SetStr(d.texts.shared(bytes))
	case fieldBool:
		to.SetBool(number != 0)
	case fieldInt:
		to.SetInt(int64(number))
	case fieldDouble:
		to.SetDouble(math.Float64frombits(number))
	case fieldArray:
		return d.elements(to.SetEmptySlice(), bytes, depth+1)
	case fieldMap:
		entries, err := d.entries(bytes)
		if err != nil {
			return err
		}
		return d.members(to.SetEmptyMap(), bytes, entries, false, depth+1)
	case fieldBytes:
		to.SetEmptyBytes().FromRaw(bytes)
	}
	return nil
}

// elements writes the elements of an ArrayValue.
func (d *otlpDecoding) elements(to pcommon.Slice, body []byte, depth int) error {
	m := message{buf: body}
	for m.element() {
		if err := d.value(to.AppendEmpty(), m.bytes(), depth); err != nil {
			return err
		}
	}
	return m.err
}

// entries returns the entries of a KeyValueList.
func (d *otlpDecoding) entries(body []byte) ([]otlpAttribute, error) {
	var entries []otlpAttribute
	m := message{buf: body}
	for m.element() {
		a, err := readAttribute(&m)
		if err != nil {
			return nil, err
		}
		if entries = append(entries, a); len(entries) > d.settings.Limits.MaxAttributes {
			return nil, d.tooMany()
		}
	}
	return entries, m.err
}

func (d *otlpDecoding) tooMany() error {
	return &overLimit{ReasonAttributes, "the record has more than " + strconv.Itoa(d.settings.Limits.MaxAttributes) + " values, those in one another included",
		"leave bulky values out of the payload, or raise max_attributes"}
}

// members writes the entries of a map, which are offsets in a message. The map is inside of so many others. Of equal keys the last one
// counts. Those of a payload that are left out are only hashed.
func (d *otlpDecoding) members(to pcommon.Map, in []byte, entries []otlpAttribute, payload bool, depth int) error {
	if len(entries) > maxSearched {
		return d.manyMembers(to, in, entries, payload, depth)
	}
	to.EnsureCapacity(len(entries))
	for _, a := range entries {
		if left, err := d.leaves(in, a, payload); left || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		if err := d.value(to.PutEmpty(d.texts.shared(a.key(in))), a.value(in), depth); err != nil {
			return err
		}
	}
	return nil
}

// manyMembers is members for a map that is searched too slowly.
func (d *otlpDecoding) manyMembers(to pcommon.Map, in []byte, entries []otlpAttribute, payload bool, depth int) error {
	raw := make(map[string]any, len(entries))
	for key, value := range to.All() {
		raw[key] = value.AsRaw()
	}
	for _, a := range entries {
		if left, err := d.leaves(in, a, payload); left || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		value := pcommon.NewValueEmpty()
		if err := d.value(value, a.value(in), depth); err != nil {
			return err
		}
		raw[d.texts.shared(a.key(in))] = value.AsRaw()
	}
	return to.FromRaw(raw)
}

// leaves reports whether an entry is left out, and then computes only its hash.
func (d *otlpDecoding) leaves(in []byte, a otlpAttribute, payload bool) (bool, error) {
	if !payload {
		return false, nil
	}
	place := d.placeOf(a.key(in))
	if place == nowhere {
		return false, nil
	}
	return true, d.leave(place, a.value(in))
}

// hash returns the hash of an AnyValue, equal to that of the value which [otlpDecoding.value] would write, and whether it is empty.
func (d *otlpDecoding) hash(seed eventrecord.Seed, body []byte, depth int) (sum uint64, empty bool, err error) {
	field, number, bytes, err := anyValue(body)
	if err != nil {
		return 0, false, err
	}
	if err := d.check(field, bytes, depth); err != nil {
		return 0, false, err
	}
	switch field {
	case fieldString:
		return seed.Text(bytes), false, nil
	case fieldBool:
		return seed.Bool(number != 0), false, nil
	case fieldInt:
		return seed.Int(int64(number)), false, nil
	case fieldDouble:
		return seed.Double(math.Float64frombits(number)), false, nil
	case fieldBytes:
		return seed.Bytes(bytes), false, nil
	case fieldArray:
		sum, err := d.hashElements(seed.List(), bytes, depth+1)
		return sum, false, err
	case fieldMap:
		sum, err := d.hashMembers(bytes, depth+1)
		return seed.Map(sum), false, err
	}
	return 0, true, nil
}

// hashElements returns the hash of a list whose first element has the seed.
func (d *otlpDecoding) hashElements(seed eventrecord.Seed, body []byte, depth int) (uint64, error) {
	m := message{buf: body}
	for m.element() {
		sum, empty, err := d.hash(seed, m.bytes(), depth)
		if err != nil {
			return 0, err
		}
		if empty {
			sum = seed.Nothing()
		}
		seed = eventrecord.Seed(sum)
	}
	return uint64(seed), m.err
}

// hashMembers returns the sum of the hashes of the entries of a map, with only the last one of equal keys.
func (d *otlpDecoding) hashMembers(body []byte, depth int) (uint64, error) {
	var members memberHashes
	m := message{buf: body}
	for m.element() {
		a, err := readAttribute(&m)
		if err != nil {
			return 0, err
		}
		seed := eventrecord.SeedOfBytes(a.key(body))
		hash, _, err := d.hash(seed, a.value(body), depth)
		if err != nil {
			return 0, err
		}
		members.add(seed, hash)
	}
	return members.sum, m.err
}
