// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package sqltext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind is the kind of a token.
type kind uint8

const (
	kindEnd    kind = iota
	kindWord        // a keyword or an unquoted identifier
	kindQuoted      // `name` or [name]
	kindDouble      // "name", or a string in MySQL
	kindLiteral
	kindMark   // a punctuation character, or a placeholder such as $1
	kindUnsure // the rest, in which strings and code cannot be distinguished
)

// token is a token with its quotes.
type token struct {
	kind kind
	text string
	// keyword is the upper-case text of a word; empty if it is too long for a keyword.
	keyword string
	// spaced is set if white space or a comment precedes the token.
	spaced bool
}

// scanner splits SQL into tokens. It skips comments and white space.
type scanner struct {
	rest string
}

// next returns the next token. At the end it returns kindEnd repeatedly.
func (s *scanner) next() token {
	spaced := s.skipBlank()
	size, kind := s.measure()
	t := token{kind: kind, text: s.rest[:size], spaced: spaced}
	if kind == kindWord && size <= maxKeyword {
		t.keyword = strings.ToUpper(t.text)
	}
	s.rest = s.rest[size:]
	return t
}

// maxKeyword is the length of the longest keyword used here: MATERIALIZED.
const maxKeyword = 12

// skipBlank skips white space and comments. It reports whether there were any.
func (s *scanner) skipBlank() bool {
	before := len(s.rest)
	for {
		s.rest = strings.TrimLeftFunc(s.rest, unicode.IsSpace)
		switch {
		case strings.HasPrefix(s.rest, "--"), isHashComment(s.rest):
			s.rest = after(s.rest, "\n")
		case strings.HasPrefix(s.rest, "/*"):
			s.rest = s.rest[blockComment(s.rest):]
		default:
			return len(s.rest) < before
		}
	}
}

// isHashComment distinguishes MySQL's # comment from PostgreSQL's operators #>, #>> and #-.
func isHashComment(s string) bool {
	return strings.HasPrefix(s, "#") && !strings.HasPrefix(s, "#>") && !strings.HasPrefix(s, "#-")
}

// blockComment returns the length of the comment at the beginning of s. Comments nest as in PostgreSQL, which in other
// dialects skips more, never less.
func blockComment(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], "/*"):
			depth++
			i++
		case strings.HasPrefix(s[i:], "*/"):
			depth--
			i++
			if depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

// after returns the text after the first mark in s; empty if there is none.
func after(s, mark string) string {
	_, rest, _ := strings.Cut(s, mark)
	return rest
}

// measure returns the size and kind of the next token.
func (s *scanner) measure() (int, kind) {
	if s.rest == "" {
		return 0, kindEnd
	}
	switch c := s.rest[0]; {
	case c == '\'':
		return measureString(s.rest, 0, false)
	case c == '"':
		return measureDouble(s.rest)
	case c == '`':
		return measureQuoted(s.rest, '`'), kindQuoted
	case c == '[' && isName(bracketed(s.rest)):
		return len(bracketed(s.rest)) + len("[]"), kindQuoted
	case c == '$':
		return measureDollar(s.rest)
	case isDigit(c), c == '.' && len(s.rest) > 1 && isDigit(s.rest[1]):
		return measureNumber(s.rest), kindLiteral
	}
	first, size := utf8.DecodeRuneInString(s.rest)
	if !isWordRune(first) {
		return size, kindMark
	}
	size = measureWord(s.rest)
	return s.measureWordOrPrefix(size)
}

// measureWordOrPrefix distinguishes a word from the prefix of a literal: E'…', N'…', x'…', _utf8'…', U&'…', q'[…]'.
func (s *scanner) measureWordOrPrefix(size int) (int, kind) {
	word, rest := s.rest[:size], s.rest[size:]
	if !strings.HasPrefix(strings.TrimPrefix(rest, "&"), "'") {
		return size, kindWord
	}
	switch word {
	case "E", "e":
		return measureString(s.rest, size, true)
	case "Q", "q", "NQ", "Nq", "nQ", "nq":
		return measureOracle(s.rest), kindLiteral
	case "U", "u", "N", "n", "X", "x", "B", "b":
		return measureString(s.rest, strings.IndexByte(s.rest, '\''), false)
	}
	if word[0] == '_' {
		return measureString(s.rest, strings.IndexByte(s.rest, '\''), false)
	}
	return size, kindWord
}

