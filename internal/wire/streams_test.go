// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/wire"
)

const streams = "../../tests/streamtest/testdata"

func stream(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(streams, name+".ndjson"))
	require.NoError(t, err)
	return body
}

func records(logs plog.Logs) []plog.LogRecord {
	var all []plog.LogRecord
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				all = append(all, record)
			}
		}
	}
	return all
}

// Every stream gives the same result with this decoder and with encoding/json.
func TestStreams(t *testing.T) {
	for _, name := range []string{"order_processing", "mixed", "planned", "real/linear5", "real/retry"} {
		t.Run(name, func(t *testing.T) {
			body := stream(t, name)
			lines := bytes.Split(bytes.TrimSpace(body), []byte{'\n'})
			far := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
			decoder := wire.NewDecoder(wire.Settings{Now: func() time.Time { return far }})

			logs, report := decoder.Decode(body, wire.FormatNDJSON)
			require.Equal(t, wire.Report{Accepted: len(lines)}, report)
			require.Equal(t, 1, logs.ResourceLogs().Len())
			require.Equal(t, map[string]any{"service.name": "shop"}, logs.ResourceLogs().At(0).Resource().Attributes().AsRaw())

			for i, record := range records(logs) {
				sameAsEncodingJSON(t, lines[i], record)
			}

			array := append(append([]byte{'['}, bytes.Join(lines, []byte{',', '\n'})...), ']')
			for _, other := range [][]byte{array, body, bytes.TrimSpace(body)} {
				again, report := decoder.Decode(other, wire.FormatAuto)
				assert.Equal(t, len(lines), report.Accepted)
				assert.Equal(t, marshal(t, logs), marshal(t, again), "the format does not matter")
			}
		})
	}
}

func marshal(t testing.TB, logs plog.Logs) string {
	t.Helper()
	text, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	require.NoError(t, err)
	return string(text)
}

func sameAsEncodingJSON(t testing.TB, line []byte, record plog.LogRecord) {
	t.Helper()
	var item struct {
		Event         string
		OccurredAt    time.Time `json:"occurred_at"`
		CorrelationID *string   `json:"correlation_id"`
		Payload       map[string]any
	}
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&item))

	want := map[string]any{}
	for key, value := range item.Payload {
		if value != nil {
			want[lifecycle.AttributePrefix+key] = plain(t, value)
		}
	}
	if item.CorrelationID != nil && item.Payload["correlation_id"] == nil {
		want[lifecycle.AttrCorrelationID] = *item.CorrelationID
	}
	require.Equal(t, want, attributesOf(record))
	require.Equal(t, item.Event, record.EventName())
	require.Equal(t, item.OccurredAt.UnixNano(), int64(record.Timestamp()))
	require.Equal(t, plog.SeverityNumber(lifecycle.SeverityOf(item.Event)), record.SeverityNumber())
	if id, ok := item.Payload["task_id"].(json.Number); ok {
		require.Equal(t, lifecycle.TraceID("", "shop", id.String()), record.TraceID())
	}
	require.NotEmpty(t, record.Body().Str())
}

// plain returns the value as in attributes.
func plain(t testing.TB, value any) any {
	t.Helper()
	switch value := value.(type) {
	case json.Number:
		if n, err := value.Int64(); err == nil {
			return n
		}
		f, err := value.Float64()
		require.NoError(t, err)
		return f
	case map[string]any:
		m := map[string]any{}
		for key, member := range value {
			if member != nil {
				m[key] = plain(t, member)
			}
		}
		return m
	case []any:
		list := make([]any, 0, len(value))
		for _, member := range value {
			list = append(list, plain(t, member))
		}
		return list
	}
	return value
}
