// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/connector/routedevents"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// BenchmarkConsume measures events through the processor, from event spans, one for each event or one for each request, to finished
// spans at the next component, with as many senders and shards as cores. Tasks are spread over the requests, as with busy workers.
// Copying the requests of a round is not counted, neither in time nor in allocations.
func BenchmarkConsume(b *testing.B) {
	for _, form := range []string{"each", "batched"} {
		requests := eventRequests(b, form)
		for _, cores := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/cores=%d", form, cores), func(b *testing.B) { benchmarkConsume(b, requests, cores) })
		}
	}
}

func benchmarkConsume(b *testing.B, requests []ptrace.Traces, cores int) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	h := newTest(b, consumertest.NewNop(), func(cfg *Config) { cfg.Shards = cores })
	h.handing = b.Context() // the processor is not started, because its loops would release trees meanwhile
	var (
		events         int64
		allocations    uint64
		before, behind runtime.MemStats
	)
	for round := uint64(0); b.Loop(); round++ {
		b.StopTimer()
		fresh := make([]ptrace.Traces, len(requests))
		for i, td := range requests {
			fresh[i] = ofRound(b, td, round)
			events += countEvents(td)
		}
		runtime.ReadMemStats(&before)
		b.StartTimer()
		consumeAll(b, h, fresh, cores)
		b.StopTimer()
		runtime.ReadMemStats(&behind)
		allocations += behind.Mallocs - before.Mallocs
		b.StartTimer()
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(allocations)/float64(events), "allocs/event")
	b.ReportMetric(0, "ns/op") // without meaning here
	require.Zero(b, h.sum(func(s assembly.Stats) int64 { return s.OpenTasks }))
	require.NoError(b, h.Shutdown(b.Context()))
}

// consumeAll sends the requests from several senders and releases the trees, each shard in its own goroutine.
func consumeAll(b *testing.B, h *hierarchy, requests []ptrace.Traces, senders int) {
	var sending, releasing sync.WaitGroup
	for first := range senders {
		sending.Go(func() {
			for i := first; i < len(requests); i += senders {
				if err := h.ConsumeTraces(b.Context(), requests[i]); err != nil {
					b.Error(err)
				}
			}
		})
	}
	sending.Wait()
	later := time.Now().Add(48 * time.Hour) // also of tasks that never end
	for _, s := range h.shards {
		releasing.Go(func() {
			s.collect(func() { s.assembler.Advance(later) })
			s.send(b.Context())
		})
	}
	releasing.Wait()
}

// eventRequests returns a stream of whole tasks as requests of event spans.
func eventRequests(b *testing.B, form string) []ptrace.Traces {
	b.Helper()
	const tasks, perRequest = 200, 500
	lines, _ := streamtest.Generate(streamtest.Options{Tasks: tasks, Seed: 5, Failures: true, SpacingMS: 20})
	sink := new(consumertest.TracesSink)
	factory := routedevents.NewFactory()
	cfg := factory.CreateDefaultConfig().(*routedevents.Config)
	cfg.EventSpans = form
	events, err := factory.CreateLogsToTraces(b.Context(), connectortest.NewNopSettings(factory.Type()), cfg, sink)
	require.NoError(b, err)
	normalizer := &eventrecord.Normalizer{}
	for _, batch := range streamtest.Batches(lines, perRequest) {
		logs, err := streamtest.ToLogs(batch, "")
		require.NoError(b, err)
		for _, rl := range logs.ResourceLogs().All() {
			for _, record := range rl.ScopeLogs().At(0).LogRecords().All() {
				normalizer.Normalize(eventrecord.ApplicationOf(rl.Resource().Attributes()), record)
			}
		}
		require.NoError(b, events.ConsumeLogs(b.Context(), logs))
	}
	return sink.AllTraces()
}

// ofRound returns a copy of the request with traces that no other round has.
func ofRound(b testing.TB, td ptrace.Traces, round uint64) ptrace.Traces {
	b.Helper()
	of := func(trace pcommon.TraceID) pcommon.TraceID {
		binary.BigEndian.PutUint64(trace[:], binary.BigEndian.Uint64(trace[:])^round)
		return trace
	}
	fresh := copied(td)
	for _, rs := range fresh.ResourceSpans().All() {
		for _, span := range rs.ScopeSpans().At(0).Spans().All() {
			span.SetTraceID(of(span.TraceID()))
			if batch, found := eventbatch.OfSpan(span); found {
				eventbatch.PutIn(span.Attributes(), batchOf(b, batch, of), int(eventbatch.Count(span.Name(), span.Attributes())))
			}
		}
	}
	return fresh
}

// batchOf returns a batch with other traces.
func batchOf(b testing.TB, batch eventbatch.Batch, of func(pcommon.TraceID) pcommon.TraceID) eventbatch.Batch {
	b.Helper()
	var w eventbatch.Writer
	r := eventbatch.NewPlainReader()
	require.NoError(b, r.Open(batch))
	w.Reset(r.Application())
	for r.Next() {
		head := r.Head()
		head.TraceID = of(head.TraceID)
		require.True(b, w.Begin(r.Shape()))
		for _, value := range r.Values() {
			w.Value(value)
		}
		require.True(b, w.End(&head))
	}
	require.NoError(b, r.Err())
	return w.Batch()
}
