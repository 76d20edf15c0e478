// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/binary"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// message reads the fields of a protobuf message, one after the other. It has no pointers but the message itself, so that a field
// costs no write barrier.
type message struct {
	buf []byte
	at  int
	// field and kind are those of the current field. A varint or fixed field is a number, another one the part of buf from start to
	// end.
	field      protowire.Number
	kind       protowire.Type
	number     uint64
	start, end int
	err        error
}

// next goes on to the next field. It returns false at the end of the message, and when the message is malformed.
func (m *message) next() bool {
	if m.at >= len(m.buf) {
		return false
	}
	tag, n := uint64(m.buf[m.at]), 1
	if tag >= 0x80 {
		tag, n = protowire.ConsumeVarint(m.buf[m.at:])
	}
	if n < 0 || tag>>3 < 1 || tag>>3 > uint64(protowire.MaxValidNumber) {
		return m.fail(n)
	}
	m.at += n
	m.field, m.kind = protowire.Number(tag>>3), protowire.Type(tag&7)
	switch m.kind {
	case protowire.BytesType:
		length, n := m.varint()
		if n < 0 || length > uint64(len(m.buf)-m.at-n) {
			return m.fail(n)
		}
		m.start = m.at + n
		m.end = m.start + int(length)
		m.at = m.end
	case protowire.VarintType:
		if m.number, n = m.varint(); n < 0 {
			return m.fail(n)
		}
		m.at += n
	case protowire.Fixed64Type:
		if len(m.buf)-m.at < 8 {
			return m.fail(0)
		}
		m.number = binary.LittleEndian.Uint64(m.buf[m.at:])
		m.at += 8
	case protowire.Fixed32Type:
		if len(m.buf)-m.at < 4 {
			return m.fail(0)
		}
		m.number = uint64(binary.LittleEndian.Uint32(m.buf[m.at:]))
		m.at += 4
	default: // a group: proto3 has none
		return m.fail(0)
	}
	return true
}

// short goes on to the next field if that is a field of bytes with that number, which is below 16, and has less than 128 bytes.
func (m *message) short(field protowire.Number) bool {
	if m.at+1 >= len(m.buf) || m.buf[m.at] != byte(field)<<3|byte(protowire.BytesType) || m.buf[m.at+1] >= 0x80 {
		return false
	}
	start := m.at + 2
	end := start + int(m.buf[m.at+1])
	if end > len(m.buf) {
		return false
	}
	m.field, m.kind, m.start, m.end, m.at = field, protowire.BytesType, start, end, end
	return true
}

// varint returns a negative length for a malformed number. Most have one byte.
func (m *message) varint() (uint64, int) {
	if m.at < len(m.buf) && m.buf[m.at] < 0x80 {
		return uint64(m.buf[m.at]), 1
	}
	return protowire.ConsumeVarint(m.buf[m.at:])
}

// bytes returns the current field, which is neither a varint nor fixed.
func (m *message) bytes() []byte { return m.buf[m.start:m.end:m.end] }

var errTruncated = errors.New("a field is longer than its message, or has no valid number or type")

func (m *message) fail(n int) bool {
	m.err = errTruncated
	if n < 0 {
		m.err = protowire.ParseError(n)
	}
	m.at = len(m.buf)
	return false
}

// element goes on to the next element of a list or map, over all other fields. It returns false as next does.
func (m *message) element() bool {
	for m.next() {
		if m.field == fieldElements {
			return m.is(protowire.BytesType)
		}
	}
	return false
}

// is reports whether the current field, whose number the caller has compared, has its type. Another one is an error.
func (m *message) is(kind protowire.Type) bool {
	if m.kind == kind {
		return true
	}
	m.err = fmt.Errorf("field %d has the wire type %d instead of %d", m.field, m.kind, kind)
	m.at = len(m.buf)
	return false
}
