// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle

import (
	"encoding/hex"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Offsets within a traceparent of version 00: version, trace ID, span ID and flags, separated by dashes.
const (
	traceAt           = 3
	spanAt            = 36
	flagsAt           = 53
	traceparentLength = 55
)

// Traceparent returns the W3C traceparent of a sampled context.
func Traceparent(trace pcommon.TraceID, span pcommon.SpanID) string {
	room := [traceparentLength]byte{'0', '0', traceAt - 1: '-', spanAt - 1: '-', flagsAt - 1: '-', flagsAt: '0', '1'}
	hex.Encode(room[traceAt:spanAt-1], trace[:])
	hex.Encode(room[spanAt:flagsAt-1], span[:])
	return string(room[:])
}

// ParseTraceparent returns the trace and span ID of a W3C traceparent. If ok is true, neither is zero.
func ParseTraceparent(header string) (trace pcommon.TraceID, span pcommon.SpanID, ok bool) {
	if len(header) < traceparentLength || header[traceAt-1] != '-' || header[spanAt-1] != '-' || header[flagsAt-1] != '-' {
		return trace, span, false
	}
	if _, err := hex.Decode(trace[:], []byte(header[traceAt:spanAt-1])); err != nil {
		return trace, span, false
	}
	if _, err := hex.Decode(span[:], []byte(header[spanAt:flagsAt-1])); err != nil {
		return trace, span, false
	}
	return trace, span, !trace.IsEmpty() && !span.IsEmpty()
}
