// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package counter_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/tasker-otel/otelcol-tasker/internal/counter"
)

func TestAdd(t *testing.T) {
	reader := sdk.NewManualReader()
	dropped, err := sdk.NewMeterProvider(sdk.WithReader(reader)).Meter("").Int64Counter("dropped")
	require.NoError(t, err)
	late := counter.With("signal", "traces", "reason", "late")
	never := counter.With("signal", "traces", "reason", "never")
	require.Zero(t, testing.AllocsPerRun(100, func() { counter.Add(context.Background(), dropped, 0, never) }))
	counter.Add(context.Background(), dropped, int64(3), late)
	counter.Add(context.Background(), dropped, 4, late)
	counter.Add(context.Background(), dropped, 1, nil)

	var got metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(context.Background(), &got))
	values := map[string]int64{}
	for _, point := range got.ScopeMetrics[0].Metrics[0].Data.(metricdata.Sum[int64]).DataPoints {
		values[point.Attributes.Encoded(attribute.DefaultEncoder())] = point.Value
	}
	require.Equal(t, map[string]int64{"reason=late,signal=traces": 7, "": 1}, values)
}
