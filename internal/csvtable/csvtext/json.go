// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package csvtext

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/tasker-otel/otelcol-tasker/internal/printable"
)

// RowFormat says how a row is written.
type RowFormat string

const (
	// RowsCSV is a line of cells, as in RFC 4180.
	RowsCSV RowFormat = "csv"
	// RowsJSON is a JSON object in a line of its own. Its cells are JSON.
	RowsJSON RowFormat = "json"
)

// RowFormats returns all of them.
func RowFormats() []RowFormat { return []RowFormat{RowsCSV, RowsJSON} }

// jsonString returns a text as a JSON string, in one line. encoding/json would leave control characters above U+007F, which
// some terminals obey.
func jsonString(text string) string {
	return `"` + escaped(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text)) + `"`
}

// escaped writes what is not graphic as JSON escapes, and broken UTF-8 as U+FFFD. In JSON without white space between
// tokens such characters are only inside strings.
func escaped(text string) string {
	if printable.IsASCII(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + len(text)/8)
	for _, r := range text {
		high, low := utf16.EncodeRune(r)
		switch {
		case unicode.IsGraphic(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r > 0xffff:
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
