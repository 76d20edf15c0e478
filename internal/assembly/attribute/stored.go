// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package attribute

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tasker-otel/otelcol-tasker/internal/journal/fields"
)

// Fields of an attribute. The kind is stored as its number, so the order of kinds is fixed.
const (
	fieldKey protowire.Number = iota + 1
	fieldKind
	fieldText
	fieldInt
	fieldDouble
	fieldStrings
)

// Append appends the stored form of the attribute.
func Append(b []byte, a *KeyValue) []byte {
	b = fields.Text(b, fieldKey, a.Key)
	b = fields.Int(b, fieldKind, int64(a.Value.Kind))
	b = fields.Text(b, fieldText, a.Value.Text)
	b = fields.Int(b, fieldInt, a.Value.Int)
	b = fields.Float(b, fieldDouble, a.Value.Double)
	for _, text := range a.Value.Strings {
		b = fields.Element(b, fieldStrings, text)
	}
	return b
}

// Read reads a stored attribute. It does not retain the data.
func Read(data []byte) (a KeyValue, err error) {
	err = fields.Read(data, func(f *fields.Field) error {
		switch f.Number {
		case fieldKey:
			a.Key = string(f.Data)
		case fieldKind:
			a.Value.Kind = Kind(f.Int())
		case fieldText:
			a.Value.Text = string(f.Data)
		case fieldInt:
			a.Value.Int = f.Int()
		case fieldDouble:
			a.Value.Double = f.Float()
		case fieldStrings:
			a.Value.Strings = append(a.Value.Strings, string(f.Data))
		}
		return nil
	})
	return a, err
}
