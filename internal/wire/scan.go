// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// kind is the kind of a JSON value.
type kind uint8

const (
	kindNull kind = iota
	kindTrue
	kindFalse
	kindInteger
	kindFloat
	kindText
	kindObject
	kindArray
)

// token is one value, or one key, of an item. A container's token is followed by those of its members: of an object, alternating
// key and value.
type token struct {
	kind kind
	// escaped is true for a string with backslashes.
	escaped bool
	// start and end are the position of a scalar in the source, of a string without its quotes.
	start, end uint32
	// size is the number of a container's members, and next the index of the token after the last of them.
	size, next uint32
}

// scanner checks one item against RFC 8259 and lists its tokens. Nothing is written before the whole item is known to be valid. It
// is our own code as long as encoding/json/jsontext takes twice its time per item.
type scanner struct {
	src    []byte
	tokens []token
	// maxDepth, maxValues and maxText bound an item; the outermost value is not counted.
	maxDepth, maxValues, maxText int
	// values is the number of values so far.
	values int

	// fault is why the scan stopped, and at is where.
	fault fault
	at    int
}

// fault is why a scan stopped.
type fault uint8

const (
	faultNone fault = iota
	faultSyntax
	faultEnd
	faultEncoding
	faultDepth
	faultValues
	faultText
	// faultSize is set by the caller: the source was cut at the largest size of an item.
	faultSize
)

// stopped is the position that a scan returns after a fault.
const stopped = -1

// scan reads the value at the beginning of src and returns where it ends, or stopped.
func (s *scanner) scan(src []byte) int { return s.scanAt(src, 1) }

// scanAt is scan for a value at a depth in its item.
func (s *scanner) scanAt(src []byte, depth int) int {
	s.src, s.tokens, s.fault, s.at = src, s.tokens[:0], faultNone, 0
	s.values = -1
	return s.value(0, depth)
}

func (s *scanner) fail(f fault, at int) int {
	if f == faultSyntax && at >= len(s.src) {
		f = faultEnd
	}
	s.fault, s.at = f, at
	return stopped
}

func (s *scanner) value(i, depth int) int {
	i = skipSpace(s.src, i)
	if s.values++; s.values > s.maxValues {
		return s.fail(faultValues, i)
	}
	switch at(s.src, i) {
	case '"':
		return s.text(i)
	case '{':
		return s.object(i, depth)
	case '[':
		return s.array(i, depth)
	case 'n':
		return s.word(i, "null", kindNull)
	case 't':
		return s.word(i, "true", kindTrue)
	case 'f':
		return s.word(i, "false", kindFalse)
	}
	return s.number(i)
}

func (s *scanner) object(i, depth int) int {
	if depth > s.maxDepth {
		return s.fail(faultDepth, i)
	}
	own := len(s.tokens)
	s.tokens = append(s.tokens, token{kind: kindObject})
	size := uint32(0)
	i = skipSpace(s.src, i+1)
	if at(s.src, i) == '}' {
		s.tokens[own].next = uint32(own) + 1
		return i + 1
	}
	for {
		if at(s.src, i) != '"' {
			return s.fail(faultSyntax, i)
		}
		if i = s.text(i); i == stopped {
			return stopped
		}
		if i = skipSpace(s.src, i); at(s.src, i) != ':' {
			return s.fail(faultSyntax, i)
		}
		if i = s.value(i+1, depth+1); i == stopped {
			return stopped
		}
		size++
		i = skipSpace(s.src, i)
		switch at(s.src, i) {
		case ',':
			i = skipSpace(s.src, i+1)
		case '}':
			s.tokens[own].size, s.tokens[own].next = size, uint32(len(s.tokens))
			return i + 1
		default:
			return s.fail(faultSyntax, i)
		}
	}
}

func (s *scanner) array(i, depth int) int {
	if depth > s.maxDepth {
		return s.fail(faultDepth, i)
	}
	own := len(s.tokens)
	s.tokens = append(s.tokens, token{kind: kindArray})
	size := uint32(0)
	i = skipSpace(s.src, i+1)
	if at(s.src, i) == ']' {
		s.tokens[own].next = uint32(own) + 1
		return i + 1
	}
	for {
		if i = s.value(i, depth+1); i == stopped {
			return stopped
		}
		size++
		i = skipSpace(s.src, i)
		switch at(s.src, i) {
		case ',':
			i++
		case ']':
			s.tokens[own].size, s.tokens[own].next = size, uint32(len(s.tokens))
			return i + 1
		default:
			return s.fail(faultSyntax, i)
		}
	}
}

