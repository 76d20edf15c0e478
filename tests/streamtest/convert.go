// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package streamtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Line is an item of a stream, with its payload as JSON.
type Line struct {
	Event         string          `json:"event"`
	OccurredAt    time.Time       `json:"occurred_at"`
	Service       string          `json:"service"`
	CorrelationID string          `json:"correlation_id"`
	Payload       json.RawMessage `json:"payload"`
}

// ReadLine parses a line of a stream.
func ReadLine(line []byte) (item Line, err error) {
	if err := json.Unmarshal(line, &item); err != nil {
		return Line{}, fmt.Errorf("line %.80q: %w", line, err)
	}
	return item, nil
}

// ToLogs returns the OTLP logs that an application with an OpenTelemetry SDK would send for the lines: one record per
// event, named prefix + event, with the attributes tasker.KEY and without a trace ID. All lines must be of one service. The
// caller owns the logs.
func ToLogs(lines [][]byte, prefix string) (plog.Logs, error) {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	records.EnsureCapacity(len(lines))
	for _, line := range lines {
		item, err := ReadLine(line)
		if err != nil {
			return plog.Logs{}, err
		}
		payload, err := decodePayload(item.Payload)
		if err != nil {
			return plog.Logs{}, fmt.Errorf("line %.80q: %w", line, err)
		}
		rl.Resource().Attributes().PutStr(lifecycle.AttrServiceName, item.Service)
		record := records.AppendEmpty()
		record.SetEventName(prefix + item.Event)
		record.SetTimestamp(pcommon.NewTimestampFromTime(item.OccurredAt))
		record.Attributes().PutStr(lifecycle.AttrCorrelationID, item.CorrelationID)
		for _, key := range slices.Sorted(maps.Keys(payload)) { // SDKs keep the order of a payload, too
			value := payload[key]
			if value == nil {
				continue
			}
			if err := record.Attributes().PutEmpty(lifecycle.AttributePrefix + key).FromRaw(value); err != nil {
				return plog.Logs{}, fmt.Errorf("payload key %q: %w", key, err)
			}
		}
	}
	return ld, nil
}

// decodePayload distinguishes integers from floats, unlike encoding/json.
func decodePayload(text []byte) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var payload map[string]any
	if err := decoder.Decode(&payload); err != nil {
		return nil, err
	}
	for key, value := range payload {
		payload[key] = plain(value)
	}
	return payload, nil
}

func plain(value any) any {
	switch v := value.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = plain(v[key])
		}
	}
	return value
}
