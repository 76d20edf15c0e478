// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routing_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/routing"
)

func TestFilteredEventsAreDroppedWhateverTheirRoutesSay(t *testing.T) {
	s := settings(routing.Route{Event: "order.*", Signals: []string{"logs"}})
	s.Filtered = []string{"tasker.step.completed", "registry.*", "order.debug.*"}
	s.DefaultSignals = []string{"traces"}
	table := compile(t, s)
	for event, place := range map[string]string{
		"step.completed":           "filtered_events[0]", // has a built-in route
		"registry.stats_collected": "filtered_events[1]", // would have the default signals
		"order.debug.cart":         "filtered_events[2]", // would have the operator's route
	} {
		decision := table.Lookup(event)
		assert.Equal(t, routing.ReasonFiltered, decision.Reason, event)
		assert.Equal(t, place, decision.Place, event)
		assert.Equal(t, lifecycle.SignalsNone, decision.Signals, event)
	}
	assert.Equal(t, "routes[0]", table.Lookup("order.placed").Place)
	assert.Equal(t, "built in", table.Lookup("step.failed").Place)
	assert.Equal(t, "default_signals", table.Lookup("handler.registered").Place)
}

func TestContradictionsAreErrors(t *testing.T) {
	none, half, off := 0.0, 0.5, false
	_, err := routing.Compile(routing.Settings{
		Builtin: true, SamplingRate: 1, Filtered: []string{"*", "a.*", "tasker.x", "x", "b c", "off"},
		Routes: []routing.Route{
			{Event: "a.b", Signals: []string{"logs"}},
			{Event: "a.c.*", Signals: []string{"logs"}},
			{Event: "*z", Signals: []string{"logs"}},
			{Event: "*z*", Signals: []string{"logs"}},
			{Event: "d", Signals: []string{"traces", "logs"}, SamplingRate: &none},
			{Event: "memory.spike_detected", SamplingRate: &half},
			{Event: "e", Signals: []string{"logs", "logs"}},
			{Event: "off", Enabled: &off},
		},
	})
	require.Error(t, err)
	want := []string{
		`filtered_events[0]: "*" drops every event; list only names that are not needed`,
		`filtered_events[3]: "x" is listed already as filtered_events[2]; remove one of the two`,
		`filtered_events[4]: "b c" has a blank or a comma`,
		`routes[0]::event: "a.b" is never reached, because filtered_events[1] drops "a.*"; remove one of the two`,
		`routes[1]::event: "a.c.*" is never reached, because filtered_events[1] drops "a.*"`,
		`routes[2]::event: "*z" is never reached, because routes[3], "*z*", matches all of it and comes before`,
		`routes[4]::sampling_rate: 0 keeps no traces,logs of "d", which is for nothing else; use more`,
		`routes[5]::sampling_rate: 0.5 has no effect on "memory.spike_detected", which is for metrics only`,
		`routes[6]::signals[1]: "logs" is listed already; remove one of the two`,
	}
	for _, mistake := range want {
		assert.ErrorContains(t, err, mistake)
	}
	assert.Equal(t, len(want), strings.Count(err.Error(), "\n")+1, err)
}

func TestWarnings(t *testing.T) {
	logs := []string{"logs"}
	s := settings(
		routing.Route{Event: "taks.completed", Signals: logs},
		routing.Route{Event: "step.finished", Signals: logs},
		routing.Route{Event: "steps.*", Signals: logs},
		routing.Route{Event: "step.comp*", Signals: logs},
		routing.Route{Event: "order.placed", Signals: logs},
		routing.Route{Event: "order.*", Signals: logs},
		routing.Route{Event: "task.*", Signals: logs},
		routing.Route{Event: "step.completed", Signals: logs},
	)
	s.Filtered = []string{"registry.stat_collected"}
	warnings := compile(t, s).Warnings()
	want := []string{
		`routes[0]::event: "taks.completed" is not an event of Tasker; did you mean "task.completed"?`,
		`routes[1]::event: "step.finished" is not an event of Tasker; did you mean "step.`,
		`routes[2]::event: "steps.*" matches no event of Tasker; the nearest group is "step.*"`,
		`routes[3]::event: "step.comp*" decides on no event of Tasker, because all that it matches have a more specific route: ` +
			`"step.completed" is decided by "step.completed" (routes[7])`,
		`filtered_events[0]: "registry.stat_collected" is not an event of Tasker; did you mean "registry.stats_collected"?`,
	}
	require.Len(t, warnings, len(want), strings.Join(warnings, "\n"))
	for i, text := range want {
		assert.Contains(t, warnings[i], text)
	}
	assert.Empty(t, compile(t, settings()).Warnings(), "the built-in map")
}