// measureString measures a string whose opening quote is at open. escapes means that \' is part of the string. Otherwise
// that depends on the database, and the string's end is unknown.
func measureString(s string, open int, escapes bool) (int, kind) {
	for i := open + 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if escapes {
				i++
			} else if i+1 < len(s) && (s[i+1] == '\'' || s[i+1] == '\\') {
				return len(s), kindUnsure
			}
		case '\'':
			if i+1 == len(s) || s[i+1] != '\'' {
				return i + 1, kindLiteral
			}
			i++
		}
	}
	return len(s), kindLiteral
}

// measureOracle measures an Oracle string, q'[it's]': any character may replace the bracket, and the string ends where it,
// or its counterpart, precedes a quote. An unterminated string extends to the end.
func measureOracle(s string) int {
	start := strings.IndexByte(s, '\'') + 1
	opening, size := utf8.DecodeRuneInString(s[start:])
	closing := string(opening)
	if pair := strings.IndexRune("[]{}()<>", opening); pair >= 0 && pair%2 == 0 {
		closing = "[]{}()<>"[pair+1 : pair+2]
	}
	start += size
	if end := strings.Index(s[start:], closing+"'"); end >= 0 {
		return start + end + len(closing+"'")
	}
	return len(s)
}

// measureDouble is measureQuoted for double quotes. In a string \" may be an escaped quote; then the string's end is
// unknown.
func measureDouble(s string) (int, kind) {
	size := measureQuoted(s, '"')
	if text := s[:size]; strings.Contains(text, `\"`) || strings.Contains(text, `\\`) {
		return len(s), kindUnsure
	}
	return size, kindDouble
}

// measureQuoted measures quoted text in which a doubled quote is an escaped quote.
func measureQuoted(s string, quote byte) int {
	for i := 1; i < len(s); i++ {
		if s[i] != quote {
			continue
		}
		if i+1 == len(s) || s[i+1] != quote {
			return i + 1
		}
		i++
	}
	return len(s)
}

// bracketed returns the text in the brackets at the beginning of s. It searches no further than the longest name; otherwise
// a text of brackets only would take quadratic time.
func bracketed(s string) string {
	name, _, _ := strings.Cut(s[1:min(len(s), 1+maxName+1)], "]")
	if len(name) == len(s)-1 {
		return "" // unterminated
	}
	return name
}

// measureDollar distinguishes $1 (a placeholder) from $$…$$ and $tag$…$tag$ (strings).
func measureDollar(s string) (int, kind) {
	if len(s) > 1 && isDigit(s[1]) {
		size := 1
		for size < len(s) && isDigit(s[size]) {
			size++
		}
		return size, kindMark
	}
	tag := 1 + measureWord(s[1:])
	if tag == len(s) || s[tag] != '$' {
		return 1, kindMark
	}
	mark := s[:tag+1]
	end := strings.Index(s[len(mark):], mark)
	if end < 0 {
		return len(s), kindLiteral
	}
	return len(mark) + end + len(mark), kindLiteral
}

// measureNumber measures digits, letters (0xFF, 1e9), points and an exponent's sign.
func measureNumber(s string) int {
	for i := 1; i < len(s); i++ {
		c := s[i]
		exponent := (c == '+' || c == '-') && (s[i-1] == 'e' || s[i-1] == 'E') && !strings.HasPrefix(s, "0x")
		if !isDigit(c) && !isLetter(c) && c != '.' && c != '_' && !exponent {
			return i
		}
	}
	return len(s)
}

// measureWord returns the length of the word at the beginning of s. $ is not part of it: only old dialects allow that, and
// it could hide a $$ string.
func measureWord(s string) int {
	for i, r := range s {
		if !isWordRune(r) {
			return i
		}
	}
	return len(s)
}

// isName reports whether a text looks like an identifier.
func isName(s string) bool {
	return s != "" && len(s) <= maxName && !isDigit(s[0]) && measureWord(s) == len(s)
}

// maxName is the longest name of a table or column in common databases (64 in MySQL, 63 in PostgreSQL).
const maxName = 64

func isWordRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
func isDigit(c byte) bool    { return '0' <= c && c <= '9' }
func isLetter(c byte) bool   { return 'a' <= c|0x20 && c|0x20 <= 'z' }
