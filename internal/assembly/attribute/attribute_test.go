// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package attribute_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
)

func TestStoredAttributesComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key, text := rapid.String().Draw(t, "key"), rapid.String()
		for _, a := range []attribute.KeyValue{
			attribute.String(key, text.Draw(t, "text")),
			attribute.Int(key, rapid.Int64().Draw(t, "int")),
			attribute.Double(key, rapid.Float64().Draw(t, "double")),
			attribute.Bool(key, rapid.Bool().Draw(t, "bool")),
			attribute.Strings(key, rapid.SliceOfN(text, 1, 5).Draw(t, "list")),
		} {
			stored := attribute.Append(nil, &a)
			read, err := attribute.Read(stored)
			require.NoError(t, err)
			require.Equal(t, a, read)
		}
	})
}

func FuzzRead(f *testing.F) {
	a := attribute.Strings("key", []string{"a", "b"})
	f.Add(attribute.Append(nil, &a))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := attribute.Read(data)
		if err != nil {
			return
		}
		again, err := attribute.Read(attribute.Append(nil, &a))
		require.NoError(t, err)
		if !math.IsNaN(a.Value.Double) {
			require.Equal(t, a, again)
		}
	})
}
