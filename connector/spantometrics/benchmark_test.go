// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// newBenchmark makes both inputs with a discarding consumer and no flush ticker.
func newBenchmark(b *testing.B, change func(*Config)) (tracesInput, logsInput) {
	b.Helper()
	cfg := createDefaultConfig().(*Config)
	if change != nil {
		change(cfg)
	}
	in := newInputs(b, cfg)
	return in, logsInput(in)
}

func newInputs(t testing.TB, cfg *Config) tracesInput {
	t.Helper()
	cfg.TrustReceived = true
	in, err := newInstances().acquire(cfg, connectortest.NewNopSettings(metadata.Type), consumertest.NewNop())
	require.NoError(t, err)
	return tracesInput{in}
}

// reportCPU reports the CPU time from now to the end, including garbage collection. Unlike wall time it hardly depends on
// the machine's other load.
func reportCPU(b *testing.B) (end func()) {
	b.Helper()
	began := processorTime(b)
	return func() {
		b.ReportMetric(float64(processorTime(b)-began)/float64(b.N), "cpu-ns/op")
	}
}

func processorTime(b *testing.B) int64 {
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// stepSpans returns a batch of finished step spans as made by span_hierarchy.
func stepSpans(count int) ptrace.Traces {
	td, spans := shopSpans(lifecycle.ScopeSpans)
	for i := range count {
		addSpan(spans, lifecycle.SpanStep, time.Duration(i)*time.Millisecond, map[string]any{
			lifecycle.AttrTaskID: i, lifecycle.AttrTaskName: "process_order", lifecycle.AttrStepID: i,
			lifecycle.AttrStepName: "step_" + strconv.Itoa(i%10), lifecycle.AttrAttemptNumber: 1,
			lifecycle.AttrStatus: "success", lifecycle.AttrCorrelationID: "tsk_mpv5pc29_Qc4wHQ",
		})
	}
	return td
}

// BenchmarkRecordSpan reports the cost of one step span, which updates two series, in batches of 1000.
func BenchmarkRecordSpan(b *testing.B) {
	in, _ := newBenchmark(b, nil)
	td := stepSpans(1000)
	ctx := context.Background()
	require.NoError(b, in.ConsumeTraces(ctx, td))
	b.ReportAllocs()
	defer reportCPU(b)()
	for i := 0; i < b.N; i += 1000 {
		renewSpans(td)
		_ = in.ConsumeTraces(ctx, td)
	}
}

// renewSpans gives the spans new IDs, so that they are not duplicates.
func renewSpans(td ptrace.Traces) {
	for _, span := range td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().All() {
		span.SetSpanID(freshID())
	}
}

// BenchmarkRepeatedSpan reports the cost of detecting a duplicate span.
func BenchmarkRepeatedSpan(b *testing.B) {
	in, _ := newBenchmark(b, nil)
	td := stepSpans(1000)
	ctx := context.Background()
	b.ReportAllocs()
	for i := 0; i < b.N; i += 1000 {
		_ = in.ConsumeTraces(ctx, td)
	}
}

// BenchmarkRecordSpanParallel records on all cores into one registry.
func BenchmarkRecordSpanParallel(b *testing.B) {
	in, _ := newBenchmark(b, nil)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		td := stepSpans(1000)
		left := 0
		for pb.Next() {
			if left == 0 {
				left = 1000
				renewSpans(td)
				_ = in.ConsumeTraces(context.Background(), td)
			}
			left--
		}
	})
}

// BenchmarkRecordEvent reports the cost of one event of a real stream, as a record and in a batch.
func BenchmarkRecordEvent(b *testing.B) {
	ld, _ := readEvents(b, "mixed")
	benchmarkEvents(b, ld, func(cfg *Config) { cfg.ActiveMaxAge = 100 * 365 * 24 * time.Hour })
}

// BenchmarkRecordQuery reports the cost of one query, whose statement is parsed.
func BenchmarkRecordQuery(b *testing.B) {
	ld, records := shopLogs()
	for range 1000 {
		addEvent(records, lifecycle.DatabaseQueryExecuted, 1, time.Now(), map[string]any{
			lifecycle.AttrDuration: 0.009,
			lifecycle.AttrSQL:      "SELECT orders.* FROM orders WHERE orders.id = 4711 LIMIT 1",
		})
	}
	benchmarkEvents(b, ld, nil)
}

// benchmarkEvents measures requests of up to 500 of these events. So few identities are remembered that none is a duplicate.
func benchmarkEvents(b *testing.B, ld plog.Logs, change func(*Config)) {
	var requests []plog.Logs
	var into plog.LogRecordSlice
	for i, record := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		if i%500 == 0 {
			var request plog.Logs
			request, into = shopLogs()
			requests = append(requests, request)
		}
		eventrecord.SetIdentity(record.Attributes(), lastID.Add(1)*0x9e3779b97f4a7c15)
		eventrecord.SetDecision(record.Attributes(), lifecycle.SignalTraces|lifecycle.SignalMetrics, lifecycle.PriorityNormal)
		record.CopyTo(into.AppendEmpty())
	}
	w := carrier{keeps: never, ends: never}
	var carriers []plog.Logs
	for _, request := range requests {
		carriers = append(carriers, w.carried(b, request))
	}
	for _, form := range []struct {
		name     string
		requests []plog.Logs
	}{{"records", requests}, {"batch", carriers}} {
		b.Run(form.name, func(b *testing.B) {
			_, in := newBenchmark(b, func(cfg *Config) {
				cfg.Deduplicate.MaxEntries = 100
				if change != nil {
					change(cfg)
				}
			})
			b.ReportAllocs()
			b.ResetTimer()
			defer reportCPU(b)()
			for i := 0; i < b.N; {
				for place, request := range form.requests {
					require.NoError(b, in.ConsumeLogs(context.Background(), request))
					i += requests[place].LogRecordCount()
				}
			}
		})
	}
}

// BenchmarkFlush reports the cost of one flush of 10,000 series, half of them histograms with exemplars.
func BenchmarkFlush(b *testing.B) {
	for _, temporality := range []string{"cumulative", "delta"} {
		b.Run(temporality, func(b *testing.B) {
			in, _ := newBenchmark(b, func(cfg *Config) {
				cfg.AggregationCardinalityLimit, cfg.MaxSeriesBytes = 10_000, 1<<30
				cfg.AggregationTemporality = temporality
			})
			td, spans := shopSpans(lifecycle.ScopeSpans)
			for i := range 5000 {
				addSpan(spans, lifecycle.SpanTask, time.Duration(i)*time.Millisecond, map[string]any{
					lifecycle.AttrTaskName: "task " + strconv.Itoa(i), lifecycle.AttrStatus: "success",
				})
			}
			ctx := context.Background()
			b.ReportAllocs()
			used := int64(0)
			for range b.N {
				b.StopTimer()
				renewSpans(td)
				_ = in.ConsumeTraces(ctx, td)
				began := processorTime(b)
				b.StartTimer()
				if err := in.flush(ctx); err != nil {
					b.Fatal(err)
				}
				used += processorTime(b) - began
			}
			b.ReportMetric(float64(used)/float64(b.N), "cpu-ns/op")
		})
	}
}
