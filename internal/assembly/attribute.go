// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tasker-otel/otelcol-tasker/internal/journal/fields"
)

// Fields of an attribute. The kind is stored as its number in package assembly, so the order there is fixed.
const (
	attributeKey protowire.Number = iota + 1
	attributeKind
	attributeText
	attributeInt
	attributeDouble
	attributeStrings
)

// AppendAttribute appends the stored form of the attribute.
func AppendAttribute(b []byte, a *Attribute) []byte {
	b = fields.Text(b, attributeKey, a.Key)
	b = fields.Int(b, attributeKind, int64(a.Value.Kind))
	b = fields.Text(b, attributeText, a.Value.Text)
	b = fields.Int(b, attributeInt, a.Value.Int)
	b = fields.Float(b, attributeDouble, a.Value.Double)
	for _, text := range a.Value.Strings {
		b = fields.Element(b, attributeStrings, text)
	}
	return b
}

// ReadAttribute reads a stored attribute. It does not retain the data.
func ReadAttribute(data []byte) (a Attribute, err error) {
	err = fields.Read(data, func(f *fields.Field) error {
		switch f.Number {
		case attributeKey:
			a.Key = string(f.Data)
		case attributeKind:
			a.Value.Kind = ValueKind(f.Int())
		case attributeText:
			a.Value.Text = string(f.Data)
		case attributeInt:
			a.Value.Int = f.Int()
		case attributeDouble:
			a.Value.Double = f.Float()
		case attributeStrings:
			a.Value.Strings = append(a.Value.Strings, string(f.Data))
		}
		return nil
	})
	return a, err
}
