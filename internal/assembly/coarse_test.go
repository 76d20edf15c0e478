// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
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
)

// Clocks of one second, or of a minute, give many events the same time. The trees are then as exact as the clock, and complete and
// well formed.
func TestCoarseClocksLeaveWellFormedTrees(t *testing.T) {
	t.Parallel()
	for _, resolution := range []time.Duration{time.Millisecond, time.Second, time.Minute, 24 * time.Hour} {
		for _, name := range []string{"order_processing", "mixed", "planned", "real/retry"} {
			t.Run(name+"/"+resolution.String(), func(t *testing.T) {
				now := time.Unix(1, 0)
				a := assembly.New(limits(), func(tree *tree.Tree) { requireWellFormed(t, tree) })
				for _, e := range readStream(t, name) {
					e.At -= e.At % int64(resolution)
					a.Observe(e, now)
				}
				a.Advance(now.Add(limits().SettleTimeout))
				a.Flush()
				require.Zero(t, a.Stats().OpenTasks)
			})
		}
	}
}

// Events that arrive in order with times in whole seconds still give every pass, batch and attempt.
func TestArrivalOrderStandsInForACoarseClock(t *testing.T) {
	t.Parallel()
	count := func(events []*event.Event) map[string]int {
		names := map[string]int{}
		a := assembly.New(limits(), func(tree *tree.Tree) {
			for _, s := range tree.Spans {
				names[s.Name]++
			}
		})
		for _, e := range events {
			a.Observe(e, time.Unix(1, 0))
		}
		a.Flush()
		return names
	}
	for _, name := range []string{"order_processing", "mixed", "real/linear5", "real/retry"} {
		exact, coarse := readStream(t, name), readStream(t, name)
		for _, e := range coarse {
			e.At -= e.At % int64(time.Second)
		}
		require.Equal(t, count(exact), count(coarse), name)
	}
}

// Out of order they do, too: the engine's rules allow only one order. Only equal empty batches of a spinning pass cannot be
// distinguished.
func TestSecondsOutOfOrder(t *testing.T) {
	t.Parallel()
	streams := scenarioEvents(t)
	delete(streams, "spinning")
	for _, name := range []string{"order_processing", "mixed", "real/linear5", "real/retry"} {
		streams[name] = readStream(t, name)
	}
	names := slices.Sorted(maps.Keys(streams))
	want := map[string]map[event.TraceID][]summary{}
	for name, events := range streams {
		want[name] = counted(t, events)
		for _, e := range events {
			e.At -= e.At % int64(time.Second)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names).Draw(t, "stream")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		window := rapid.IntRange(1, 50).Draw(t, "window")
		events := slices.Clone(streams[name])
		for i := range events {
			j := min(len(events)-1, i+random.IntN(window))
			events[i], events[j] = events[j], events[i]
		}
		require.Equal(t, want[name], counted(t, events))
	})
}
