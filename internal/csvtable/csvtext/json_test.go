// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package csvtext

import (
	"encoding/json"
	"math"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestJSONText checks that texts round-trip, and that the output has no line ends and no control characters.
func TestJSONText(t *testing.T) {
	style := Style{Rows: RowsJSON, Guard: true}
	assert.Empty(t, style.Text(""))
	assert.Equal(t, `"=1+1 <&> \"\\ ü\n"`, style.Text("=1+1 <&> \"\\ ü\n"))
	assert.Equal(t, `"\u009b\u202e\ud834\udd73"`, style.Text("\u009b\u202e\U0001d173"))
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "text")
		cell := style.Text(text)
		if text == "" {
			return
		}
		for _, r := range cell {
			require.True(t, unicode.IsGraphic(r), "%q", cell)
		}
		var back string
		require.NoError(t, json.Unmarshal([]byte(cell), &back))
		require.Equal(t, string([]rune(text)), back)
	})
}

func TestJSONValues(t *testing.T) {
	style := Style{Rows: RowsJSON, Time: TimeRFC3339}
	assert.Equal(t, "1.5", style.Number(1.5))
	assert.Equal(t, `"+Inf"`, style.Number(math.Inf(1)))
	assert.Equal(t, `"NaN"`, style.Number(math.NaN()))
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	assert.Equal(t, `"2026-03-01T12:00:00Z"`, style.At(at))
	style.Time = TimeUnix
	assert.Equal(t, "1772366400", style.At(at))
	assert.Equal(t, `{"a":"\u009b"}`, style.Object("{\"a\":\"\u009b\"}"))
	assert.Empty(t, style.Object(""))
}
