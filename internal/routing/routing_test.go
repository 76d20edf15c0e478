// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routing_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/routing"
)

const both = lifecycle.SignalTraces | lifecycle.SignalMetrics

func settings(routes ...routing.Route) routing.Settings {
	return routing.Settings{Routes: routes, Builtin: true, SamplingRate: 1}
}

func compile(t testing.TB, s routing.Settings) *routing.Table {
	t.Helper()
	table, err := routing.Compile(s)
	require.NoError(t, err)
	return table
}

func TestBuiltinRoutesAreInForce(t *testing.T) {
	table := compile(t, settings())
	for _, route := range lifecycle.DefaultRoutes() {
		decision := table.Lookup(route.Event)
		assert.Equal(t, route.Signals, decision.Signals, route.Event)
		assert.Equal(t, route.Priority, decision.Priority, route.Event)
		assert.InDelta(t, route.SamplingRate, decision.SamplingRate, 0, route.Event)
		assert.Equal(t, routing.ReasonNone, decision.Reason, route.Event)
	}
	assert.Len(t, table.Entries(), len(lifecycle.DefaultRoutes()))
}

func TestMostSpecificWins(t *testing.T) {
	logs := []string{"logs"}
	table := compile(t, settings(
		routing.Route{Event: "*", Signals: []string{"metrics"}},
		routing.Route{Event: "task.*", Signals: logs},
		routing.Route{Event: "order.*", Signals: logs},
		routing.Route{Event: "order.*.failed", Signals: []string{"traces"}},
		routing.Route{Event: "order.payment.failed", Signals: []string{"traces", "logs"}},
		routing.Route{Event: "a*c", Signals: logs},
		routing.Route{Event: "ab*", Signals: []string{"traces"}},
	))
	for event, want := range map[string]struct {
		route   string
		signals lifecycle.Signals
	}{
		"task.completed":         {"task.completed", both}, // the built-in exact name beats the operator's glob
		"task.before_transition": {"task.*", lifecycle.SignalLogs},
		"order.placed":           {"order.*", lifecycle.SignalLogs},
		"order.":                 {"order.*", lifecycle.SignalLogs},
		"order.item.failed":      {"order.*.failed", lifecycle.SignalTraces},
		"order.payment.failed":   {"order.payment.failed", lifecycle.SignalTraces | lifecycle.SignalLogs},
		"order":                  {"*", lifecycle.SignalMetrics},
		"abc":                    {"ab*", lifecycle.SignalTraces}, // as specific as a*c, and later
		"":                       {"*", lifecycle.SignalMetrics},
	} {
		for range 2 { // the second time from the cache
			decision := table.Lookup(event)
			assert.Equal(t, want.route, decision.Route, event)
			assert.Equal(t, want.signals, decision.Signals, event)
		}
	}
}

func TestOverridesInheritWhatTheyOmit(t *testing.T) {
	rate, off := 0.5, false
	table := compile(t, settings(
		routing.Route{Event: "tasker.database.query_executed", Signals: []string{"metrics"}},
		routing.Route{Event: "observability.step.max_retries_reached", SamplingRate: &rate},
		routing.Route{Event: "step.completed", Priority: "critical"},
		routing.Route{Event: "step.failed", Enabled: &off},
		routing.Route{Event: "noise.*", Enabled: &off},
	))
	query := table.Lookup(lifecycle.DatabaseQueryExecuted)
	assert.Equal(t, lifecycle.SignalMetrics, query.Signals)
	assert.InDelta(t, 0.1, query.SamplingRate, 0, "inherited")

	retries := table.Lookup(lifecycle.ObservabilityStepMaxRetriesReached)
	assert.Equal(t, both, retries.Signals)
	assert.InDelta(t, 0.5, retries.SamplingRate, 0)
	assert.Equal(t, lifecycle.PriorityHigh, retries.Priority, "inherited")

	assert.Equal(t, lifecycle.PriorityCritical, table.Lookup(lifecycle.StepCompleted).Priority)
	for _, event := range []string{lifecycle.StepFailed, "noise.made"} {
		assert.Equal(t, routing.ReasonDisabled, table.Lookup(event).Reason)
		assert.Equal(t, lifecycle.SignalsNone, table.Lookup(event).Signals)
	}
	assert.Len(t, table.Entries(), len(lifecycle.DefaultRoutes())+1)
}

func TestEventsWithoutARoute(t *testing.T) {
	s := settings()
	assert.Equal(t, routing.ReasonNoRoute, compile(t, s).Lookup("order.placed").Reason)

	s.DefaultSignals = []string{"logs", "metrics"}
	decision := compile(t, s).Lookup("order.placed")
	assert.Equal(t, routing.ReasonNone, decision.Reason)
	assert.Equal(t, lifecycle.SignalLogs|lifecycle.SignalMetrics, decision.Signals)
	assert.Equal(t, lifecycle.PriorityNormal, decision.Priority)

	s = settings()
	s.Builtin = false
	assert.Equal(t, routing.ReasonNoRoute, compile(t, s).Lookup(lifecycle.TaskCompleted).Reason)
}