func (s *scanner) word(i int, word string, k kind) int {
	for n := range len(word) {
		if at(s.src, i+n) != word[n] {
			return s.fail(faultSyntax, i+n)
		}
	}
	s.tokens = append(s.tokens, token{kind: k})
	return i + len(word)
}

// number follows RFC 8259: no leading zeros, no plus, no point without digits, no NaN.
func (s *scanner) number(i int) int {
	start, k := i, kindInteger
	if at(s.src, i) == '-' {
		i++
	}
	if at(s.src, i) == '0' {
		i++
	} else {
		end := skipDigits(s.src, i)
		if end == i {
			return s.fail(faultSyntax, i)
		}
		i = end
	}
	if at(s.src, i) == '.' {
		k = kindFloat
		end := skipDigits(s.src, i+1)
		if end == i+1 {
			return s.fail(faultSyntax, end)
		}
		i = end
	}
	if c := at(s.src, i); c == 'e' || c == 'E' {
		k = kindFloat
		i++
		if c := at(s.src, i); c == '+' || c == '-' {
			i++
		}
		end := skipDigits(s.src, i)
		if end == i {
			return s.fail(faultSyntax, end)
		}
		i = end
	}
	s.tokens = append(s.tokens, token{kind: k, start: uint32(start), end: uint32(i)})
	return i
}

const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// text reads eight bytes at a time up to the next one that is a quote, a backslash or a control character.
func (s *scanner) text(i int) int {
	src := s.src
	start := i + 1
	i = start
	escaped := false
	var seen uint64
	for {
		for i+8 <= len(src) {
			word := binary.LittleEndian.Uint64(src[i:])
			quote, slash := word^('"'*ones), word^('\\'*ones)
			// The lowest high bit marks the first byte of interest; bits above it may be false (a borrow). Bytes beyond
			// ASCII never match, because their own high bit is set.
			found := ((quote-ones)&^quote | (slash-ones)&^slash | (word-' '*ones)&^word) & highs
			seen |= word
			if found != 0 {
				i += bits.TrailingZeros64(found) / 8
				break
			}
			i += 8
		}
		for i < len(src) && src[i] != '"' && src[i] != '\\' && src[i] >= ' ' {
			seen |= uint64(src[i])
			i++
		}
		switch at(src, i) {
		case '"':
			// seen may include bytes after the quote: then the check is redundant, not wrong.
			if i-start > s.maxText {
				return s.fail(faultText, start)
			}
			if seen&highs != 0 && !utf8.Valid(src[start:i]) {
				return s.fail(faultEncoding, start)
			}
			s.tokens = append(s.tokens, token{kind: kindText, escaped: escaped, start: uint32(start), end: uint32(i)})
			return i + 1
		case '\\':
			escaped = true
			if i = s.escape(i); i == stopped {
				return stopped
			}
		default:
			return s.fail(faultSyntax, i)
		}
	}
}

// escape checks the escape sequence at i and returns where it ends.
func (s *scanner) escape(i int) int {
	switch at(s.src, i+1) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		for n := i + 2; n < i+6; n++ {
			if !isHex(at(s.src, n)) {
				return s.fail(faultSyntax, n)
			}
		}
		return i + 6
	}
	return s.fail(faultSyntax, i+1)
}

// at returns the byte at i, or 0 after the end, which JSON never has outside of strings.
func at(src []byte, i int) byte {
	if i < len(src) {
		return src[i]
	}
	return 0
}

func skipSpace(src []byte, i int) int {
	for i < len(src) && isSpace(src[i]) {
		i++
	}
	return i
}

func skipDigits(src []byte, i int) int {
	for i < len(src) && isDigit(src[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

func isDigit(c byte) bool { return c-'0' < 10 }

func isHex(c byte) bool { return isDigit(c) || (c|0x20)-'a' < 6 }
