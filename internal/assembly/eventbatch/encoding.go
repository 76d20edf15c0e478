// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventbatch

import (
	"encoding/binary"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
)

// All but the texts is ASCII, so that a batch is as valid UTF-8 as the texts of its events.
const (
	// A word has seven bits per byte, the low ones first.
	wordBits    = 7
	wordMask    = 1<<wordBits - 1
	word64Bytes = 10
	word32Bytes = 5
	// A number of variable length has six bits per byte, the low ones first, and one that says that more follow.
	numberBits = 6
	numberMask = 1<<numberBits - 1
	numberMore = 1 << numberBits
	maxNumber  = 11
)

func putWord(to []byte, word uint64) {
	for i := range to {
		to[i] = byte(word & wordMask)
		word >>= wordBits
	}
}

// word returns false for one that putWord does not write.
func word(from string) (word uint64, ok bool) {
	for i := len(from) - 1; i >= 0; i-- {
		if from[i] > wordMask || i == word64Bytes-1 && from[i] > 1 {
			return 0, false
		}
		word = word<<wordBits | uint64(from[i])
	}
	return word, true
}

func appendWord64(b []byte, word uint64) []byte {
	b = append(b, make([]byte, word64Bytes)...)
	putWord(b[len(b)-word64Bytes:], word)
	return b
}

func putTrace(to []byte, trace event.TraceID) {
	putWord(to[:word64Bytes], binary.LittleEndian.Uint64(trace[:8]))
	putWord(to[word64Bytes:][:word64Bytes], binary.LittleEndian.Uint64(trace[8:]))
}

func traceID(from string) (trace event.TraceID, ok bool) {
	low, ok := word(from[:word64Bytes])
	high, also := word(from[word64Bytes:traceBytes])
	binary.LittleEndian.PutUint64(trace[:8], low)
	binary.LittleEndian.PutUint64(trace[8:], high)
	return trace, ok && also
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

func appendText(b []byte, text string) []byte {
	return append(appendUint(b, uint64(len(text))), text...)
}

func appendTexts(b []byte, texts []string) []byte {
	b = appendUint(b, uint64(len(texts)))
	for _, text := range texts {
		b = appendText(b, text)
	}
	return b
}
