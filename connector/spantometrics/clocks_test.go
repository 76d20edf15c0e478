// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// openTask returns the first event of a task.
func openTask() plog.Logs {
	ld, records := shopLogs()
	addEvent(records, lifecycle.WorkflowTaskStarted, 7, time.Now(), map[string]any{lifecycle.AttrTaskName: "process_order"})
	return ld
}

// TestDowntimeDoesNotCount stops the process for longer than the expiration of series and active tasks: all exist after the
// restart and expire after that much running time.
func TestDowntimeDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(*Config) {})
		c := w.begin()
		require.NoError(t, batch{ld: openTask()}.consume(c))
		require.NoError(t, c.flush(context.Background()))
		want := w.totals(false)
		require.Len(t, want, 2)

		for range 3 {
			time.Sleep(7 * time.Hour)
			require.NoError(t, c.flush(context.Background()))
			w.crash()
			time.Sleep(27 * time.Hour)
			c = w.begin()
			clear(w.cumulative)
			require.NoError(t, c.flush(context.Background()))
			require.Equal(t, want, w.totals(false))
			require.Equal(t, 1, c.state.Active.Len())
		}

		time.Sleep(3*time.Hour + time.Minute)
		clear(w.cumulative)
		require.NoError(t, c.flush(context.Background()))
		require.Empty(t, w.totals(false), "24 hours of running have passed")
		require.Zero(t, c.state.Active.Len())
	})
}

// receiver keeps the newest point of each series, as the prometheus exporter does.
type receiver map[string]pmetric.NumberDataPoint

// take consumes a flush and returns how many points it ignored as older than the stored ones.
func (r receiver) take(md pmetric.Metrics) (older int) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, metric := range rm.ScopeMetrics().At(0).Metrics().All() {
			if metric.Type() != pmetric.MetricTypeSum {
				continue
			}
			for _, dp := range metric.Sum().DataPoints().All() {
				series := labelText(rm.Resource().Attributes()) + metric.Name() + labelText(dp.Attributes())
				before, known := r[series]
				switch {
				case dp.Flags().NoRecordedValue():
					delete(r, series)
				case known && dp.Timestamp() < before.Timestamp():
					older++
				default:
					r[series] = dp
				}
			}
		}
	}
	return older
}

// TestReceiversGoOnWhenTheClockIsSetBack sets the clock back: receivers still accept newer points.
func TestReceiversGoOnWhenTheClockIsSetBack(t *testing.T) {
	for _, back := range []time.Duration{time.Second, 30 * time.Minute, 2 * time.Hour, 300 * 24 * time.Hour} {
		in := newInputs(t, createDefaultConfig().(*Config))
		receiver := receiver{}
		now := in.clock.now()
		flush := func() int {
			snapshot := in.state.Series.Collect(now)
			md := in.converter.Metrics(&snapshot)
			in.state.Series.Accept(&snapshot)
			return receiver.take(md)
		}
		total := func() (sum int64) {
			for _, dp := range receiver {
				sum += dp.IntValue()
			}
			return sum
		}
		require.NoError(t, in.ConsumeTraces(t.Context(), oneTask()))
		require.Zero(t, flush())
		require.EqualValues(t, 1, total())

		now.Wall -= back.Nanoseconds()
		for i := range 3 {
			now.Wall += time.Second.Nanoseconds()
			now.Running += time.Second.Nanoseconds()
			td := oneTask()
			renewSpans(td)
			require.NoError(t, in.ConsumeTraces(t.Context(), td))
			require.Zero(t, flush(), "%v", back)
			require.EqualValues(t, i+2, total(), "%v", back)
		}
	}
}

// TestExpiredSeriesAreReportedAsEnded checks that receivers drop expired series and keep those that restarted.
func TestExpiredSeriesAreReportedAsEnded(t *testing.T) {
	for _, refused := range []bool{false, true} {
		in := newInputs(t, createDefaultConfig().(*Config))
		receiver := receiver{}
		now := in.clock.now()
		flush := func(refused bool) {
			snapshot := in.state.Series.Collect(now)
			md := in.converter.Metrics(&snapshot)
			if refused {
				in.state.Series.Restore(&snapshot)
				return
			}
			in.state.Series.Accept(&snapshot)
			receiver.take(md)
		}
		require.NoError(t, in.ConsumeTraces(t.Context(), oneTask()))
		flush(false)
		require.Len(t, receiver, 1)
		now.Running += (25 * time.Hour).Nanoseconds()
		if refused {
			flush(true)
			td := oneTask()
			renewSpans(td)
			require.NoError(t, in.ConsumeTraces(t.Context(), td))
			flush(false)
			require.Len(t, receiver, 1, "it began anew after it had expired")
			continue
		}
		flush(false)
		require.Empty(t, receiver)
	}
}
