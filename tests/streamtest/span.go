// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package streamtest

import (
	"encoding/hex"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Span is a span in a form for comparisons.
type Span struct {
	TraceID          [16]byte
	SpanID, ParentID [8]byte
	Name             string
	Start, End       int64  // Unix nanoseconds
	Status           string // ok, error or unset
	Message          string
	Attributes       map[string]any
	Links            []Link
	Events           []SpanEvent
	Service, Scope   string
}

// Link is a span link.
type Link struct {
	TraceID [16]byte
	SpanID  [8]byte
}

// SpanEvent is a span event.
type SpanEvent struct {
	Name       string
	At         int64
	Attributes map[string]any
}

// StatusUnset is the unset status; the others are [OutcomeOK] and [OutcomeError].
const StatusUnset = "unset"

// TraceText returns the trace id in hexadecimal.
func (s *Span) TraceText() string { return hex.EncodeToString(s.TraceID[:]) }

// SpanText returns the span id in hexadecimal.
func (s *Span) SpanText() string { return hex.EncodeToString(s.SpanID[:]) }

func (s *Span) text(key string) string {
	v, _ := s.Attributes[key].(string)
	return v
}

func (s *Span) integer(key string) (int64, bool) {
	v, ok := s.Attributes[key].(int64)
	return v, ok
}

// FromTraces copies all spans.
func FromTraces(td ptrace.Traces) []Span {
	spans := make([]Span, 0, td.SpanCount())
	for _, rs := range td.ResourceSpans().All() {
		service, _ := rs.Resource().Attributes().Get("service.name")
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				s := fromSpan(span)
				s.Service, s.Scope = service.Str(), ss.Scope().Name()
				spans = append(spans, s)
			}
		}
	}
	return spans
}

func fromSpan(span ptrace.Span) Span {
	s := Span{
		TraceID: span.TraceID(), SpanID: span.SpanID(), ParentID: span.ParentSpanID(), Name: span.Name(),
		Start: int64(span.StartTimestamp()), End: int64(span.EndTimestamp()),
		Status: StatusUnset, Message: span.Status().Message(), Attributes: span.Attributes().AsRaw(),
	}
	switch span.Status().Code() {
	case ptrace.StatusCodeOk:
		s.Status = OutcomeOK
	case ptrace.StatusCodeError:
		s.Status = OutcomeError
	}
	for _, link := range span.Links().All() {
		s.Links = append(s.Links, Link{link.TraceID(), link.SpanID()})
	}
	for _, event := range span.Events().All() {
		s.Events = append(s.Events, SpanEvent{event.Name(), int64(event.Timestamp()), event.Attributes().AsRaw()})
	}
	return s
}
