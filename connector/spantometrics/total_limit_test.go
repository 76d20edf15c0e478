// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// queries returns queries of a service on the tables in a range of numbers.
func queries(service string, from, to int) plog.Logs {
	ld, records := shopLogs()
	ld.ResourceLogs().At(0).Resource().Attributes().PutStr(lifecycle.AttrServiceName, service)
	for table := from; table < to; table++ {
		addEvent(records, lifecycle.DatabaseQueryExecuted, 0, time.Now(), map[string]any{
			lifecycle.AttrDuration: 0.01, lifecycle.AttrSQL: fmt.Sprintf("SELECT * FROM table_%03d", table),
		})
	}
	return ld
}

// TestOneSenderCannotFillTheTable sends queries of many services and tables, one service after the other: series and their
// size stay within the limits, and every query counts. If only some services exhaust their share, a later one still gets
// series.
func TestOneSenderCannotFillTheTable(t *testing.T) {
	for _, test := range []struct{ services, tables, late int }{{6, 300, 2}, {300, 30, 0}} {
		fillTheTable(t, test.services, test.tables, test.late)
	}
}

func fillTheTable(t *testing.T, services, tables, wantLate int) {
	p := newPair(t, func(cfg *Config) { cfg.MaxSeries, cfg.MaxSeriesBytes = 1000, 2<<20 })
	for service := range services {
		p.consumeLogs(t, queries(fmt.Sprint("service-", service), 0, tables))
	}
	p.consumeLogs(t, queries("late", 0, 2))
	p.stop(t)

	flush := p.sink.last()
	points, late, counted := 0, 0, uint64(0)
	for _, rm := range flush.ResourceMetrics().All() {
		isLate := eventrecord.Text(rm.Resource().Attributes(), lifecycle.AttrServiceName) == "late"
		for _, metric := range rm.ScopeMetrics().At(0).Metrics().All() {
			found := map[string]point{}
			readPoints(metric, found)
			points += len(found)
			if metric.Name() != "tasker.sql.queries" {
				continue
			}
			for labels, point := range found {
				counted += point.count
				if isLate && labels != "otel.metric.overflow=true" {
					late++
				}
			}
		}
	}
	const ofOverflow = 10 // of the overflow application
	require.LessOrEqual(t, points, 1000+ofOverflow)
	require.EqualValues(t, services*tables+2, counted)
	require.Equal(t, wantLate, late)
	require.LessOrEqual(t, p.own(t, "series_bytes")[""], int64(2<<20))
	require.Positive(t, p.own(t, "overflowed")["tasker.sql.queries max_series"])
}

// TestStoredStateAboveTheLimitIsCut starts with lower limits than the previous process: series are merged into overflow
// series, of the largest applications first, no value is lost, active gauges end, and cut series are counted.
func TestStoredStateAboveTheLimitIsCut(t *testing.T) {
	for _, temporality := range []string{cumulative, delta} {
		limit := 0
		w := newWorld(t, func(cfg *Config) {
			cfg.AggregationTemporality = temporality
			if limit > 0 {
				cfg.MaxSeries = limit
			}
		})
		c := w.begin()
		require.NoError(t, batch{ld: queries("large", 0, 100)}.consume(c))
		require.NoError(t, batch{ld: queries("small", 0, 5)}.consume(c))
		tasks, records := shopLogs()
		for task := range byte(50) {
			addEvent(records, lifecycle.WorkflowTaskStarted, 1+task, time.Now(), map[string]any{lifecycle.AttrTaskName: fmt.Sprint("task ", task)})
		}
		require.NoError(t, batch{ld: tasks}.consume(c))
		if temporality == delta {
			w.refusing = true // these values are in a flush that is never accepted
			require.Error(t, c.flush(context.Background()))
		}

		for _, limit = range []int{80, 30, 10} {
			w.crash()
			c = w.begin()
			if open := c.state.Series.Unanswered(); open != nil {
				c.state.Series.Restore(open)
			}
			require.LessOrEqual(t, c.state.Series.Size().Items, int64(limit))
			snapshot := c.state.Series.Collect(c.clock.now())
			sums, small := map[string]uint64{}, 0
			for _, app := range snapshot.Applications {
				for _, metric := range app.Metrics {
					for _, point := range metric.Points {
						if metric.Definition.Name != "tasker.tasks.oldest_active_age" {
							sums[metric.Definition.Name] += point.Value.Count + uint64(point.Value.Level)
						}
						if app.Service == "small" && !point.Overflow {
							small++
						}
					}
				}
			}
			require.Equal(t, map[string]uint64{
				"tasker.sql.queries": 105, "tasker.sql.duration": 105, "tasker.events": 155, "tasker.tasks.active": 50,
			}, sums, "%s %d", temporality, limit)
			if limit == 80 {
				require.Equal(t, 11, small, "the small one keeps what it has")
			}
			c.state.Series.Restore(&snapshot)
			require.NoError(t, c.persistence.Load().commit(context.Background()))
		}

		ends, records := shopLogs()
		for task := range byte(50) {
			addEvent(records, lifecycle.TaskCompleted, 1+task, time.Now().Add(time.Second), nil)
		}
		require.NoError(t, batch{ld: ends}.consume(c))
		w.crash()
		c = w.begin()
		require.NoError(t, c.flush(context.Background()))
		for series := range w.totals(false) {
			require.NotContains(t, series, "tasks.active")
		}
	}
}

func TestCutSeriesAreCounted(t *testing.T) {
	p := newPair(t, nil)
	defer p.stop(t)
	in := p.traces.(tracesInput).instance
	in.telemetry.cut(t.Context(), 7)
	require.Equal(t, map[string]int64{"": 7}, p.own(t, "cut_series"))
}

// TestTheRoomIsCountedRightly records, expires and restarts: the room used equals the size of the series.
func TestTheRoomIsCountedRightly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(10, 60).Draw(t, "limit")
		w := newWorld(t, func(cfg *Config) {
			cfg.MaxSeries, cfg.AggregationCardinalityLimit = limit, rapid.IntRange(2, 20).Draw(t, "of a metric")
			cfg.MaxApplications = 3
		})
		c := w.begin()
		later := time.Duration(0)
		for range rapid.IntRange(1, 15).Draw(t, "length") {
			from := rapid.IntRange(0, 30).Draw(t, "from")
			service := fmt.Sprint("service-", rapid.IntRange(0, 4).Draw(t, "service"))
			require.NoError(t, batch{ld: queries(service, from, from+rapid.IntRange(0, 20).Draw(t, "tables"))}.consume(c))
			switch rapid.IntRange(0, 2).Draw(t, "then") {
			case 0:
				require.NoError(t, c.persistence.Load().commit(context.Background()))
				w.crash()
				c = w.begin()
			case 1:
				later += 30 * time.Hour
				now := c.clock.now()
				now.Running += later.Nanoseconds()
				snapshot := c.state.Series.Collect(now)
				c.state.Series.Accept(&snapshot)
			}
			snapshot := c.state.Series.Collect(c.clock.now())
			c.state.Series.Restore(&snapshot)
			series := 0
			for _, app := range snapshot.Applications {
				for _, metric := range app.Metrics {
					for _, point := range metric.Points {
						if !app.Overflow || !point.Overflow {
							series++
						}
					}
				}
			}
			require.EqualValues(t, series, c.state.Series.Size().Items)
			require.LessOrEqual(t, series, limit)
		}
	})
}
