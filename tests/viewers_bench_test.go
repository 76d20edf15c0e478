// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

const (
	viewers     = 10
	viewerTasks = 4000
	// pacedTasks are sent afterwards, a request of pacedBatch events every pacedEvery: about a tenth of the process's
	// capacity, so that requests wait only if something blocks them.
	pacedTasks = 2000
	pacedBatch = 50
	pacedEvery = 4 * time.Millisecond
)

// BenchmarkViewers measures the cost of live pages for ingestion: the CPU time per event of the whole process, and the
// duration of requests, without the extension, with it, and with ten viewers who load a page each second. The three
// alternate, so that all see the same noise of the machine. own-µs/event is the cost of the pages alone: the same viewers
// for as long, without events. The quantiles are of requests at a steady pace; each is the median of the rounds, because
// the 99th percentile of a single round is mostly noise, and -worst-ms is that of the worst round.
func BenchmarkViewers(b *testing.B) {
	all, _ := streamtest.Generate(streamtest.Options{Tasks: viewerTasks + pacedTasks, Seed: 5, Failures: true})
	cut := len(all) * viewerTasks / (viewerTasks + pacedTasks)
	lines := all[:cut]
	bodies, paced := bodiesOf(lines, benchBatch), bodiesOf(all[cut:], pacedBatch)
	const without = "service: {extensions: [otlp_limits, healthcheckv2]}"
	kinds := []struct {
		name, more string
		viewers    int
	}{{"without", without, 0}, {"pages", "{}", 0}, {"viewers", "{}", viewers}}
	cpu, own := make([]time.Duration, len(kinds)), time.Duration(0)
	half, most := make([][]float64, len(kinds)), make([][]float64, len(kinds)) // quantiles of each round, in milliseconds
	rounds := 0
	for b.Loop() {
		for range benchRounds {
			rounds++
			for i, kind := range kinds {
				sink := newSink(b)
				sink.countOnly = true
				c := start(b, sink, "exporters: {nop: {}}\nservice: {pipelines: {traces: {exporters: [nop, span_to_metrics, routed_events]}}}", kind.more)
				stop := c.startViewers(b, kind.viewers)
				before, began := c.cpuTime(), time.Now()
				c.postEvery(b, bodies, 0)
				cpu[i] += c.cpuTime() - before
				if kind.viewers > 0 {
					took := time.Since(began)
					before = c.cpuTime()
					time.Sleep(took) // measure what happens meanwhile
					own += c.cpuTime() - before
				}
				took := c.postEvery(b, paced, pacedEvery)
				slices.Sort(took)
				half[i] = append(half[i], milliseconds(took[len(took)/2]))
				most[i] = append(most[i], milliseconds(took[len(took)*99/100]))
				stop()
				require.Zero(b, c.stop())
			}
		}
	}
	for i, kind := range kinds {
		slices.Sort(half[i])
		slices.Sort(most[i])
		b.ReportMetric(float64(cpu[i].Nanoseconds())/1e3/float64(rounds*len(lines)), kind.name+"-µs/event")
		b.ReportMetric(half[i][rounds/2], kind.name+"-p50-ms")
		b.ReportMetric(most[i][rounds/2], kind.name+"-p99-ms")
		b.ReportMetric(most[i][rounds-1], kind.name+"-p99-worst-ms")
	}
	b.ReportMetric(float64(own.Nanoseconds())/1e3/float64(rounds*len(lines)), "own-µs/event")
	b.ReportMetric(0, "ns/op") // meaningless here
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

// postEvery posts one body after the other, one per interval unless that is 0, and returns the durations of the requests.
func (c *collector) postEvery(b *testing.B, bodies [][]byte, interval time.Duration) (took []time.Duration) {
	b.Helper()
	client, done := newClient(1)
	defer done()
	due := time.Now()
	for _, body := range bodies {
		time.Sleep(time.Until(due))
		due = due.Add(interval)
		began := time.Now()
		require.NoError(b, postOne(client, "http://"+c.events+"/v1/events", "application/x-ndjson", body))
		took = append(took, time.Since(began))
	}
	return took
}

// startViewers lets viewers load pages until stop is called.
func (c *collector) startViewers(b *testing.B, n int) (stop func()) {
	b.Helper()
	quit := make(chan struct{})
	var all sync.WaitGroup
	paths := []string{"/", "/tasks", "/tasks?state=running&sort=took", "/workflows", "/api/v1/overview"}
	for i := range n {
		all.Go(func() {
			client, done := newClient(1)
			defer done()
			second := time.NewTicker(time.Second)
			defer second.Stop()
			for {
				response, err := client.Get(fmt.Sprintf("http://%s%s", c.pages, paths[i%len(paths)]))
				if err == nil {
					_, _ = io.Copy(io.Discard, response.Body)
					response.Body.Close()
				}
				if err != nil || response.StatusCode != http.StatusOK {
					b.Errorf("a viewer got %v", err)
					return
				}
				select {
				case <-quit:
					return
				case <-second.C:
				}
			}
		})
	}
	return func() {
		close(quit)
		all.Wait()
	}
}
