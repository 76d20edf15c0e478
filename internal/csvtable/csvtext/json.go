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

// RowFormat is the format of a row.
type RowFormat string

const (
	// RowsCSV is a row of cells as in RFC 4180.
	RowsCSV RowFormat = "csv"
	// RowsJSON is one JSON object per line.
	RowsJSON RowFormat = "json"
)

// RowFormats returns all row formats.
func RowFormats() []RowFormat { return []RowFormat{RowsCSV, RowsJSON} }

// jsonString returns a text as a JSON string in one line. Unlike encoding/json it escapes control characters above U+007F,
// which some terminals interpret.
func jsonString(text string) string {
	return `"` + escaped(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text)) + `"`
}

// escaped replaces non-graphic characters in compact JSON with escapes, and invalid UTF-8 with U+FFFD. Such characters
// occur only inside strings.
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
