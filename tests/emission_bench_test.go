// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"sort"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// emissionPairs is the number of alternating measurements of the two modes in a run of BenchmarkEmission.
const emissionPairs = 5

// liveSpacing is the mean interval between the starts of two tasks, in milliseconds, with which a generated stream has
// about 20,000 events per second.
const liveSpacing = 4

// BenchmarkEmission compares emit: parts with emit: whole: the CPU time per event of the whole process, from NDJSON to
// spans over OTLP and metrics, until its exit. The two modes alternate.
//
//	live   events are sent when they occur, at about 20,000 per second, so that parts of open tasks are emitted
//	burst  the stream of BenchmarkProcess at full speed: most tasks have ended before any part of them is settled
//
// whole-µs/event and parts-µs/event are medians, %-more is the median of the pairs' quotients.
func BenchmarkEmission(b *testing.B) {
	burst, _ := streamtest.Generate(streamtest.Options{Tasks: benchTasks, Seed: 21, Failures: true})
	live, _ := streamtest.Generate(streamtest.Options{Tasks: benchTasks, Seed: 21, Failures: true, SpacingMS: liveSpacing})
	b.Run("live", func(b *testing.B) {
		requests := liveRequests(b, live)
		compareEmission(b, len(live), func(c *collector) { c.sendInRealTime(b, requests) })
	})
	b.Run("burst", func(b *testing.B) {
		var bodies [][]byte
		for _, batch := range streamtest.Batches(burst, benchBatch) {
			bodies = append(bodies, bytes.Join(batch, []byte("\n")))
		}
		compareEmission(b, len(burst), func(c *collector) {
			c.post(benchConnections, "http://"+c.events+"/v1/events", "application/x-ndjson", bodies)
		})
	})
}

func compareEmission(b *testing.B, events int, send func(*collector)) {
	var whole, parts, more []float64
	for b.Loop() {
		for range emissionPairs {
			w, p := emissionTime(b, "whole", send), emissionTime(b, "parts", send)
			whole, parts, more = append(whole, w), append(parts, p), append(more, 100*(p/w-1))
		}
	}
	perEvent := 1e6 / float64(events)
	b.ReportMetric(median(whole)*perEvent, "whole-µs/event")
	b.ReportMetric(median(parts)*perEvent, "parts-µs/event")
	b.ReportMetric(median(more), "%-more")
	b.ReportMetric(0, "ns/op") // meaningless here
}

// emissionTime sends the events to a new collector and returns its CPU time in seconds.
func emissionTime(b *testing.B, mode string, send func(*collector)) float64 {
	b.Helper()
	sink := newSink(b)
	sink.countOnly = true
	c := start(b, sink, "exporters: {otlp_grpc/sink: {compression: none}}", "connectors: {span_to_metrics: {metrics_flush_interval: 5s}}",
		fmt.Sprintf("processors: {span_hierarchy: {emit: %s}}", mode), profiling(b))
	before := c.cpuTime()
	send(c)
	require.Zero(b, c.stop())
	return (c.totalTime() - before).Seconds()
}

// BenchmarkLatency reports the time from the request with an attempt's last event to the attempt's span at an OTLP backend,
// at about 20,000 events per second and with emit: parts, in addition to the reorder window.
func BenchmarkLatency(b *testing.B) {
	lines, _ := streamtest.Generate(streamtest.Options{Tasks: benchTasks, Seed: 21, Failures: true, SpacingMS: liveSpacing})
	requests := liveRequests(b, lines)
	// In the second half the rate is steady: as many tasks end as begin.
	busy, idle := requestAfter(requests, benchTasks*liveSpacing/2*time.Millisecond), requestAfter(requests, benchTasks*liveSpacing*time.Millisecond)
	var took []float64
	for b.Loop() {
		arrived := &stepArrivals{}
		sink := newSink(b)
		sink.countOnly, sink.onSpans = true, arrived.take
		c := start(b, sink, "exporters: {otlp_grpc/sink: {compression: none}}", "processors: {span_hierarchy: {reorder_window: 2s}}")
		sent := c.sendInRealTime(b, requests)
		require.Zero(b, c.stop())
		took = append(took, arrived.latencies(requests[busy:idle], sent[busy:idle])...)
	}
	require.NotEmpty(b, took)
	slices.Sort(took)
	events := 0
	for _, r := range requests[busy:idle] {
		events += bytes.Count(r.body, []byte("\n")) + 1
	}
	b.ReportMetric(float64(events)/time.Duration(requests[idle-1].to-requests[busy].from).Seconds(), "events/s")
	b.ReportMetric(1000*took[len(took)/2], "median-ms")
	b.ReportMetric(1000*took[len(took)*99/100], "p99-ms")
	b.ReportMetric(2000, "window-ms")
	b.ReportMetric(0, "ns/op") // meaningless here
}

