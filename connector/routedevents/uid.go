// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"encoding/hex"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// uid identifies the record of a fact. It is derived from the fact, so that a record repeated by a crash or an exporter's retry has
// the same one: stores that support log.record.uid keep it once.
type uid [16]byte

// key identifies a fact. Zero means none.
func (u uid) key() uint64 {
	var key uint64
	for _, b := range u[8:] {
		key = key<<8 | uint64(b)
	}
	return max(1, key)
}

func (u uid) String() string { return hex.EncodeToString(u[:]) }

// newUID hashes delimited parts.
func newUID(parts ...string) uid {
	var room [256]byte
	text := append(room[:0], "tasker/1"...)
	for _, part := range parts {
		text = append(append(text, 0), part...)
	}
	return xxh3.Hash128(text).Bytes()
}

func uidOfStart(task pcommon.TraceID) uid { return newUID(lifecycle.TaskStarted, string(task[:])) }

func uidOfSpan(fact string, span ptrace.Span) uid {
	trace, id := span.TraceID(), span.SpanID()
	return newUID(fact, string(trace[:]), string(id[:]))
}

// uidOfEvent is derived from the event's identity, which does not include its application.
func uidOfEvent(event plog.LogRecord, resource pcommon.Map) uid {
	id := eventID(event)
	return newUID(event.EventName(), eventrecord.Text(resource, lifecycle.AttrServiceNamespace), eventrecord.Text(resource, lifecycle.AttrServiceName), string(id[:]))
}
