// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventbatch

import (
	"iter"
	"math"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Kind is the type of a value.
type Kind uint8

// The types of values. A list has no lists.
const (
	KindNothing Kind = iota
	KindText
	KindInt
	KindDouble
	KindBool
	KindList
)

// Value is the value of an attribute. Its strings are valid as long as the batch.
type Value struct {
	// Text is the text, or the encoded elements of a list.
	Text   string
	number uint64
	Kind   Kind
}

// Text makes a value of a text.
func Text(text string) Value { return Value{Kind: KindText, Text: text} }

// Int makes a value of an integer.
func Int(n int64) Value { return Value{Kind: KindInt, number: uint64(n)} }

// Double makes a value of a number.
func Double(f float64) Value { return Value{Kind: KindDouble, number: math.Float64bits(f)} }

// Bool makes a value of a boolean.
func Bool(on bool) Value { return Value{Kind: KindBool, number: uint64(flag(on))} }

// Int returns the integer of a KindInt.
func (v Value) Int() int64 { return int64(v.number) }

// Double returns the number of a KindDouble.
func (v Value) Double() float64 { return math.Float64frombits(v.number) }

// Bool returns the boolean of a KindBool.
func (v Value) Bool() bool { return v.number != 0 }

// Elements returns the elements of a KindList.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		in := input{rest: v.Text}
		for range v.number {
			if !yield(in.value()) {
				return
			}
		}
	}
}

// String returns the value as text, as pdata's AsString does.
func (v Value) String() string {
	switch v.Kind {
	case KindText:
		return v.Text
	case KindInt:
		return strconv.FormatInt(v.Int(), 10)
	case KindBool:
		return strconv.FormatBool(v.Bool())
	}
	value := pcommon.NewValueEmpty()
	v.CopyTo(value)
	return value.AsString()
}

// CopyTo writes the value to pdata.
func (v Value) CopyTo(to pcommon.Value) {
	switch v.Kind {
	case KindText:
		to.SetStr(v.Text)
	case KindInt:
		to.SetInt(v.Int())
	case KindDouble:
		to.SetDouble(v.Double())
	case KindBool:
		to.SetBool(v.Bool())
	case KindList:
		list := to.SetEmptySlice()
		list.EnsureCapacity(int(v.number))
		for element := range v.Elements() {
			element.CopyTo(list.AppendEmpty())
		}
	case KindNothing:
		pcommon.NewValueEmpty().CopyTo(to)
	}
}

// ValueOf returns the value that pdata has. Maps, byte strings, and lists inside of lists become texts.
func ValueOf(value pcommon.Value) Value {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		return Text(value.Str())
	case pcommon.ValueTypeInt:
		return Int(value.Int())
	case pcommon.ValueTypeDouble:
		return Double(value.Double())
	case pcommon.ValueTypeBool:
		return Bool(value.Bool())
	case pcommon.ValueTypeEmpty:
		return Value{}
	case pcommon.ValueTypeSlice:
		var room [256]byte
		b := room[:0]
		for _, element := range value.Slice().All() {
			b = appendValue(b, elementOf(element))
		}
		return Value{Kind: KindList, Text: string(b), number: uint64(value.Slice().Len())}
	}
	return Text(value.AsString())
}

func elementOf(value pcommon.Value) Value {
	if value.Type() == pcommon.ValueTypeSlice {
		return Text(value.AsString())
	}
	return ValueOf(value)
}

func appendValue(b []byte, v Value) []byte {
	b = append(b, byte(v.Kind))
	switch v.Kind {
	case KindText:
		return appendText(b, v.Text)
	case KindInt:
		return appendInt(b, v.Int())
	case KindDouble:
		return appendWord(b, v.number)
	case KindBool:
		return append(b, flag(v.Bool()))
	case KindList:
		b = append(appendUint(b, v.number), make([]byte, lengthBytes)...)
		putSmall(b[len(b)-lengthBytes:], len(v.Text))
		return append(b, v.Text...)
	}
	return b
}
