// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package values_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/values"
)

// TestRoundTrip: any values come back as they were, with and without shared texts, and every cut of their encoding is recognized.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var texts *values.Texts
		if rapid.Bool().Draw(t, "shared") {
			texts = values.NewTexts()
		}
		base := rapid.Int64Range(0, 2e18).Draw(t, "base")
		e := values.Encoder{Base: base, Texts: texts}
		var read []func(*values.Decoder)
		var kinds []byte
		for range rapid.IntRange(1, 20).Draw(t, "values") {
			kind := rapid.ByteRange(0, 5).Draw(t, "kind")
			kinds = append(kinds, kind)
			switch kind {
			case 0:
				n := rapid.Int64().Draw(t, "int")
				e.Ints(n)
				read = append(read, func(d *values.Decoder) { require.Equal(t, n, d.Int()) })
			case 1:
				at := rapid.OneOf(rapid.Just(int64(0)), rapid.Just(base), rapid.Int64Range(0, 4e18)).Draw(t, "time")
				e.Times(at)
				read = append(read, func(d *values.Decoder) { require.Equal(t, at, d.Time()) })
			case 2:
				id := [8]byte(rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "id"))
				e.ID(id)
				read = append(read, func(d *values.Decoder) { require.Equal(t, id, d.ID()) })
			case 3:
				f := rapid.Float64().Draw(t, "float")
				e.Float(f)
				read = append(read, func(d *values.Decoder) { require.Equal(t, math.Float64bits(f), math.Float64bits(d.Float())) })
			case 4:
				text := rapid.OneOf(rapid.SampledFrom([]string{"", "a", "b", strings.Repeat("long", 40)}), rapid.String()).Draw(t, "text")
				e.Text(text)
				read = append(read, func(d *values.Decoder) { require.Equal(t, text, d.Text()) })
			case 5:
				text := rapid.String().Draw(t, "own text")
				e.OwnText(text)
				read = append(read, func(d *values.Decoder) { require.Equal(t, text, d.OwnText()) })
			}
		}
		d := values.Decoder{Data: e.Data, Base: base, Texts: texts}
		for _, next := range read {
			require.True(t, d.More())
			next(&d)
		}
		require.NoError(t, d.Err)
		require.False(t, d.More())

		d = values.Decoder{Data: e.Data[:len(e.Data)-1], Base: base, Texts: texts}
		for _, kind := range kinds {
			readAny(&d, kind)
		}
		require.ErrorIs(t, d.Err, values.ErrCut)
		require.Zero(t, d.Int())
		require.Zero(t, d.Time())
		require.Zero(t, d.Float())
		require.Zero(t, d.ID())
		require.Empty(t, d.Text())
		require.Empty(t, d.OwnText())
	})
}

// readAny reads a value of one of six kinds.
func readAny(d *values.Decoder, kind byte) {
	switch kind {
	case 0:
		d.Int()
	case 1:
		d.Time()
	case 2:
		d.ID()
	case 3:
		d.Float()
	case 4:
		d.Text()
	case 5:
		d.OwnText()
	}
}

// TestTexts: a shared text is written in full once at most, texts beyond the limits each time.
func TestTexts(t *testing.T) {
	texts := values.NewTexts()
	size := func(text string) int {
		e := values.Encoder{Texts: texts}
		e.Text(text)
		d := values.Decoder{Data: e.Data, Texts: texts, Intern: func(s string) string { return "interned " + s }}
		got := d.Text()
		if len(e.Data) > len(text) {
			assert.Equal(t, "interned "+text, got)
		} else {
			assert.Equal(t, text, got)
		}
		return len(e.Data)
	}
	assert.Equal(t, 1, size("tasker.step.execution"))
	assert.Equal(t, 1, size("tasker.step.execution"))
	assert.Equal(t, 67, size(strings.Repeat("x", 65)), "too long")
	for i := range 5000 {
		size(fmt.Sprintf("text %d", i))
	}
	assert.Equal(t, 11, size("text 12345"), "there are enough")
	assert.Equal(t, 2, size("text 100"))
}

// FuzzDecoder: no data makes a decoder panic, or go on without end.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte{2, 'a', 0, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1}, []byte{0, 1, 2, 3, 4, 5})
	f.Fuzz(func(t *testing.T, data, kinds []byte) {
		texts := values.NewTexts()
		(&values.Encoder{Texts: texts}).Text("known")
		d := values.Decoder{Data: data, Texts: texts}
		for _, kind := range kinds {
			before := len(d.Data)
			readAny(&d, kind%6)
			require.True(t, len(d.Data) < before || d.Err != nil)
		}
	})
}
