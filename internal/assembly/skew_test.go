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
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// skewed gives each process of a task its own clock: the creator and operator, and the worker of every pass. Clocks are at most the
// given time apart.
func skewed(random *rand.Rand, events []*event.Event, apart time.Duration) []*event.Event {
	draw := func() int64 { return random.Int64N(int64(apart)) }
	creator, workers := draw(), map[event.TraceID]int64{}
	var moved []*event.Event
	for _, e := range events {
		if e.HasJob {
			workers[e.TraceID] = draw()
		}
		clock := creator
		if worker, begun := workers[e.TraceID]; begun && e.Name != lifecycle.StepInitializeRequested {
			clock = worker
		}
		copied := *e
		copied.At += clock
		moved = append(moved, &copied)
	}
	return moved
}

// counted returns what must be exact for any clock skew: runs with their outcomes, passes, batches and attempts.
func counted(t require.TestingT, events []*event.Event) map[event.TraceID][]summary {
	trees := map[event.TraceID][]summary{}
	a := assembly.New(limits(), func(tree *tree.Tree) {
		requireWellFormed(t, tree)
		got := summarize(tree)
		got.start, got.end, got.queued, got.reason = 0, 0, 0, 0
		trees[tree.Trace] = append(trees[tree.Trace], got)
	})
	for _, e := range events {
		a.Observe(e, time.Unix(1, 0))
	}
	a.Advance(time.Unix(1, 0).Add(limits().SettleTimeout))
	a.Flush()
	return trees
}

// Clocks of the creator and the workers that are 300 ms apart leave trees well formed and counts exact, also of shorter tasks.
func TestClocksApart(t *testing.T) {
	t.Parallel()
	streams := map[string][]*event.Event{}
	for _, name := range []string{"order_processing", "mixed", "planned", "real/linear5", "real/retry"} {
		streams[name] = readStream(t, name)
	}
	short := new(story).created().passBegins().attempt("1", lifecycle.StepCompleted).passEnds(lifecycle.TaskCompleted, "complete")
	streams["short"] = short.events
	names := slices.Sorted(maps.Keys(streams))
	want := map[string]map[event.TraceID][]summary{}
	for name, events := range streams {
		want[name] = counted(t, events)
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names).Draw(t, "stream")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		require.Equal(t, want[name], counted(t, skewed(random, streams[name], 300*time.Millisecond)))
	})
}
