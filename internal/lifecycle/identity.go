// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// identityVersion begins every hashed text. It changes only with the rules below, since then all IDs change.
const identityVersion = "tasker/1"

// separator terminates every field of a hashed text. Fields contain no NUL.
const separator = 0

// TraceID returns the trace ID of a task: the first 16 bytes of
//
//	SHA-256("tasker/1" NUL "trace" NUL namespace NUL service NUL task_id NUL)
//
// with service.namespace, service.name and the task's ID as text (an integer in decimal, a UUID unchanged). Any program can
// compute it, so that an application can link to the trace of a task it has just created.
func TraceID(namespace, service, taskID string) pcommon.TraceID {
	var room [192]byte
	text := room[:0]
	for _, field := range [...]string{identityVersion, "trace", namespace, service, taskID} {
		text = append(text, field...)
		text = append(text, separator)
	}
	sum := sha256.Sum256(text)
	return pcommon.TraceID(sum[:16])
}

// SpanID returns the ID of a span within a trace: the first 8 bytes of
//
//	SHA-256("tasker/1" NUL "span" NUL trace id (16 bytes) level NUL id NUL begin (8 bytes, big endian))
//
// level is the span's name, id is the step's ID or empty, and begin is the span's start in Unix nanoseconds. The attempt
// number is not used because an operator can reset it.
func SpanID(trace pcommon.TraceID, level, id string, begin int64) pcommon.SpanID {
	var room [192]byte
	sum := sha256.Sum256(appendSpan(room[:0], trace, level, id, begin))
	return pcommon.SpanID(sum[:8])
}

// appendSpan appends the text of which a span's ID is the hash.
func appendSpan(text []byte, trace pcommon.TraceID, level, id string, begin int64) []byte {
	text = append(text, identityVersion+"\x00span\x00"...)
	text = append(text, trace[:]...)
	text = append(text, level...)
	text = append(text, separator)
	text = append(text, id...)
	text = append(text, separator)
	return binary.BigEndian.AppendUint64(text, uint64(begin))
}

// SpanIDs computes span IDs as [SpanID] does, without allocating memory for each. The zero value is ready for use. It is not safe for
// concurrent use.
type SpanIDs struct {
	hash      hash.Hash
	text, sum []byte
}

// Of returns the ID of a span.
func (s *SpanIDs) Of(trace pcommon.TraceID, level, id string, begin int64) pcommon.SpanID {
	if s.hash == nil {
		s.hash = sha256.New()
	}
	s.text = appendSpan(s.text[:0], trace, level, id, begin)
	s.hash.Reset()
	_, _ = s.hash.Write(s.text) // a hash returns no error
	s.sum = s.hash.Sum(s.sum[:0])
	return pcommon.SpanID(s.sum[:8])
}
