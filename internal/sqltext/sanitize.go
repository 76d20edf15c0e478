// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package sqltext

import (
	"strings"
	"unicode/utf8"
)

// MaxRunes is the length at which sanitized SQL is cut.
const MaxRunes = 500

// cut ends a query that goes on.
const cut = "…"

// Sanitize returns the query without its literals: strings and numbers become ?, comments go, white space is folded into
// single spaces, a list behind IN becomes one ?, and what is longer than [MaxRunes] is cut and ends with "…".
//
// A text in double quotes is a name in standard SQL and a string in MySQL. It stays only where a name is expected and it
// looks like one. Where a backslash stands before a quote, databases disagree about where the string ends, and the
// query is cut there.
func Sanitize(sql string) string {
	var (
		out   strings.Builder
		names = nameFinder{mysql: strings.IndexByte(sql, '`') >= 0, scopes: make([]bool, 1, 8)}
		scan  = scanner{sql}
	)
	out.Grow(min(len(sql), MaxRunes+utf8.UTFMax))
	names.scopes[0] = true
	for t, following := scan.next(), scan.next(); t.kind != kindEnd; t, following = following, scan.next() {
		if t.spaced && out.Len() > 0 {
			out.WriteByte(' ')
		}
		switch {
		case t.kind == kindUnsure:
			out.WriteString("?" + cut)
		case t.kind == kindLiteral, t.kind == kindQuoted && !isName(unquote(t.text)),
			t.kind == kindDouble && !names.isName(t, following):
			out.WriteByte('?')
		default:
			out.WriteString(t.text)
		}
		names.pass(t)
		if out.Len() > MaxRunes*utf8.UTFMax {
			break
		}
	}
	return clip(foldLists(strings.ToValidUTF8(out.String(), "?")))
}

func clip(s string) string {
	if len(s) <= MaxRunes || utf8.RuneCountInString(s) <= MaxRunes {
		return s
	}
	runes := 0
	for i := range s {
		if runes++; runes == MaxRunes {
			return s[:i] + cut
		}
	}
	return s
}

// nameFinder follows a query and knows where a text in double quotes can be a name.
type nameFinder struct {
	// mysql is set if back quotes show the dialect: there, double quotes hold strings.
	mysql bool
	// scopes has an entry for each open parenthesis, and one for the query itself: true where unqualified names are
	// expected, false in lists of values and arguments.
	scopes []bool
	last   token
	// table is set while the last tokens are INTO and a name: a parenthesis there holds columns.
	table bool
	// between is set from BETWEEN to its AND.
	between bool
}

func (f *nameFinder) isName(t, following token) bool {
	if f.mysql || !isName(unquote(t.text)) {
		return false
	}
	if f.last.text == "." || following.text == "." {
		return true
	}
	return f.scopes[len(f.scopes)-1] && !f.valueExpected()
}

// valueExpected reports whether what comes next is compared, assigned or returned.
func (f *nameFinder) valueExpected() bool {
	switch f.last.kind {
	case kindMark:
		return strings.Contains("=<>!~|+-*/%&^#@:?", f.last.text)
	case kindWord:
		// _utf8mb4 and its like say in which character set a string is.
		return isValueWord(f.last.keyword) || f.between && f.last.keyword == "AND" || f.last.text[0] == '_'
	}
	return false
}

// pass takes note of a token.
func (f *nameFinder) pass(t token) {
	top := len(f.scopes) - 1
	switch {
	case t.text == "(":
		f.scopes = append(f.scopes, f.table)
		f.table = false
	case t.text == ")" && top > 0:
		f.scopes = f.scopes[:top]
	case t.keyword == "VALUES":
		f.scopes[top], f.table = false, false
	case t.keyword == "INTO":
		f.table = true
	case opensNames(t.keyword):
		f.scopes[top], f.table = true, false
	}
	switch {
	case t.keyword == "BETWEEN":
		f.between = true
	case f.last.keyword == "AND":
		f.between = false
	}
	f.last = t
}

// isValueWord knows the words that stand before a value.
func isValueWord(keyword string) bool {
	switch keyword {
	case "LIKE", "ILIKE", "RLIKE", "REGEXP", "TO", "IS", "BETWEEN", "THEN", "ELSE", "WHEN", "CASE", "LIMIT", "OFFSET",
		"ESCAPE", "IN", "MATCH", "GLOB", "DEFAULT", "SEPARATOR":
		return true
	}
	return false
}

// opensNames knows the words that open a clause of names.
func opensNames(keyword string) bool {
	switch keyword {
	case "SELECT", "FROM", "JOIN", "WHERE", "SET", "BY", "HAVING", "RETURNING", "ON":
		return true
	}
	return false
}

// unquote takes the quotes off a name.
func unquote(name string) string {
	if len(name) < 2 {
		return name
	}
	switch name[0] {
	case '"', '`', '[':
		return name[1 : len(name)-1]
	}
	return name
}
