// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package terminal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/terminal"
	"github.com/tasker-otel/otelcol-tasker/internal/printable"
)

func TestWidthAndTruncate(t *testing.T) {
	assert.Equal(t, 3, terminal.Width("a→b"))
	assert.Equal(t, 4, terminal.Width("東京"))
	assert.Equal(t, 1, terminal.Width("e\u0301"))
	assert.Equal(t, "abc", terminal.Truncate("abc", 3, "…"))
	assert.Equal(t, "ab…", terminal.Truncate("abcd", 3, "…"))
	assert.Equal(t, "a...", terminal.Truncate("abcdefg", 4, "..."))
	assert.Equal(t, "..", terminal.Truncate("abcdefg", 2, "..."))
	assert.Equal(t, "東…", terminal.Truncate("東京都", 4, "…"))
	assert.Empty(t, terminal.Truncate("abc", 0, "…"))
	assert.Equal(t, "東 ", terminal.Pad("東", 3))
	assert.Equal(t, " 東", terminal.PadLeft("東", 3))
}

func TestWrap(t *testing.T) {
	assert.Equal(t, []string{"the card", "was", "declined"}, terminal.Wrap("the card was declined", 8))
	assert.Equal(t, []string{"a", "abcde", "fgh i"}, terminal.Wrap("a abcdefgh i", 5))
	assert.Nil(t, terminal.Wrap("  ", 5))
}

// Output of any input fits and contains no control sequences.
func TestTextFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := printable.Line(rapid.String().Draw(t, "text"))
		columns := rapid.IntRange(2, 40).Draw(t, "columns")
		if got := terminal.Width(terminal.Truncate(text, columns, "…")); got > columns {
			t.Fatalf("%d columns", got)
		}
		for _, line := range terminal.Wrap(text, columns) {
			if terminal.Width(line) > columns {
				t.Fatalf("%q is too wide", line)
			}
		}
		for _, r := range text {
			if r < ' ' || r == 0x7f {
				t.Fatalf("control character in %q", text)
			}
		}
	})
}

func TestColors(t *testing.T) {
	none := func(string) string { return "" }
	for word, want := range map[string]terminal.Palette{"always": true, "never": false, "auto": false} {
		got, err := terminal.Colors(word, &bytes.Buffer{}, none)
		require.NoError(t, err)
		assert.Equal(t, want, got, word)
	}
	_, err := terminal.Colors("blue", &bytes.Buffer{}, none)
	assert.EqualError(t, err, `--color: "blue" is not known; use "auto", "always" or "never"`)

	assert.Equal(t, "\x1b[31mx\x1b[0m", terminal.Palette(true).Paint(terminal.Red, "x"))
	assert.Equal(t, "x", terminal.Palette(false).Paint(terminal.Red, "x"))
	assert.Equal(t, "x", terminal.Palette(true).Paint(terminal.Plain, "x"))
}

func TestAFileIsNoTerminal(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	defer file.Close() //nolint:errcheck // nothing was written
	assert.False(t, terminal.Is(file))
	assert.Equal(t, 100, terminal.Columns(file, 100))
	assert.False(t, terminal.Is(&bytes.Buffer{}))
	assert.Equal(t, 80, terminal.Columns(&bytes.Buffer{}, 80))
}
