// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"bytes"
	"encoding/json"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/wire"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// BenchmarkDecode measures whole bodies, as they arrive. Its figures are those of one event.
func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"mixed", "planned", "real/linear5", "real/retry"} {
		body := stream(b, name)
		decoder := wire.NewDecoder(wire.Settings{})
		b.Run(name, func(b *testing.B) {
			perEvent(b, body, func() int {
				_, report := decoder.Decode(body, wire.FormatNDJSON)
				return report.Accepted
			})
		})
	}
}

// BenchmarkDecodeUsed is BenchmarkDecode with the settings of config.yaml, with and without batches, and for OTLP logs.
func BenchmarkDecodeUsed(b *testing.B) {
	body := stream(b, "mixed")
	logs, err := streamtest.ToLogs(bytes.Split(bytes.TrimSpace(body), []byte{'\n'}), "")
	require.NoError(b, err)
	request := exportRequest(b, logs)
	for name, batch := range map[string]bool{"single": false, "batched": true} {
		decoder := wire.NewDecoder(wire.Settings{LeaveOut: lifecycle.BulkyPayloadKeys(), Unused: lifecycle.UnusedPayloadKeys(), Batch: batch})
		b.Run("ndjson/"+name, func(b *testing.B) {
			perEvent(b, body, func() int {
				_, report := decoder.Decode(body, wire.FormatNDJSON)
				return report.Accepted
			})
		})
		b.Run("otlp/"+name, func(b *testing.B) {
			perEvent(b, request, func() int {
				_, report, _ := decoder.DecodeOTLP(request)
				return report.Accepted
			})
		})
	}
}

// BenchmarkEncodingJSON measures the standard library decoding each item into a map, and the map into a log record.
func BenchmarkEncodingJSON(b *testing.B) {
	body := stream(b, "mixed")
	lines := bytes.Split(bytes.TrimSpace(body), []byte{'\n'})
	b.Run("map", func(b *testing.B) {
		perEvent(b, body, func() int {
			for _, line := range lines {
				var item map[string]any
				if err := json.Unmarshal(line, &item); err != nil {
					b.Fatal(err)
				}
			}
			return len(lines)
		})
	})
	b.Run("map_and_record", func(b *testing.B) {
		perEvent(b, body, func() int {
			records := plog.NewLogs().ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
			for _, line := range lines {
				var item map[string]any
				if err := json.Unmarshal(line, &item); err != nil {
					b.Fatal(err)
				}
				if err := records.AppendEmpty().Attributes().FromRaw(item["payload"].(map[string]any)); err != nil {
					b.Fatal(err)
				}
			}
			return len(lines)
		})
	})
}

// perEvent reports the cost per event of the number that decode returns.
func perEvent(b *testing.B, body []byte, decode func() int) {
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	events := 0
	for b.Loop() {
		events += decode()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	once := float64(decode())
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/once, "B/event")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/once, "allocs/event")
}
