// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// postConcurrently posts the same bodies from several concurrent senders, each over its own connections. A retryable response
// fails the test, because the collector can handle the load.
func (c *collector) postConcurrently(senders, connections int, bodies ...[][]byte) {
	c.tb.Helper()
	var all errgroup.Group
	for sender := range senders {
		client, done := newClient(connections)
		defer done()
		var one errgroup.Group
		one.SetLimit(connections)
		all.Go(func() error {
			for _, body := range bodies[sender%len(bodies)] {
				one.Go(func() error { return postOnce(client, "http://"+c.events+"/v1/events", "application/x-ndjson", body) })
			}
			return one.Wait()
		})
	}
	require.NoError(c.tb, all.Wait())
}

// bodiesOf returns the stream in requests of that many items.
func bodiesOf(lines [][]byte, size int) (bodies [][]byte) {
	for _, batch := range streamtest.Batches(lines, size) {
		bodies = append(bodies, bytes.Join(batch, []byte("\n")))
	}
	return bodies
}

// Two senders send the same stream, as when a sender is replaced while its requests are pending: events of one are being
// processed when the other sends them. No request is refused, and every event counts once.
func TestTwoSendersOfOneStream(t *testing.T) {
	t.Parallel()
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 200, Seed: 31, Failures: true})
	sink := newSink(t)
	c := start(t, sink)
	c.postConcurrently(2, benchConnections, bodiesOf(lines, 100), bodiesOf(lines, 70))
	awaitTasks(t, sink, len(truth))
	require.Zero(t, c.stop())
	require.Empty(t, streamtest.Compare(truth, sink.all()))
}

// BenchmarkTwoSenders compares the distinct events per second of one sender with those of two that send the same stream
// concurrently. Both cases alternate, so that they see the same noise of the machine.
func BenchmarkTwoSenders(b *testing.B) {
	lines, _ := streamtest.Generate(streamtest.Options{Tasks: benchTasks, Seed: 21, Failures: true})
	bodies := bodiesOf(lines, benchBatch)
	for _, connections := range []int{1, benchConnections} {
		b.Run(fmt.Sprintf("connections=%d", connections), func(b *testing.B) {
			took := map[int]time.Duration{}
			for b.Loop() {
				for range benchRounds {
					for _, senders := range []int{1, 2} {
						sink := newSink(b)
						sink.countOnly = true
						c := start(b, sink, "exporters: {otlp_grpc/sink: {compression: none}}")
						began := time.Now()
						c.postConcurrently(senders, connections, bodies)
						took[senders] += time.Since(began)
						require.Zero(b, c.stop())
					}
				}
			}
			rate := func(senders int) float64 { return float64(b.N*benchRounds*len(lines)) / took[senders].Seconds() }
			b.ReportMetric(rate(1), "one-events/s")
			b.ReportMetric(rate(2), "two-events/s")
			b.ReportMetric(rate(2)/rate(1), "ratio")
			b.ReportMetric(0, "ns/op") // meaningless here
		})
	}
}
