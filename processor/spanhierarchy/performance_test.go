// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

func withPerformance(t *testing.T, settings map[string]any) *Config {
	t.Helper()
	cfg := createDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"performance": settings}).Unmarshal(cfg))
	return cfg
}

// slowTask returns a task whose only step takes three seconds, with two queries and an event that reports memory.
func slowTask() ptrace.Traces {
	td := events("1", lifecycle.TaskStartRequested, lifecycle.WorkflowTaskStarted, lifecycle.StepExecutionRequested,
		lifecycle.StepBeforeHandle, lifecycle.DatabaseQueryExecuted, lifecycle.DatabaseQueryExecuted, lifecycle.StepCompleted, lifecycle.TaskCompleted)
	spans := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	for i := range spans.Len() {
		attrs := spans.At(i).Attributes()
		switch name := spans.At(i).Name(); name {
		case lifecycle.StepExecutionRequested, lifecycle.StepBeforeHandle, lifecycle.StepCompleted, lifecycle.DatabaseQueryExecuted:
			attrs.PutInt(lifecycle.AttrStepID, 5)
			attrs.PutStr(lifecycle.AttrStepName, "fetch")
			if name == lifecycle.DatabaseQueryExecuted {
				attrs.PutStr(lifecycle.AttrSQL, []string{"SELECT * FROM orders WHERE id = ?", "SELECT * FROM pg_catalog.pg_class"}[i-4])
				attrs.PutDouble(lifecycle.AttrDuration, 1.25)
			}
			if name == lifecycle.StepCompleted {
				attrs.PutDouble(lifecycle.AttrMemoryDeltaMB, 250)
			}
		}
		if i >= 4 {
			spans.At(i).SetStartTimestamp(spans.At(i).StartTimestamp() + 3e9)
		}
	}
	return td
}

// performanceEvents returns the performance events of a task's spans, by span.
func performanceEvents(t *testing.T, cfg *Config) map[string][]string {
	t.Helper()
	require.NoError(t, cfg.Validate())
	sink := new(consumertest.TracesSink)
	cfg.TrustReceived = true
	h := newTest(t, sink, func(c *Config) { *c = *cfg })
	require.NoError(t, h.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, h.ConsumeTraces(t.Context(), slowTask()))
	require.NoError(t, h.Shutdown(t.Context()))
	require.EqualValues(t, 1, h.sum(func(s assembly.Stats) int64 { return s.Schema }))
	found := map[string][]string{}
	for _, td := range sink.AllTraces() {
		spans := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
		for _, span := range spans.All() {
			for _, event := range span.Events().All() {
				if by, ok := event.Attributes().Get(lifecycle.AttrDetectedBy); ok {
					require.Equal(t, "span_hierarchy", by.Str())
					operation, _ := event.Attributes().Get(lifecycle.AttrOperation)
					found[span.Name()] = append(found[span.Name()], event.Name()+" "+operation.Str())
				}
			}
		}
	}
	return found
}

func TestSlowSpansSaySo(t *testing.T) {
	require.Equal(t, map[string][]string{
		lifecycle.SpanStep:    {"performance.slow_operation fetch"},
		lifecycle.SpanHandler: {"performance.memory_spike fetch"},
		lifecycle.SpanQuery:   {"performance.slow_sql_query SELECT orders"},
	}, performanceEvents(t, createDefaultConfig()))

	require.Equal(t, map[string][]string{
		lifecycle.SpanTask: {"performance.slow_operation process_order"},
	}, performanceEvents(t, withPerformance(t, map[string]any{
		"slow_task": "2s", "slow_query": 0,
		"overrides": []any{map[string]any{"steps": []any{"fetch"}, "slow_step": "5s", "memory_spike_mb": 1000}},
	})))

	require.Empty(t, performanceEvents(t, withPerformance(t, map[string]any{"enabled": false})))
}

func TestPerformanceConfigNamesEveryMistake(t *testing.T) {
	err := withPerformance(t, map[string]any{
		"slow_task": "-1s", "memory_spike_mb": -5,
		"overrides": []any{
			map[string]any{"slow_step": "1s"},
			map[string]any{"tasks": []any{"a", ""}},
			map[string]any{"steps": []any{"[a"}, "slow_task": "1s", "slow_query": "-2s"},
			map[string]any{"operations": []any{"SELECT"}, "slow_step": "1s", "memory_spike_mb": -1},
		},
	}).Validate()
	want := []string{
		"performance::slow_task: -1s is negative",
		"performance::memory_spike_mb: -5 is negative",
		"performance::overrides[0]: names nothing; add tasks, steps or operations",
		"performance::overrides[1]: changes nothing; add slow_task, slow_step, slow_query or memory_spike_mb",
		`performance::overrides[1]::tasks[1]: "" matches nothing; use a name`,
		"performance::overrides[2]::slow_query: -2s is negative",
		"performance::overrides[2]::slow_task: 1s is never used",
		`performance::overrides[2]::steps[0]: "[a" has a wildcard that is not known`,
		"performance::overrides[3]::memory_spike_mb: -1 is negative",
		"performance::overrides[3]::slow_step: 1s is never used",
	}
	for _, w := range want {
		require.ErrorContains(t, err, w)
	}
	require.Equal(t, len(want), strings.Count(err.Error(), "\n")+1)
}

func TestThresholdsAreTheDefaultsOfTheDesign(t *testing.T) {
	c := createDefaultConfig().Performance
	require.True(t, c.Enabled)
	require.Equal(t, time.Second, c.SlowStep)
	require.Equal(t, time.Second, c.SlowQuery)
	require.EqualValues(t, 100, c.MemorySpikeMB)
}
