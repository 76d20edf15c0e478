// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package stock

import (
	"context"
	"encoding/binary"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/connector/spanmetricsconnector"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// BenchmarkMetrics measures the same step spans with span_to_metrics and the collector's spanmetrics: a sum and a histogram
// with exemplars, by task, step and status. spanmetrics does not detect duplicates and stores nothing across a restart.
func BenchmarkMetrics(b *testing.B) {
	stock := map[string]any{
		"dimensions": []any{
			map[string]any{"name": lifecycle.AttrTaskName}, map[string]any{"name": lifecycle.AttrStepName}, map[string]any{"name": lifecycle.AttrStatus},
		},
		"exemplars": map[string]any{"enabled": true},
		"histogram": map[string]any{"unit": "s", "explicit": map[string]any{"buckets": []any{ // as in span_to_metrics
			"5ms", "10ms", "25ms", "50ms", "100ms", "250ms", "500ms", "1s", "2.5s", "5s", "10s", "30s", "1m", "5m", "15m",
			"1h", "4h", "12h", "24h",
		}}},
	}
	for name, in := range map[string]consumer.Traces{
		"span_to_metrics": newConnector(b, spantometrics.NewFactory(), map[string]any{"trust_received": true}),
		"spanmetrics":     newConnector(b, spanmetricsconnector.NewFactory(), stock),
	} {
		b.Run(name, func(b *testing.B) {
			td := stepSpans(1000)
			next := uint64(0)
			ctx := context.Background()
			require.NoError(b, in.ConsumeTraces(ctx, td))
			b.ReportAllocs()
			b.ResetTimer()
			began := processorTime(b)
			for i := 0; i < b.N; i += 1000 {
				for _, span := range td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().All() {
					next++
					span.SetSpanID(spanID(next))
				}
				_ = in.ConsumeTraces(ctx, td)
			}
			b.ReportMetric(float64(processorTime(b)-began)/float64(b.N), "cpu-ns/op")
		})
	}
}

func newConnector(b *testing.B, factory connector.Factory, settings map[string]any) consumer.Traces {
	b.Helper()
	cfg := factory.CreateDefaultConfig()
	require.NoError(b, confmap.NewFromStringMap(settings).Unmarshal(cfg))
	made, err := factory.CreateTracesToMetrics(context.Background(), connectortest.NewNopSettings(factory.Type()), cfg, consumertest.NewNop())
	require.NoError(b, err)
	return made
}

// processorTime returns the CPU time of this process, which hardly depends on other load.
func processorTime(b *testing.B) int64 {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func spanID(number uint64) (id pcommon.SpanID) {
	binary.BigEndian.PutUint64(id[:], 1<<63|number)
	return id
}

// stepSpans returns a batch of finished step spans as made by span_hierarchy.
func stepSpans(count int) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr(lifecycle.AttrServiceName, "shop")
	scope := rs.ScopeSpans().AppendEmpty()
	scope.Scope().SetName(lifecycle.ScopeSpans)
	began := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for i := range count {
		span := scope.Spans().AppendEmpty()
		span.SetName(lifecycle.SpanStep)
		span.SetTraceID(pcommon.TraceID{15: 1})
		span.SetSpanID(spanID(1<<32 + uint64(i)))
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(began))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(began.Add(time.Duration(i) * time.Millisecond)))
		attributes := span.Attributes()
		attributes.PutInt(lifecycle.AttrTaskID, int64(i))
		attributes.PutStr(lifecycle.AttrTaskName, "process_order")
		attributes.PutInt(lifecycle.AttrStepID, int64(i))
		attributes.PutStr(lifecycle.AttrStepName, "step_"+strconv.Itoa(i%10))
		attributes.PutInt(lifecycle.AttrAttemptNumber, 1)
		attributes.PutStr(lifecycle.AttrStatus, "success")
		attributes.PutStr(lifecycle.AttrCorrelationID, "tsk_mpv5pc29_Qc4wHQ")
	}
	return td
}
