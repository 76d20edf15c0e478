// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// Width returns the number of columns of a printable text.
func Width(text string) int {
	columns := 0
	for _, r := range text {
		columns += runeWidth(r)
	}
	return columns
}

func runeWidth(r rune) int {
	if r < 0x300 {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// Truncate cuts a text to the columns, ending with the ellipsis.
func Truncate(text string, columns int, ellipsis string) string {
	if Width(text) <= columns {
		return text
	}
	room := columns - Width(ellipsis)
	if room < 0 {
		text, room, ellipsis = ellipsis, columns, ""
	}
	for i, r := range text {
		if room -= runeWidth(r); room < 0 {
			return text[:i] + ellipsis
		}
	}
	return text + ellipsis
}

// Pad appends spaces up to the columns.
func Pad(text string, columns int) string {
	return text + strings.Repeat(" ", max(0, columns-Width(text)))
}

// PadLeft prepends spaces up to the columns.
func PadLeft(text string, columns int) string {
	return strings.Repeat(" ", max(0, columns-Width(text))) + text
}

// Wrap breaks a printable text into lines of at most that many columns, between words if possible.
func Wrap(text string, columns int) []string {
	columns = max(2, columns)
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && Width(line)+1+Width(word) <= columns {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for Width(word) > columns {
			head := Truncate(word, columns, "")
			lines = append(lines, head)
			word = word[len(head):]
		}
		line = word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// Labels returns the labels that are not empty on one line, sorted by name: name=value name=value.
func Labels(labels map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if labels[name] != "" {
			parts = append(parts, name+"="+labels[name])
		}
	}
	return strings.Join(parts, " ")
}
