// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

const (
	requestTasks  = 1000
	requestRounds = 5
)

// BenchmarkRequests measures the cost of a request besides its events: the CPU time per event of the whole process, medians
// of alternating rounds.
//
//	nop   spans and records are dropped
//	otlp  they are exported over OTLP
func BenchmarkRequests(b *testing.B) {
	lines, _ := streamtest.Generate(streamtest.Options{Tasks: requestTasks, Seed: 21, Failures: true})
	kinds := []struct{ name, more string }{
		{"nop", toNop}, {"otlp", "exporters: {otlp_grpc/sink: {compression: none}}"},
	}
	for _, size := range []int{20, 100, benchBatch} {
		b.Run(fmt.Sprintf("events=%d", size), func(b *testing.B) {
			bodies := bodiesOf(lines, size)
			used := make([][]usage, len(kinds))
			for b.Loop() {
				for range requestRounds {
					for i, kind := range kinds {
						cpu, _ := requestTime(b, bodies, benchConnections, kind.more)
						used[i] = append(used[i], usage{cpu: cpu})
					}
				}
			}
			for i, kind := range kinds {
				cpu, _ := medians(used[i])
				b.ReportMetric(float64(cpu.Nanoseconds())/1e3/float64(len(lines)), kind.name+"-µs/event")
			}
			b.ReportMetric(0, "ns/op") // meaningless here
		})
	}
}

// BenchmarkConnections measures the events per second over that many connections, 100 per request, and the CPU time of
// each, on one core and on two.
func BenchmarkConnections(b *testing.B) {
	lines, _ := streamtest.Generate(streamtest.Options{Tasks: requestTasks, Seed: 21, Failures: true})
	bodies := bodiesOf(lines, 100)
	for _, cores := range []string{"1", "2"} {
		for _, connections := range []int{1, 4, 64, 1000} {
			b.Run(fmt.Sprintf("cores=%s/connections=%d", cores, connections), func(b *testing.B) {
				b.Setenv("GOMAXPROCS", cores)
				var cpu, took time.Duration
				for b.Loop() {
					c, t := requestTime(b, bodies, connections, toNop)
					cpu, took = cpu+c, took+t
				}
				events := float64(b.N * len(lines))
				b.ReportMetric(float64(cpu.Nanoseconds())/1e3/events, "µs/event")
				b.ReportMetric(events/took.Seconds(), "events/s")
				b.ReportMetric(0, "ns/op") // meaningless here
			})
		}
	}
}

// toNop drops spans and records at the end of their pipelines.
const toNop = `
exporters: {nop: {}}
service: {pipelines: {traces: {exporters: [nop, span_to_metrics, routed_events]}, logs/records: {exporters: [nop]}}}
`

// requestTime returns the CPU time that a new collector needs for the requests, and the time of sending.
func requestTime(b *testing.B, bodies [][]byte, connections int, more string) (cpu, took time.Duration) {
	b.Helper()
	sink := newSink(b)
	sink.countOnly = true
	c := start(b, sink, more, profiling(b))
	before, began := c.cpuTime(), time.Now()
	c.post(connections, "http://"+c.events+"/v1/events", "application/x-ndjson", bodies)
	took = time.Since(began)
	require.Zero(b, c.stop())
	return c.totalTime() - before, took
}
