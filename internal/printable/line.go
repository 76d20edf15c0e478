// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package printable makes untrusted texts safe to display. It has no state.
package printable

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns text as one safe line: control and formatting characters, which could move the cursor, reverse the writing
// direction or hide text, and invalid UTF-8 become "�"; white space becomes single spaces.
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

// IsASCII reports whether text consists of printable ASCII characters.
func IsASCII(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] >= 0x7f {
			return false
		}
	}
	return true
}

// Value returns text as one safe line and preserves white space, for stored values: line feeds, carriage returns and tabs
// become \n, \r and \t; other control and formatting characters, line separators and invalid UTF-8 become "�".
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
