// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// line is a record as one line of JSON, in a readable order. The first fields are those of Tasker's own structured log.
type line struct {
	Timestamp           string         `json:"timestamp"`
	Level               string         `json:"level"`
	CorrelationID       string         `json:"correlation_id,omitempty"`
	Component           string         `json:"component,omitempty"`
	Message             string         `json:"message"`
	EntityType          string         `json:"entity_type,omitempty"`
	EntityID            string         `json:"entity_id,omitempty"`
	EntityName          string         `json:"entity_name,omitempty"`
	EventType           string         `json:"event_type,omitempty"`
	DurationMS          float64        `json:"duration_ms,omitempty"`
	PerformanceCategory string         `json:"performance_category,omitempty"`
	ExceptionClass      string         `json:"exception_class,omitempty"`
	Backtrace           any            `json:"backtrace,omitempty"`
	Event               string         `json:"event"`
	Service             string         `json:"service,omitempty"`
	Namespace           string         `json:"namespace,omitempty"`
	TraceID             string         `json:"trace_id,omitempty"`
	SpanID              string         `json:"span_id,omitempty"`
	UID                 string         `json:"uid,omitempty"`
	Payload             map[string]any `json:"payload,omitempty"`
}

// toLine moves the whole record into its body.
func toLine(record plog.LogRecord, resource pcommon.Map, f fields) {
	attrs := record.Attributes()
	l := line{
		Timestamp:           record.Timestamp().AsTime().Format(time.RFC3339Nano),
		Level:               strings.ToLower(record.SeverityText()),
		CorrelationID:       eventrecord.Text(attrs, lifecycle.AttrCorrelationID),
		Component:           f.component,
		Message:             record.Body().AsString(),
		EntityType:          f.entityType,
		EntityID:            f.entityID,
		EntityName:          f.entityName,
		EventType:           f.eventType,
		DurationMS:          f.durationMS,
		PerformanceCategory: f.performanceCategory,
		ExceptionClass:      f.exceptionClass,
		Event:               record.EventName(),
		Service:             eventrecord.Text(resource, lifecycle.AttrServiceName),
		Namespace:           eventrecord.Text(resource, lifecycle.AttrServiceNamespace),
		TraceID:             record.TraceID().String(),
		SpanID:              record.SpanID().String(),
		UID:                 eventrecord.Text(attrs, lifecycle.AttrRecordUID),
		Payload:             map[string]any{},
	}
	listBacktrace(attrs)
	for key, value := range attrs.All() {
		switch key {
		case lifecycle.AttrCorrelationID, lifecycle.AttrEventType, lifecycle.AttrExceptionClass, lifecycle.AttrRecordUID, lifecycle.AttrDurationMS:
		case lifecycle.AttrBacktrace:
			l.Backtrace = plain(value)
		default:
			l.Payload[strings.TrimPrefix(key, lifecycle.AttributePrefix)] = plain(value)
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	// This cannot fail: plain has converted all values to JSON types.
	_ = encoder.Encode(l)
	record.Body().SetStr(strings.TrimSuffix(text.String(), "\n"))
	attrs.Clear()
}

// plain converts a value for encoding/json: numbers without a JSON form become strings.
func plain(value pcommon.Value) any {
	switch value.Type() {
	case pcommon.ValueTypeMap:
		members := make(map[string]any, value.Map().Len())
		for key, member := range value.Map().All() {
			members[key] = plain(member)
		}
		return members
	case pcommon.ValueTypeSlice:
		elements := make([]any, 0, value.Slice().Len())
		for _, element := range value.Slice().All() {
			elements = append(elements, plain(element))
		}
		return elements
	case pcommon.ValueTypeDouble:
		if math.IsNaN(value.Double()) || math.IsInf(value.Double(), 0) {
			return value.AsString()
		}
	}
	return value.AsRaw()
}