// Every route that compiles decides some name, and every route that is refused as unreachable decides none of the names it
// matches.
func TestGlobsAreReachedOrRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfNDistinct(rapid.StringMatching(`[ab]?\*[ab]{0,2}(\*[ab]?)?`), 1, 4, rapid.ID[string]).
			Filter(func(events []string) bool { return !strings.Contains(strings.Join(events, " "), "**") }).Draw(t, "globs")
		routes := make([]routing.Route, len(events))
		for i, event := range events {
			routes[i] = routing.Route{Event: event, Signals: []string{"logs"}}
		}
		table, err := routing.Compile(routing.Settings{Routes: routes, SamplingRate: 1})
		if err == nil {
			for i, event := range events {
				// Replace each star with a text that contains no literal of the globs.
				name := strings.ReplaceAll(event, "*", "~")
				if got := table.Lookup(name).Route; got != event {
					// Only a more specific glob may decide here; a less specific one would decide everywhere.
					literals := func(s string) int { return len(s) - strings.Count(s, "*") }
					if literals(got) < literals(event) {
						t.Fatalf("%q: %q decides on %q", events, got, name)
					}
					if literals(got) == literals(event) {
						t.Fatalf("%q: routes[%d] %q is never reached, because of %q", events, i, event, got)
					}
				}
			}
			return
		}
		if !strings.Contains(err.Error(), "is never reached") {
			t.Fatalf("%q: %v", events, err)
		}
	})
}

// FuzzGlob compares globs with regular expressions.
func FuzzGlob(f *testing.F) {
	f.Add("a*b*c", "abbc")
	f.Add("*.failed", "step.failed")
	f.Add("ab*ba", "aba")
	f.Fuzz(func(t *testing.T, glob, name string) {
		table, err := routing.Compile(routing.Settings{Routes: []routing.Route{{Event: glob, Signals: []string{"logs"}}}, SamplingRate: 1})
		if err != nil || !strings.Contains(glob, "*") || !utf8.ValidString(glob) || !utf8.ValidString(name) {
			return
		}
		parts := strings.Split(glob, "*")
		for i, part := range parts {
			parts[i] = regexp.QuoteMeta(part)
		}
		want := regexp.MustCompile(`(?s)^` + strings.Join(parts, ".*") + `$`).MatchString(name)
		require.Equal(t, want, table.Lookup(name).Route == glob)
	})
}

func FuzzCompile(f *testing.F) {
	f.Add("task.*", "*.failed", "task.failed")
	f.Add("a*b*c", "a*", "abc")
	f.Add("tasker.step.completed", "**", "step.completed")
	f.Add("", "?", "\x00")
	f.Add("*\x00", "*", "é*")
	f.Fuzz(func(t *testing.T, route, filtered, name string) {
		table, err := routing.Compile(routing.Settings{
			Routes:   []routing.Route{{Event: route, Signals: []string{"logs"}}},
			Filtered: []string{filtered}, Builtin: true, SamplingRate: 1,
		})
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		decision := table.Lookup(lifecycle.Canonical(name))
		require.Equal(t, decision, table.Lookup(lifecycle.Canonical(name)), "the cached decision is the same")
		require.Equal(t, decision.Reason == routing.ReasonNone, decision.Signals != lifecycle.SignalsNone)
		_ = table.Warnings()
	})
}
