// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package fields

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"
)

// TestWhatIsAppendedIsRead: every kind of field is decoded, in order, with unknown fields between them.
func TestWhatIsAppendedIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, s := rapid.Uint64().Draw(t, "natural"), rapid.Int64().Draw(t, "signed")
		text, list := rapid.String().Draw(t, "text"), rapid.SliceOf(rapid.Uint64()).Draw(t, "list")
		b := Uint(nil, 1, n)
		b = protowire.AppendFixed32(protowire.AppendTag(b, 100, protowire.Fixed32Type), 7)
		b = Number(b, 2, n)
		b = Int(b, 3, s)
		b = Signed(b, 4, s)
		b = Text(b, 5, text)
		b = Element(b, 6, text)
		b = Numbers(b, 7, list)
		b = Fixed(b, 8, n)
		b = Float(b, 9, float64(s))
		b = Bool(b, 10, s > 0)
		seen := map[protowire.Number]bool{}
		require.NoError(t, Read(b, func(f *Field) error {
			seen[f.Number] = true
			switch f.Number {
			case 1, 2, 8:
				assert.Equal(t, n, f.Bits)
			case 3, 4:
				assert.Equal(t, s, f.Int())
			case 5, 6:
				assert.Equal(t, text, string(f.Data))
			case 7:
				got, err := f.Numbers()
				require.NoError(t, err)
				assert.NotNil(t, got)
				assert.ElementsMatch(t, list, got)
			case 9:
				assert.Equal(t, float64(s), f.Float())
			case 10:
				assert.Equal(t, s > 0, f.Int() != 0)
			}
			return nil
		}))
		for _, always := range []protowire.Number{2, 4, 6, 7, 8, 100} {
			assert.True(t, seen[always], "%d", always)
		}
		assert.Equal(t, n != 0, seen[1])
		assert.Equal(t, s != 0, seen[3])
		assert.Equal(t, text != "", seen[5])
	})
}

func TestACutListIsAnError(t *testing.T) {
	f := Field{Data: protowire.AppendVarint(nil, math.MaxUint64)[:4]}
	_, err := f.Numbers()
	require.ErrorIs(t, err, errField)
}
