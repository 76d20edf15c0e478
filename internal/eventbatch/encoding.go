// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventbatch

import (
	"encoding/binary"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// All but the texts is ASCII, so that a batch is as valid UTF-8 as the texts of its events.
const (
	// A word has seven bits per byte, the low ones first.
	wordBits  = 7
	wordMask  = 1<<wordBits - 1
	wordBytes = 10
	highBit   = 0x80
	highBits  = 0x8080808080808080
	// lowBits are the bits of a word in its first eight bytes.
	lowBits = 8 * wordBits
	// A number of variable length has six bits per byte, the low ones first, and one that says that more follow.
	numberBits = 6
	numberMask = 1<<numberBits - 1
	numberMore = 1 << numberBits
	maxNumber  = 11
)

// spread moves the low 56 bits of a word apart, to seven bits per byte.
func spread(word uint64) uint64 {
	word = word&0x000000000fffffff | word&0x00fffffff0000000<<4
	word = word&0x00003fff00003fff | word&0x0fffc0000fffc000<<2
	return word&0x007f007f007f007f | word&0x3f803f803f803f80<<1
}

// gather is the inverse of spread.
func gather(word uint64) uint64 {
	word = word&0x007f007f007f007f | word&0x7f007f007f007f00>>1
	word = word&0x00003fff00003fff | word&0x3fff00003fff0000>>2
	return word&0x000000000fffffff | word&0x0fffffff00000000>>4
}

func putWord(to []byte, word uint64) {
	_ = to[wordBytes-1]
	binary.LittleEndian.PutUint64(to, spread(word))
	to[8], to[9] = byte(word>>lowBits)&wordMask, byte(word>>(lowBits+wordBits))
}

// eightBytes returns the first bytes of a word.
func eightBytes(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// lowWord returns the low bits of a word, or false for bytes that putWord does not write.
func lowWord(s string) (low uint64, ok bool) {
	low = eightBytes(s)
	return gather(low), low&highBits == 0
}

// word returns false for one that putWord does not write.
func word(s string) (word uint64, ok bool) {
	_ = s[wordBytes-1]
	return gather(eightBytes(s)) | uint64(s[8])<<lowBits | uint64(s[9])<<(lowBits+wordBits), isWord(s)
}

// isWord returns false for a word that putWord does not write.
func isWord(s string) bool {
	_ = s[wordBytes-1]
	return eightBytes(s)&highBits == 0 && s[8] < highBit && s[9] <= 1
}

// headWords returns the words with which the head of an event ends, as word does: trace id, identity and time.
func headWords(s string) (words [headWordCount]uint64, ok bool) {
	low, last := uint64(0), byte(0)
	for i := range words {
		b := s[i*wordBytes : (i+1)*wordBytes]
		eight := eightBytes(b)
		words[i] = gather(eight) | uint64(b[8])<<lowBits | uint64(b[9])<<(lowBits+wordBits)
		low, last = low|eight|uint64(b[8]), last|b[9]
	}
	return words, low&highBits == 0 && last <= 1
}

func appendWord(b []byte, word uint64) []byte {
	b = append(b, make([]byte, wordBytes)...)
	putWord(b[len(b)-wordBytes:], word)
	return b
}

func putTrace(to []byte, trace pcommon.TraceID) {
	putWord(to, binary.LittleEndian.Uint64(trace[:8]))
	putWord(to[wordBytes:], binary.LittleEndian.Uint64(trace[8:]))
}

func traceID(from string) (trace pcommon.TraceID, ok bool) {
	low, ok := word(from)
	high, also := word(from[wordBytes:])
	binary.LittleEndian.PutUint64(trace[:8], low)
	binary.LittleEndian.PutUint64(trace[8:], high)
	return trace, ok && also
}

// putSmall writes a number that has seven bits for each byte.
func putSmall(to []byte, n int) {
	for i := range to {
		to[i] = byte(n & wordMask)
		n >>= wordBits
	}
}

func small(from string) (n int, ok bool) {
	for i := len(from) - 1; i >= 0; i-- {
		if from[i] >= highBit {
			return 0, false
		}
		n = n<<wordBits | int(from[i])
	}
	return n, true
}

func appendUint(b []byte, n uint64) []byte {
	for n > numberMask {
		b = append(b, byte(n&numberMask|numberMore))
		n >>= numberBits
	}
	return append(b, byte(n))
}

// appendInt appends a number that may be negative, with its sign as the lowest bit.
func appendInt(b []byte, n int64) []byte { return appendUint(b, uint64(n)<<1^uint64(n>>63)) }

func appendText[T string | []byte](b []byte, text T) []byte {
	return append(appendUint(b, uint64(len(text))), text...)
}
