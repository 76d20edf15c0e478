// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package fields writes and reads stored state in protocol buffers encoding, without generated types: new fields get new numbers,
// unknown ones are skipped, and a number is never reused. Zero values are omitted.
package fields

import (
	"errors"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// Int appends a signed number; zero is left out.
func Int(b []byte, number protowire.Number, n int64) []byte {
	if n == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), protowire.EncodeZigZag(n))
}

// Uint appends an unsigned number; zero is left out.
func Uint(b []byte, number protowire.Number, n uint64) []byte {
	if n == 0 {
		return b
	}
	return Number(b, number, n)
}

// Number appends an unsigned number, also zero.
func Number(b []byte, number protowire.Number, n uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), n)
}

// Signed appends a signed number, also zero.
func Signed(b []byte, number protowire.Number, n int64) []byte {
	return Number(b, number, protowire.EncodeZigZag(n))
}

// Numbers appends a list of unsigned numbers, packed, also an empty one.
func Numbers(b []byte, number protowire.Number, list []uint64) []byte {
	size := 0
	for _, n := range list {
		size += protowire.SizeVarint(n)
	}
	b = protowire.AppendVarint(protowire.AppendTag(b, number, protowire.BytesType), uint64(size))
	for _, n := range list {
		b = protowire.AppendVarint(b, n)
	}
	return b
}

// Bool appends true; false is left out.
func Bool(b []byte, number protowire.Number, on bool) []byte {
	if !on {
		return b
	}
	return Int(b, number, 1)
}

// Float appends a double; zero is left out.
func Float(b []byte, number protowire.Number, f float64) []byte {
	if f == 0 {
		return b
	}
	return Fixed(b, number, math.Float64bits(f))
}

// Fixed appends 64 bits as they are, also zero.
func Fixed(b []byte, number protowire.Number, n uint64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(b, number, protowire.Fixed64Type), n)
}

// Text appends a text; an empty one is left out.
func Text(b []byte, number protowire.Number, text string) []byte {
	if text == "" {
		return b
	}
	return Element(b, number, text)
}

// Element appends one text of a list, also an empty one.
func Element(b []byte, number protowire.Number, text string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, number, protowire.BytesType), text)
}

// Message appends a message, also an empty one.
func Message(b []byte, number protowire.Number, message []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), message)
}

// Field is a decoded field.
type Field struct {
	Number protowire.Number
	Bits   uint64 // of a varint, as from Uint and Number, or of a 64-bit value
	Data   []byte // of a text or a message; part of the input
}

// Numbers returns the list that the function Numbers appended. It is not nil.
func (f *Field) Numbers() ([]uint64, error) {
	list := []uint64{}
	for rest := f.Data; len(rest) > 0; {
		n, size := protowire.ConsumeVarint(rest)
		if size < 0 {
			return nil, errField
		}
		list, rest = append(list, n), rest[size:]
	}
	return list, nil
}

// Int returns the number that Int or Signed appended.
func (f *Field) Int() int64 { return protowire.DecodeZigZag(f.Bits) }

// Float returns the number that Float appended.
func (f *Field) Float() float64 { return math.Float64frombits(f.Bits) }

var errField = errors.New("a field is cut or of an unknown form")

// Next reads one field and returns what follows it.
func Next(b []byte) (f Field, rest []byte, err error) {
	number, form, n := protowire.ConsumeTag(b)
	if n < 0 {
		return f, nil, errField
	}
	b = b[n:]
	f.Number = number
	switch form {
	case protowire.VarintType:
		f.Bits, n = protowire.ConsumeVarint(b)
	case protowire.Fixed64Type:
		f.Bits, n = protowire.ConsumeFixed64(b)
	case protowire.BytesType:
		f.Data, n = protowire.ConsumeBytes(b)
	default:
		n = protowire.ConsumeFieldValue(number, form, b)
	}
	if n < 0 {
		return f, nil, errField
	}
	return f, b[n:], nil
}

// Read reads all fields of a message. The field is valid until read returns.
func Read(b []byte, read func(f *Field) error) (err error) {
	var f Field // shared by all fields: it escapes to the heap
	for len(b) > 0 {
		if f, b, err = Next(b); err != nil {
			return err
		}
		if err := read(&f); err != nil {
			return err
		}
	}
	return nil
}
