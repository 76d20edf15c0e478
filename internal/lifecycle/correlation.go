// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// CorrelationSuffix is the end of the generated correlation IDs of a task: six characters of [0-9A-Za-z], the number in the
// first 8 bytes (big endian) of
//
//	SHA-256("tasker/1" NUL "correlation" NUL trace id (16 bytes))
//
// written in base 62, lowest digit first. All passes of a task share it, so that a search for it finds everything that was
// generated for the task.
type CorrelationSuffix [6]byte

// CorrelationSuffixOf returns the suffix for a task's computed trace ID.
func CorrelationSuffixOf(trace pcommon.TraceID) (suffix CorrelationSuffix) {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var room [64]byte
	text := append(room[:0], identityVersion...)
	text = append(text, separator)
	text = append(text, "correlation"...)
	text = append(text, separator)
	text = append(text, trace[:]...)
	sum := sha256.Sum256(text)
	number := binary.BigEndian.Uint64(sum[:8])
	for i := range suffix {
		suffix[i] = digits[number%uint64(len(digits))]
		number /= uint64(len(digits))
	}
	return suffix
}

// At returns a correlation ID in Tasker's form for something that began at that time, in Unix nanoseconds, without one:
// tsk_, the milliseconds in base 36, and the suffix. It is a function of its inputs only.
func (s CorrelationSuffix) At(begin int64) string {
	var room [32]byte
	text := append(room[:0], "tsk_"...)
	text = strconv.AppendInt(text, max(begin, 0)/int64(time.Millisecond), 36)
	text = append(text, '_')
	return string(append(text, s[:]...))
}
