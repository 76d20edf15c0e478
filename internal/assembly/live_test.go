// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// scenarioEvents returns the events of all scenarios, by name.
func scenarioEvents(t testing.TB) map[string][]*event.Event {
	t.Helper()
	events := map[string][]*event.Event{}
	for _, s := range streamtest.Scenarios() {
		for _, line := range s.Lines {
			events[s.Name] = append(events[s.Name], parseEvent(t, line))
		}
	}
	return events
}

// inParts sets the limits to emit settled spans of open tasks.
func inParts(l assembly.Limits) assembly.Limits {
	l.Parts = true
	return l
}

// patient returns limits without idle tasks, so that trees of open tasks can be compared.
func patient() assembly.Limits {
	l := limits()
	l.IdleTimeout = 30 * 24 * time.Hour
	return l
}

// spansByTrace assembles and returns the text of every span, by trace, without regard to when and with which others a tree was
// emitted.
func spansByTrace(t require.TestingT, run func(a *assembly.Assembler)) map[event.TraceID][]string {
	return spansWithin(t, patient(), run)
}

func spansWithin(t require.TestingT, limits assembly.Limits, run func(a *assembly.Assembler)) map[event.TraceID][]string {
	spans := map[event.TraceID][]string{}
	union := union{}
	a := assembly.New(limits, func(tree *tree.Tree) {
		union.add(t, tree)
		for i := range tree.Spans {
			spans[tree.Trace] = append(spans[tree.Trace], describeSpan(&tree.Spans[i]))
		}
	})
	run(a)
	a.Flush()
	union.requireWellFormed(t)
	require.Zero(t, a.Stats().OpenTasks)
	require.Zero(t, a.Stats().HeldEvents)
	require.Zero(t, a.Stats().HeldBytes)
	for _, list := range spans {
		slices.Sort(list)
	}
	return spans
}

// arrival is an event that reaches the collector at a time.
type arrival struct {
	at    int64
	event *event.Event
}

// arrivals makes every event arrive late by less than the reorder window, and repeats some of them at any later time.
func arrivals(random *rand.Rand, events []*event.Event, window time.Duration) []arrival {
	var list []arrival
	for _, e := range events {
		at := e.At + random.Int64N(int64(window))
		list = append(list, arrival{at, e})
		if random.IntN(5) == 0 {
			list = append(list, arrival{at + random.Int64N(int64(time.Minute)), e})
		}
	}
	slices.SortStableFunc(list, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	return list
}

// observeLive gives the events to the assembler as they arrive, advancing its clock between them.
func observeLive(a *assembly.Assembler, random *rand.Rand, list []arrival) {
	last := list[0].at
	for _, next := range list {
		for range random.IntN(3) {
			a.Advance(time.Unix(0, last+random.Int64N(next.at-last+1)))
		}
		a.Advance(time.Unix(0, next.at))
		a.Observe(next.event, time.Unix(0, next.at))
		last = next.at
	}
	const tick = 200 * time.Millisecond // tasks are checked at whole ticks
	a.Advance(time.Unix(0, last).Add(patient().SettleTimeout + tick))
}

// Events that arrive late by less than the reorder window, while the clock advances, give the same spans as a replay.
func TestLiveEqualsReplay(t *testing.T) {
	t.Parallel()
	streams := scenarioEvents(t)
	for _, name := range []string{"planned", "real/linear5", "real/retry"} {
		streams[name] = readStream(t, name)
	}
	for i, e := range readStream(t, "order_processing") { // every event with a context of its own, as from OTLP senders
		e.Traceparent = fmt.Sprintf("00-%032x-%016x-01", 1, i+1)
		streams["traceparents"] = append(streams["traceparents"], e)
	}
	names := slices.Sorted(maps.Keys(streams))
	want := map[string]map[event.TraceID][]string{}
	for name, events := range streams {
		want[name] = spansByTrace(t, func(a *assembly.Assembler) {
			for _, e := range events {
				a.Observe(e, time.Unix(1, 0))
			}
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names).Draw(t, "stream")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		limits := patient()
		limits.Parts = rapid.Bool().Draw(t, "parts")
		got := spansWithin(t, limits, func(a *assembly.Assembler) {
			observeLive(a, random, arrivals(random, streams[name], patient().ReorderWindow))
		})
		require.Equal(t, want[name], got)
	})
}
