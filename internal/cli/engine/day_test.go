// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// TestDay plays two days: events are in order, equal for the same seed, cover everything that a dashboard shows, and need
// bounded memory.
func TestDay(t *testing.T) {
	start := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	options := DayOptions{Start: start, Length: time.Hour, Seed: 7}
	day, again := NewDay(options), NewDay(options)
	byHour := map[int]map[string]int{}
	total := map[string]int{}
	last, waiting := start, 0
	for {
		line, at := day.Next()
		same, _ := again.Next()
		require.Equal(t, same, line)
		if at.After(start.Add(2 * options.Length)) {
			break
		}
		require.False(t, at.Before(last), "%s after %s", at, last)
		last, waiting = at, max(waiting, len(day.waiting))
		var item struct {
			Event      string    `json:"event"`
			OccurredAt time.Time `json:"occurred_at"`
			Payload    struct {
				ToState string `json:"to_state"`
			} `json:"payload"`
		}
		require.NoError(t, json.Unmarshal(line, &item))
		require.Equal(t, at.UTC(), item.OccurredAt)
		hour := int(day.hour(at.UnixNano()))
		if byHour[hour] == nil {
			byHour[hour] = map[string]int{}
		}
		byHour[hour][item.Event]++
		total[item.Event]++
	}
	for _, event := range []string{lifecycle.TaskCompleted, lifecycle.TaskFailed, lifecycle.TaskCancelled, lifecycle.StepFailed,
		lifecycle.StepInitializeRequested, lifecycle.ObservabilityStepBackoff, lifecycle.DatabaseQueryExecuted,
		lifecycle.PerformanceMemorySpike, lifecycle.PerformanceSlowSQLQuery, lifecycle.TaskInitializeRequested, "order.fulfilled"} {
		assert.Positive(t, total[event], event)
	}
	begun := func(hour int) int { return byHour[hour][lifecycle.WorkflowTaskStarted] }
	assert.Greater(t, begun(12), 3*begun(3), "nights are quiet")
	failures := func(hour int) float64 {
		return float64(byHour[hour][lifecycle.StepFailed]) / float64(byHour[hour][lifecycle.StepCompleted])
	}
	assert.Greater(t, failures(14), 3*failures(11), "an outage shows")
	assert.Less(t, waiting, 100_000)
}
