// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package sqltext

import (
	"strings"
	"unicode/utf8"
)

// MaxRunes is the maximum length of sanitized SQL.
const MaxRunes = 500

// cut marks truncated SQL.
const cut = "…"

// Sanitize returns the query without literals: strings and numbers become ?, comments are removed, white space becomes
// single spaces, a list after IN becomes one ?, and what exceeds [MaxRunes] is cut and ends with "…".
//
// A text in double quotes is an identifier in standard SQL and a string in MySQL. It is kept only where an identifier is
// expected and only if it looks like one. Where a quote follows a backslash, databases disagree about the end of the
// string, and the query is cut there.
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

// nameFinder tracks the tokens of a query to decide where a text in double quotes can be an identifier.
type nameFinder struct {
	// mysql is set once back quotes reveal the dialect, in which double quotes are strings.
	mysql bool
	// scopes has an entry for the query and for each open parenthesis: true where unqualified identifiers are expected,
	// false in lists of values and arguments.
	scopes []bool
	last   token
	// table is set after INTO and a name, where parentheses hold columns.
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

// valueExpected reports whether the next token is compared, assigned or returned.
func (f *nameFinder) valueExpected() bool {
	switch f.last.kind {
	case kindMark:
		return strings.Contains("=<>!~|+-*/%&^#@:?", f.last.text)
	case kindWord:
		// _utf8mb4 and the like introduce a string with its character set.
		return isValueWord(f.last.keyword) || f.between && f.last.keyword == "AND" || f.last.text[0] == '_'
	}
	return false
}

// pass processes a token.
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

// isValueWord reports whether a keyword precedes a value.
func isValueWord(keyword string) bool {
	switch keyword {
	case "LIKE", "ILIKE", "RLIKE", "REGEXP", "TO", "IS", "BETWEEN", "THEN", "ELSE", "WHEN", "CASE", "LIMIT", "OFFSET",
		"ESCAPE", "IN", "MATCH", "GLOB", "DEFAULT", "SEPARATOR":
		return true
	}
	return false
}

// opensNames reports whether a keyword begins a clause of identifiers.
func opensNames(keyword string) bool {
	switch keyword {
	case "SELECT", "FROM", "JOIN", "WHERE", "SET", "BY", "HAVING", "RETURNING", "ON":
		return true
	}
	return false
}

// unquote removes the quotes of a name.
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
