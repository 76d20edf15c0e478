// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"hash/maphash"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

const (
	// maxShared is the longest string that is cached. Names, states, ids and times are shorter.
	maxShared = 48
	// sharedTexts and sharedKeys are powers of two. Together they keep at most about 150 KB.
	sharedTexts = 2048
	sharedKeys  = 512
)

// texts copies strings out of a body. Short ones are cached by their hash, the last one per slot, because a stream repeats the same
// names: most strings then cost no allocation. One goroutine uses it at a time.
type texts struct {
	seed maphash.Seed
	// keys have the prefix of attributes.
	keys  [sharedKeys]string
	short [sharedTexts]string
	// room is the buffer for resolved escapes.
	room []byte
}

func newTexts() texts { return texts{seed: maphash.MakeSeed()} }

// shared returns the text as a string of its own, cached if short.
func (t *texts) shared(text []byte) string {
	if len(text) > maxShared {
		return string(text)
	}
	return t.sharedAt(maphash.Bytes(t.seed, text), text)
}

// sharedAt is shared for a text with a known hash.
func (t *texts) sharedAt(hash uint64, text []byte) string {
	if len(text) > maxShared {
		return string(text)
	}
	place := &t.short[hash%sharedTexts]
	if *place != string(text) {
		*place = string(text)
	}
	return *place
}

// attribute returns the attribute's key for a payload's key.
func (t *texts) attribute(key []byte) string {
	if len(key) > maxShared {
		return lifecycle.AttributePrefix + string(key)
	}
	place := &t.keys[maphash.Bytes(t.seed, key)%sharedKeys]
	if *place == "" || (*place)[len(lifecycle.AttributePrefix):] != string(key) {
		*place = lifecycle.AttributePrefix + string(key)
	}
	return *place
}

// resolve replaces the escapes of a string that the scanner has checked. The result is valid until the next call. Half of a
// surrogate pair becomes U+FFFD, as in encoding/json.
func (t *texts) resolve(text []byte) []byte {
	out := t.room[:0]
	for i := 0; i < len(text); {
		c := text[i]
		if c != '\\' {
			out = append(out, c)
			i++
			continue
		}
		c = text[i+1]
		i += 2
		switch c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r := hex4(text[i:])
			i += 4
			if utf16.IsSurrogate(r) {
				pair := utf8.RuneError
				if i+6 <= len(text) && text[i] == '\\' && text[i+1] == 'u' {
					pair = utf16.DecodeRune(r, hex4(text[i+2:]))
				}
				if r = pair; r != utf8.RuneError {
					i += 6
				}
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, c)
		}
	}
	t.room = out
	return out
}

func hex4(s []byte) rune {
	var r rune
	for _, c := range s[:4] {
		digit := c - '0'
		if digit > 9 {
			digit = (c | 0x20) - 'a' + 10
		}
		r = r<<4 | rune(digit)
	}
	return r
}
