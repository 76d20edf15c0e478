// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// The built-in metrics pass the same checks as metrics that an operator declares.
func TestBuiltInMetricsAreDeclarations(t *testing.T) {
	c := &metricsCheck{cfg: createDefaultConfig().(*Config), taken: map[string]string{}}
	for name, declared := range builtIn() {
		c.declaration(&declaration{MetricConfig: declared, name: name})
	}
	require.Empty(t, c.mistakes)
}

// A built-in metric of an event that is not routed to metrics by default would stay empty in the shipped pipelines.
func TestEventsOfBuiltInMetricsAreRoutedToMetrics(t *testing.T) {
	routed := map[string]lifecycle.Signals{}
	for _, route := range lifecycle.DefaultRoutes() {
		routed[route.Event] = route.Signals
	}
	for name, declared := range builtIn() {
		for _, source := range append(declared.Sources, declared.SourceConfig) {
			for _, event := range source.Event {
				if !strings.Contains(event, "*") {
					require.NotZero(t, routed[event]&lifecycle.SignalMetrics, "%s of %s", event, name)
				}
			}
		}
	}
}

// With payload::decode used, tasker_events does not decode what the built-in metrics do not read.
func TestBuiltInMetricsReadNothingUnused(t *testing.T) {
	for event, unused := range lifecycle.UnusedPayloadKeys() {
		for name, declared := range builtIn() {
			read := declared.PayloadKeysOf(event)
			require.False(t, slices.ContainsFunc(unused, func(key string) bool { return slices.Contains(read, key) }), "%s of %s", name, event)
		}
	}
	viable := builtIn()["tasker.workflow.viable_steps"]
	require.Equal(t, []string{"step_names", "viable_count", "step_count"}, viable.PayloadKeysOf(lifecycle.WorkflowViableStepsDiscovered))
	require.Nil(t, viable.PayloadKeysOf(lifecycle.StepCompleted))
}

// An operator's copy of a built-in metric under another name measures the same.
func TestCopiesOfBuiltInMetrics(t *testing.T) {
	const copied = "copy."
	p := newPair(t, func(cfg *Config) {
		cfg.Metrics = map[string]MetricConfig{}
		for name, declared := range builtIn() {
			if declared.Type != typeActive && declared.Type != typeOldest {
				cfg.Metrics[copied+name] = declared
			}
		}
	})
	ld, _ := readEvents(t, "planned")
	addPerformance(ld)
	p.consumeLogs(t, ld)
	for _, task := range readTruth(t, "mixed") {
		p.consumeTraces(t, finishedSpans(task, expectations{}))
	}
	p.stop(t)
	for name, declared := range builtIn() {
		if declared.Type == typeActive || declared.Type == typeOldest {
			continue
		}
		want := read(p.sink.last(), name)
		require.NotEmpty(t, want, name)
		require.Equal(t, want, read(p.sink.last(), copied+name), name)
	}
}

func TestParseMetrics(t *testing.T) {
	_, err := parseMetrics([]byte("shop.orders: {type: counter, evnt: order.placed}"))
	require.ErrorContains(t, err, "evnt")
	_, err = parseMetrics([]byte("shop.orders: ["))
	require.Error(t, err)
	parsed, err := parseMetrics([]byte(strings.Join([]string{
		"shop.orders:", "  type: counter", "  sources: [{event: [a, b.*]}, {span: step}]", "  value: amount",
	}, "\n")))
	require.NoError(t, err)
	require.Equal(t, map[string]MetricConfig{"shop.orders": {
		Type: typeCounter, Sources: []SourceConfig{{Event: []string{"a", "b.*"}}, {Span: "step"}}, Value: []string{"amount"},
	}}, parsed)
}
