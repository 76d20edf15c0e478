// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// BenchmarkStorage measures the cost of durability: the CPU time per event of the whole process, from NDJSON to spans over
// OTLP and metrics, with the open tasks, totals and seen events in memory, and in file_storage. Both alternate, and are
// measured when all trees have arrived. The queue of the exporter is in memory in both.
func BenchmarkStorage(b *testing.B) {
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: benchTasks, Seed: 21, Failures: true})
	for _, size := range []int{100, benchBatch} {
		b.Run(fmt.Sprintf("%d events a request", size), func(b *testing.B) {
			var bodies [][]byte
			for _, batch := range streamtest.Batches(lines, size) {
				bodies = append(bodies, bytes.Join(batch, []byte("\n")))
			}
			var memory, stored time.Duration
			for b.Loop() {
				for range benchRounds {
					memory += timeToTrees(b, bodies, len(truth))
					stored += timeToTrees(b, bodies, len(truth), durable(b)...)
				}
			}
			perEvent := func(d time.Duration) float64 {
				return float64(d.Nanoseconds()) / 1e3 / float64(b.N*benchRounds*len(lines))
			}
			b.ReportMetric(perEvent(memory), "memory-µs/event")
			b.ReportMetric(perEvent(stored), "stored-µs/event")
			b.ReportMetric(100*(float64(stored)/float64(memory)-1), "%-more")
			b.ReportMetric(0, "ns/op") // meaningless here
		})
	}
}

// timeToTrees returns the CPU time of a new collector until the trees of all tasks have arrived.
func timeToTrees(b *testing.B, bodies [][]byte, tasks int, more ...string) time.Duration {
	b.Helper()
	sink := newSink(b)
	sink.countOnly = true
	c := start(b, sink, append(more, "exporters: {otlp_grpc/sink: {compression: none}}", "connectors: {span_to_metrics: {metrics_flush_interval: 5s}}")...)
	before := c.cpuTime()
	c.post(benchConnections, "http://"+c.events+"/v1/events", "application/x-ndjson", bodies)
	awaitTasks(b, sink, tasks)
	spent := c.cpuTime() - before
	c.stop()
	return spent
}
