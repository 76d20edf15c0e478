// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package attribute

// KeyValue is a key with a value of one of the types that a tree needs.
type KeyValue struct {
	Key   string
	Value Value
}

// Kind is the type of a [Value].
type Kind uint8

// The types of values.
const (
	KindString Kind = iota
	KindInt
	KindDouble
	KindBool
	KindStrings
)

// Value is a string, an integer, a double, a boolean or a list of strings.
type Value struct {
	Kind    Kind
	Text    string
	Int     int64
	Double  float64
	Strings []string
}

// String makes an attribute of a text.
func String(key, v string) KeyValue {
	return KeyValue{key, Value{Kind: KindString, Text: v}}
}

// Int makes an attribute of an integer.
func Int(key string, v int64) KeyValue {
	return KeyValue{key, Value{Kind: KindInt, Int: v}}
}

// Double makes an attribute of a number.
func Double(key string, v float64) KeyValue {
	return KeyValue{key, Value{Kind: KindDouble, Double: v}}
}

// Bool makes an attribute of a boolean.
func Bool(key string, v bool) KeyValue {
	b := int64(0)
	if v {
		b = 1
	}
	return KeyValue{key, Value{Kind: KindBool, Int: b}}
}

// Strings makes an attribute of a list. The list is not copied.
func Strings(key string, v []string) KeyValue {
	return KeyValue{key, Value{Kind: KindStrings, Strings: v}}
}
