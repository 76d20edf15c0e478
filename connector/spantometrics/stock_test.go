// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/connector/spanmetricsconnector"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// BenchmarkBesideStock has this connector and the collector's spanmetrics measure the same step spans: a sum and a
// histogram with exemplars, by task, step and status. That one forgets no repetition and keeps nothing across a restart.
func BenchmarkBesideStock(b *testing.B) {
	for name, in := range map[string]consumer.Traces{"span_to_metrics": ours(b), "spanmetrics": stock(b)} {
		b.Run(name, func(b *testing.B) {
			td := stepSpans(1000)
			ctx := context.Background()
			require.NoError(b, in.ConsumeTraces(ctx, td))
			b.ReportAllocs()
			b.ResetTimer()
			defer reportCPU(b)()
			for i := 0; i < b.N; i += 1000 {
				renewSpans(td)
				_ = in.ConsumeTraces(ctx, td)
			}
		})
	}
}

func ours(b *testing.B) consumer.Traces {
	in, _ := newBenchmark(b, nil)
	return in
}

func stock(b *testing.B) consumer.Traces {
	b.Helper()
	factory := spanmetricsconnector.NewFactory()
	cfg := factory.CreateDefaultConfig()
	require.NoError(b, confmap.NewFromStringMap(map[string]any{
		"dimensions": []any{
			map[string]any{"name": lifecycle.AttrTaskName}, map[string]any{"name": lifecycle.AttrStepName}, map[string]any{"name": lifecycle.AttrStatus},
		},
		"exemplars": map[string]any{"enabled": true},
		"histogram": map[string]any{"unit": "s", "explicit": map[string]any{"buckets": defaultBounds()}},
	}).Unmarshal(cfg))
	made, err := factory.CreateTracesToMetrics(context.Background(), connectortest.NewNopSettings(factory.Type()), cfg, consumertest.NewNop())
	require.NoError(b, err)
	return made
}
