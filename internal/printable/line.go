// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package printable makes texts of applications fit to be shown to people.
//
// It has no state.
package printable

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line makes a text harmless and one line: control and formatting characters, which could move the cursor, turn the
// direction of writing or hide what follows, and broken UTF-8 become "�"; white space becomes single spaces. Names and messages come from
// applications, so they are not to be trusted.
func Line(text string) string {
	plain := true
	for i := 0; i < len(text) && plain; i++ {
		plain = text[i] > ' ' && text[i] < 0x7f || text[i] == ' ' && i > 0 && text[i-1] != ' '
	}
	if plain && !strings.HasSuffix(text, " ") {
		return text
	}
	clean := strings.Map(func(r rune) rune {
		if !unicode.IsSpace(r) && !unicode.IsGraphic(r) {
			return utf8.RuneError
		}
		return r
	}, text)
	return strings.Join(strings.Fields(clean), " ")
}

// IsASCII reports whether a text is of printable ASCII characters only, as most are.
func IsASCII(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] >= 0x7f {
			return false
		}
	}
	return true
}

// Value makes a text harmless and one line, and keeps what else it says: line feeds, carriage returns and tabs are written as
// \n, \r and \t; other control and formatting characters, other line separators and broken UTF-8 become "�". It is for values
// that are kept, in records and tables, where white space matters.
func Value(text string) string {
	if IsASCII(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for _, r := range text {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsGraphic(r) && r != '\u2028' && r != '\u2029':
			b.WriteRune(r)
		default:
			b.WriteRune(utf8.RuneError)
		}
	}
	return b.String()
}