func TestMistakesAreReportedTogether(t *testing.T) {
	rate := 1.5
	_, err := routing.Compile(routing.Settings{
		Builtin: true, SamplingRate: math.NaN(), DefaultSignals: []string{"trace"},
		Routes: []routing.Route{
			{Event: "", Signals: []string{"logs"}},
			{Event: "a.?", Signals: []string{"logs"}},
			{Event: "b", Signals: []string{"logs", "spans"}},
			{Event: "c"},
			{Event: "step.completed", Signals: []string{}},
			{Event: "d", Signals: []string{"logs"}, SamplingRate: &rate, Priority: "urgent"},
			{Event: "tasker.d", Signals: []string{"logs"}},
			{Event: "a b", Signals: []string{"logs"}},
			{Event: "a**b", Signals: []string{"logs"}},
		},
	})
	require.Error(t, err)
	for _, want := range []string{
		`default_signals[0]: "trace" is not a signal; use traces, metrics or logs`,
		`sampling_rate: NaN is out of range; use 0 to 1`,
		`routes[0]::event: "" is not a name`,
		`routes[1]::event: "a.?" has a wildcard that is not known; use *`,
		`routes[2]::signals[1]: "spans" is not a signal`,
		`routes[3]::signals: is missing, and there is no built-in route for "c"; use traces`,
		`routes[4]::signals: is empty`,
		`routes[5]::sampling_rate: 1.5 is out of range`,
		`routes[5]::priority: "urgent" is not known; use "low", "normal", "high" or "critical"`,
		`routes[6]::event: "tasker.d" has a route already, routes[5]`,
		`routes[7]::event: "a b" has a blank`,
		`routes[8]::event: "a**b" has two stars`,
	} {
		assert.ErrorContains(t, err, want)
	}
	var joined interface{ Unwrap() []error }
	assert.ErrorAs(t, err, &joined)
	assert.Equal(t, 12, strings.Count(err.Error(), "\n")+1)
}

// Sampling keeps about its rate and the same tasks for every event, and a higher rate keeps every task that a lower one
// keeps.
func TestSampling(t *testing.T) {
	table := func(rate, global float64) *routing.Decision {
		s := settings(routing.Route{Event: "e", Signals: []string{"traces", "metrics"}, SamplingRate: &rate})
		s.SamplingRate = global
		return compile(t, s).Lookup("e")
	}
	low, high, half := table(0.1, 1), table(0.3, 1), table(0.6, 0.5)
	const tasks = 20_000
	kept := 0
	for i := range tasks {
		random := routing.Randomness(lifecycle.TraceID("", "shop", string(rune(i))))
		takes := func(d *routing.Decision) bool { return d.Sample(random).Has(lifecycle.SignalTraces) }
		if takes(low) {
			kept++
			assert.True(t, takes(high))
		}
		assert.Equal(t, takes(high), takes(half), "0.6 of half is 0.3")
		assert.True(t, low.Sample(random).Has(lifecycle.SignalMetrics))
	}
	assert.InDelta(t, 0.1, float64(kept)/tasks, 0.01)

	all, none := table(1, 1), table(0, 1)
	first, last := routing.Randomness(pcommon.TraceID{}), uint64(1<<56-1)
	assert.Equal(t, both, all.Sample(first))
	assert.Equal(t, lifecycle.SignalMetrics, none.Sample(last))
}

// Glob matching agrees with a slow, obviously correct matcher.
func TestGlobMatches(t *testing.T) {
	var slow func(pattern, name string) bool
	slow = func(pattern, name string) bool {
		switch {
		case pattern == "":
			return name == ""
		case pattern[0] == '*':
			return slow(pattern[1:], name) || name != "" && slow(pattern, name[1:])
		}
		return name != "" && name[0] == pattern[0] && slow(pattern[1:], name[1:])
	}
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab]{0,2}(\*[ab]{1,2}){0,3}\*?`).Filter(func(s string) bool {
			return strings.Contains(s, "*")
		}).Draw(t, "pattern")
		name := rapid.StringMatching(`[ab]{0,8}`).Draw(t, "name")
		table, err := routing.Compile(routing.Settings{
			SamplingRate: 1, Routes: []routing.Route{{Event: pattern, Signals: []string{"logs"}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := table.Lookup(name).Route == pattern; got != slow(pattern, name) {
			t.Fatalf("%q on %q: %v", pattern, name, got)
		}
	})
}

func BenchmarkLookup(b *testing.B) {
	table := compile(b, settings(
		routing.Route{Event: "order.*", Signals: []string{"logs"}}, routing.Route{Event: "*.failed", Signals: []string{"logs"}},
	))
	for _, event := range []string{"step.completed", "order.placed", "nobody.knows"} {
		b.Run(event, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				table.Lookup(event)
			}
		})
	}
}
