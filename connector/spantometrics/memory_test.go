// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// TestMemoryOfSeries measures the memory of sums and histograms, half of each, with all exemplars.
func TestMemoryOfSeries(t *testing.T) {
	for _, test := range []struct{ series, megabytes int }{{10_000, 10}, {100_000, 100}} {
		t.Run(fmt.Sprint(test.series), func(t *testing.T) {
			before := heap()
			cfg := createDefaultConfig().(*Config)
			cfg.AggregationCardinalityLimit, cfg.MaxSeries, cfg.MaxSeriesBytes = test.series, 10*test.series, 10<<30
			in := newInputs(t, cfg)
			const tasksAtOnce = 5000
			for from := 0; from < test.series/2; from += tasksAtOnce {
				for range cfg.Exemplars.MaxPerDataPoint {
					td, spans := shopSpans(lifecycle.ScopeSpans)
					for i := range tasksAtOnce {
						addSpan(spans, lifecycle.SpanTask, time.Duration(i)*time.Millisecond, map[string]any{
							lifecycle.AttrTaskName: fmt.Sprintf("process_order_%d_of", from+i), lifecycle.AttrStatus: "success",
						})
					}
					require.NoError(t, in.ConsumeTraces(t.Context(), td))
				}
			}
			snapshot := in.state.Series.Collect(in.clock.now())
			require.Equal(t, test.series, snapshot.Live)
			in.state.Series.Accept(&snapshot)
			snapshot.Applications = nil
			// The memory of the duplicate detection is bounded by a setting of its own.
			in.state.Spans = nil
			used := heap() - before
			t.Logf("%d series: %d bytes, %d each", test.series, used, used/test.series)
			require.Less(t, used, test.megabytes<<20)
			runtime.KeepAlive(in)
		})
	}
}

// heap returns the memory in use after a garbage collection.
func heap() int {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}
