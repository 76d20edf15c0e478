// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

const (
	benchTasks       = 3000
	benchConnections = 4
	benchBatch       = 500
	// benchRounds is the number of alternating rounds within one run of a benchmark.
	benchRounds = 3
	// floorAttributes is the number of attributes per record in the floor's requests.
	floorAttributes = 10
)

// BenchmarkProcess measures the CPU time per event of the whole process: NDJSON in, spans and metrics out. The floor for
// comparison is the stock OTLP receiver, which drops the same events, sent as OTLP protobuf with ten attributes each. Both
// are the same binary, receive preencoded uncompressed bodies over the same number of connections, and alternate, so that
// both see the same noise of the machine. The CPU time is that from the end of startup to the exit, including the final
// flush.
//
//	otlp  spans are exported over OTLP to another process
//	nop   spans are dropped: the cost of the collector itself
//
// With TASKER_PROFILES, a directory, each of our processes writes its CPU profile there (make profile).
//
// µs/event and floor-µs/event are means over the rounds, ratio is their quotient.
func BenchmarkProcess(b *testing.B) {
	lines, _ := streamtest.Generate(streamtest.Options{Tasks: benchTasks, Seed: 21, Failures: true})
	var bodies, floor [][]byte
	for _, batch := range streamtest.Batches(lines, benchBatch) {
		bodies = append(bodies, bytes.Join(batch, []byte("\n")))
		floor = append(floor, floorRequest(b, batch))
	}
	for name, more := range map[string]string{
		"otlp": "exporters: {otlp_grpc/sink: {compression: none}}",
		"nop":  "exporters: {nop: {}}\nservice: {pipelines: {traces: {exporters: [nop, span_to_metrics, routed_events]}}}",
	} {
		b.Run(name, func(b *testing.B) {
			var ours, stock time.Duration
			for b.Loop() {
				for range benchRounds {
					ours += processTime(b, name, more, bodies, lines)
					stock += floorTime(b, floor)
				}
			}
			perEvent := func(d time.Duration) float64 {
				return float64(d.Nanoseconds()) / 1e3 / float64(b.N*benchRounds*len(lines))
			}
			b.ReportMetric(perEvent(ours), "µs/event")
			b.ReportMetric(perEvent(stock), "floor-µs/event")
			b.ReportMetric(float64(ours)/float64(stock), "ratio")
			b.ReportMetric(0, "ns/op") // meaningless here
		})
	}
}

// processTime sends the events to a new collector and returns its CPU time.
func processTime(b *testing.B, name, more string, bodies, lines [][]byte) time.Duration {
	b.Helper()
	sink := newSink(b)
	sink.countOnly = true
	c := start(b, sink, more, "connectors: {span_to_metrics: {metrics_flush_interval: 5s}}", profiling(b))
	before := c.cpuTime()
	c.post(benchConnections, "http://"+c.events+"/v1/events", "application/x-ndjson", bodies)
	require.Zero(b, c.stop())
	if name == "otlp" {
		require.Greater(b, sink.spanCount(), len(lines)/4, "too few spans for what was sent")
	}
	return c.totalTime() - before
}

// profiling returns the configuration for writing a profile, if enabled.
func profiling(b *testing.B) string {
	b.Helper()
	directory := os.Getenv("TASKER_PROFILES")
	if directory == "" {
		return "{}"
	}
	file, err := os.CreateTemp(directory, "*.pprof")
	require.NoError(b, err)
	require.NoError(b, file.Close())
	return fmt.Sprintf("extensions: {pprof: {endpoint: %s, save_to_file: %s}}\nservice: {extensions: [otlp_limits, healthcheckv2, pprof]}",
		freeAddresses(b, 1)[0], file.Name())
}

const floorConfig = `
receivers:
  otlp: {protocols: {http: {endpoint: %[1]s}}}
exporters:
  nop:
extensions:
  healthcheckv2: {use_v2: true, http: {endpoint: %[2]s, status: {enabled: true, path: /health/status}}}
service:
  extensions: [healthcheckv2]
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [otlp], exporters: [nop]}
`

// floorTime sends the requests to a collector that drops them and returns its CPU time.
func floorTime(b *testing.B, requests [][]byte) time.Duration {
	b.Helper()
	free := freeAddresses(b, 2)
	path := filepath.Join(b.TempDir(), "floor.yaml")
	require.NoError(b, os.WriteFile(path, fmt.Appendf(nil, floorConfig, free[0], free[1]), 0o600))
	c := &collector{tb: b, health: free[1]}
	c.launch("--config", path)
	before := c.cpuTime()
	c.post(benchConnections, "http://"+free[0]+"/v1/logs", "application/x-protobuf", requests)
	require.Zero(b, c.stop())
	return c.totalTime() - before
}

// floorRequest returns the lines as an OTLP request whose records have ten attributes each.
func floorRequest(b *testing.B, lines [][]byte) []byte {
	b.Helper()
	ld, err := streamtest.ToLogs(lines, "")
	require.NoError(b, err)
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				tenAttributes(record)
			}
		}
	}
	body, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	require.NoError(b, err)
	return body
}

func tenAttributes(record plog.LogRecord) {
	attrs := record.Attributes()
	for i := attrs.Len(); i < floorAttributes; i++ {
		attrs.PutInt("tasker.filler_"+strconv.Itoa(i), int64(i))
	}
	kept := 0
	attrs.RemoveIf(func(string, pcommon.Value) bool {
		kept++
		return kept > floorAttributes
	})
}

// cpuTime returns the CPU time of the running process, with the kernel's resolution of 10 ms.
func (c *collector) cpuTime() time.Duration {
	c.tb.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.cmd.Process.Pid))
	require.NoError(c.tb, err)
	_, afterName, found := strings.Cut(string(text), ") ")
	require.True(c.tb, found, "%s", text)
	const userTime, systemTime = 11, 12 // fields after the name
	fields := strings.Fields(afterName)
	var ticks int64
	for _, i := range []int{userTime, systemTime} {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		require.NoError(c.tb, err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// totalTime returns the CPU time of the ended process.
func (c *collector) totalTime() time.Duration {
	return c.cmd.ProcessState.UserTime() + c.cmd.ProcessState.SystemTime()
}