// liveRequest contains the events of a short interval.
type liveRequest struct {
	from, to int64 // times of the first and last event, in Unix nanoseconds
	body     []byte
}

// liveInterval is how long a sender batches events.
const liveInterval = int64(25 * time.Millisecond)

// liveRequests splits the stream, sorted by time, into requests.
func liveRequests(tb testing.TB, lines [][]byte) []liveRequest {
	tb.Helper()
	type event struct {
		at   int64
		line []byte
	}
	events := make([]event, 0, len(lines))
	for _, line := range lines {
		item, err := streamtest.Parse(line)
		require.NoError(tb, err)
		at, err := time.Parse(time.RFC3339Nano, item.OccurredAt)
		require.NoError(tb, err)
		events = append(events, event{at.UnixNano(), line})
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	var requests []liveRequest
	for _, e := range events {
		if last := len(requests) - 1; last >= 0 && e.at-requests[last].from < liveInterval {
			r := &requests[last]
			r.to, r.body = e.at, append(append(r.body, '\n'), e.line...)
			continue
		}
		requests = append(requests, liveRequest{e.at, e.at, slices.Clone(e.line)})
	}
	return requests
}

// requestAfter returns the index of the first request that is due that long after the first one.
func requestAfter(requests []liveRequest, after time.Duration) int {
	return sort.Search(len(requests), func(i int) bool { return requests[i].from-requests[0].from >= int64(after) })
}

// sendInRealTime sends each request when its last event occurs, in real time, and returns the times of sending.
func (c *collector) sendInRealTime(tb testing.TB, requests []liveRequest) (sent []time.Time) {
	tb.Helper()
	client, done := newClient(benchConnections)
	defer done()
	url := "http://" + c.events + "/v1/events"
	sent = make([]time.Time, len(requests))
	var (
		sending sync.WaitGroup
		turns   = make(chan struct{}, benchConnections)
		failed  sync.Once
		problem error
	)
	began, first := time.Now(), requests[0].from
	for i := range requests {
		<-time.After(time.Until(began.Add(time.Duration(requests[i].to - first))))
		turns <- struct{}{}
		sent[i] = time.Now()
		sending.Go(func() {
			defer func() { <-turns }()
			if err := postOne(client, url, "application/x-ndjson", requests[i].body); err != nil {
				failed.Do(func() { problem = err })
			}
		})
	}
	sending.Wait()
	require.NoError(tb, problem)
	return sent
}

// stepArrivals are the arrival times of attempts' spans, with the times of their last events.
type stepArrivals struct {
	mu    sync.Mutex
	steps []stepArrival
}

type stepArrival struct {
	end  int64
	came time.Time
}

func (a *stepArrivals) take(td ptrace.Traces) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				if span.Name() == lifecycle.SpanStep {
					a.steps = append(a.steps, stepArrival{int64(span.EndTimestamp()), now})
				}
			}
		}
	}
}

// latencies returns the seconds from the request with an attempt's last event to its span.
func (a *stepArrivals) latencies(requests []liveRequest, sent []time.Time) (took []float64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.steps {
		place := sort.Search(len(requests), func(i int) bool { return requests[i].to >= s.end })
		if place < len(requests) && requests[place].from <= s.end {
			took = append(took, s.came.Sub(sent[place]).Seconds())
		}
	}
	return took
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[len(sorted)/2]
}
