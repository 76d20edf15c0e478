// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package inprocess

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// openTask holds when a task was open, and when its steps were executed.
type openTask struct {
	first, ended time.Time
	executing    []streamtest.Interval
}

// gaugeByState returns the gauge of active tasks by state.
func gaugeByState(md pmetric.Metrics) map[string]int64 {
	states := map[string]int64{}
	for _, rm := range md.ResourceMetrics().All() {
		for _, metric := range rm.ScopeMetrics().At(0).Metrics().All() {
			if metric.Name() != "tasker.tasks.active" {
				continue
			}
			for _, dp := range metric.Gauge().DataPoints().All() {
				state, _ := dp.Attributes().Get("state")
				states[state.AsString()] += dp.IntValue()
			}
		}
	}
	return states
}

// TestActiveTasksFollowTheStream feeds a stream in real time, with repetitions. At each flush the active tasks are those
// that have begun and not ended, and those with an executing step are running.
func TestActiveTasksFollowTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lines, truth := streamtest.Generate(streamtest.Options{Tasks: 60, Seed: 12, Failures: true, SpacingMS: 400})
		ld, err := streamtest.ToLogs(lines, "")
		require.NoError(t, err)
		records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		shift := time.Since(records.At(0).Timestamp().AsTime()) + time.Second
		all := arrivals(records, shift, false)

		tasks := map[int64]*openTask{}
		for _, a := range all {
			id, _ := a.record.Attributes().Get(lifecycle.AttrTaskID)
			task := tasks[id.Int()]
			if task == nil {
				task = &openTask{first: a.at}
				tasks[id.Int()] = task
			}
			if name := a.record.EventName(); task.ended.IsZero() && (name == lifecycle.TaskCompleted || name == lifecycle.TaskFailed) {
				task.ended = a.at
			}
		}
		for i := range truth {
			for _, attempt := range truth[i].Attempts() {
				task := tasks[truth[i].TaskID]
				task.executing = append(task.executing, streamtest.Interval{Start: attempt.Start + int64(shift), End: attempt.HandlerEnd + int64(shift)})
			}
		}

		flushes, waited := 0, int64(0)
		sink, err := consumer.NewMetrics(func(_ context.Context, md pmetric.Metrics) error {
			flushes++
			now := time.Now()
			open, executing := int64(0), int64(0)
			for _, task := range tasks {
				if task.first.After(now) || !task.ended.IsZero() && !task.ended.After(now) {
					continue
				}
				open++
				for _, interval := range task.executing {
					if interval.Start <= now.UnixNano() && now.UnixNano() < interval.End {
						executing++
						break
					}
				}
			}
			states, sum := gaugeByState(md), int64(0)
			for _, count := range states {
				sum += count
			}
			assert.Equal(t, open, sum, "%v: %v", now, states)
			assert.GreaterOrEqual(t, states["running"], executing, "%v", now)
			assert.NotContains(t, states, "")
			waited += states["waiting"] + states["queued"] + states["blocked"] + states["backing_off"]
			return nil
		})
		require.NoError(t, err)
		p := newPipeline(t, settings{metrics: map[string]any{"metrics_flush_interval": "700ms"}}, sink)
		feed(t, p, all, ld.ResourceLogs().At(0).Resource())
		time.Sleep(time.Second)
		p.stop(t)
		require.Greater(t, flushes, 20)
		require.Positive(t, waited, "tasks are in other states, too")
	})
}
