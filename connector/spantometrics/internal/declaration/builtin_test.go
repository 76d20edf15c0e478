// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package declaration

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// A built-in metric of an event that is not routed to metrics by default would stay empty in the shipped pipelines.
func TestEventsOfBuiltInMetricsAreRoutedToMetrics(t *testing.T) {
	routed := map[string]lifecycle.Signals{}
	for _, route := range lifecycle.DefaultRoutes() {
		routed[route.Event] = route.Signals
	}
	for name, declared := range BuiltIn() {
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
		for name, declared := range BuiltIn() {
			read := declared.PayloadKeysOf(event)
			require.False(t, slices.ContainsFunc(unused, func(key string) bool { return slices.Contains(read, key) }), "%s of %s", name, event)
		}
	}
	viable := BuiltIn()["tasker.workflow.viable_steps"]
	require.Equal(t, []string{"step_names", "viable_count", "step_count"}, viable.PayloadKeysOf(lifecycle.WorkflowViableStepsDiscovered))
	require.Nil(t, viable.PayloadKeysOf(lifecycle.StepCompleted))
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
		Type: TypeCounter, Sources: []SourceConfig{{Event: []string{"a", "b.*"}}, {Span: "step"}}, Value: []string{"amount"},
	}}, parsed)
}
