// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
)

// drawRaw draws a value of any type, with lists and maps of a depth at most.
func drawRaw(t *rapid.T, depth int) any {
	kinds := 8
	if depth == 0 {
		kinds = 6
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.SampledFrom([]string{"", "1", "<a>", "ü", "\xff"}).Draw(t, "text")
	case 2:
		return rapid.Int64().Draw(t, "integer")
	case 3:
		return rapid.SampledFrom([]float64{0, 0.25, -1, 1e300, 1 << 53, math.NaN(), math.Inf(1)}).Draw(t, "double")
	case 4:
		return rapid.Bool().Draw(t, "boolean")
	case 5:
		return []byte(rapid.String().Draw(t, "bytes"))
	case 6:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			list = append(list, drawRaw(t, depth-1))
		}
		return list
	}
	return map[string]any{"k": drawRaw(t, depth-1)}
}

// The text of a label is pdata's.
func TestTextsAreThoseOfPdata(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		attribute := pcommon.NewValueEmpty()
		require.NoError(t, attribute.FromRaw(drawRaw(t, 2)))
		require.Equal(t, attribute.AsString(), valueOf(attribute).String())
	})
}

func TestNumbersAndBooleans(t *testing.T) {
	none := math.NaN()
	for _, test := range []struct {
		raw    any
		number float64
		isTrue bool
	}{
		{nil, none, false}, {true, none, true}, {false, none, false}, {int64(1), 1, false}, {2.5, 2.5, false}, {"3e2", 300, false}, {"x", none, false},
		{[]any{int64(1)}, none, false}, {map[string]any{"k": int64(1)}, none, false}, {"", none, false},
	} {
		attribute := pcommon.NewValueEmpty()
		require.NoError(t, attribute.FromRaw(test.raw))
		v := value{Value: valueOf(attribute)}
		number, ok := v.number()
		require.Equal(t, !math.IsNaN(test.number), ok, "%v", test.raw)
		if ok {
			require.Equal(t, test.number, number)
		}
		require.Equal(t, test.isTrue, v.isTrue(), "%v", test.raw)
	}
}

// Of several keys of a field the first with a value is used, in whatever order the attributes are.
func TestTheFirstKeyWithAValue(t *testing.T) {
	var fields fieldSet
	fields.add(field{keys: []string{"a", "b", "c"}})
	for _, order := range [][]string{{"a", "b", "c"}, {"c", "b", "a"}, {"b", "c", "a"}, {"b", "a", "c"}} {
		for _, empty := range []string{"", "a"} {
			attrs := pcommon.NewMap()
			values := make([]eventbatch.Value, len(order))
			for i, key := range order {
				attribute := attrs.PutEmpty(key)
				if key != empty {
					attribute.SetStr(key)
				}
				values[i] = eventbatch.ValueOf(attribute)
			}
			want := map[string]string{"": "a", "a": "b"}[empty]

			found := make([]value, 1)
			fields.read(attrs, found)
			require.Equal(t, want, found[0].String())

			shape := Shape{read: []fieldPlaces{placesIn(eventbatch.NewShape("x", order, false), &fields)}}
			inBatch := shape.OfEvent(&eventbatch.Head{}, values)
			found[0] = value{}
			inBatch.read(&fields, found)
			require.Equal(t, want, found[0].String())
		}
	}
}
