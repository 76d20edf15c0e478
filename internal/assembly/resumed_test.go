// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"cmp"
	"maps"
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

// A failed task whose step is reset at once is still a failed run: its tree does not wait for the rerun, which may take long, and
// both are the same as when all events arrive together.
func TestAnEndedRunIsEmittedAlthoughTheTaskGoesOn(t *testing.T) {
	t.Parallel()
	streams := scenarioEvents(t)
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(streams)), func(name string) bool { return len(endedRuns(streams[name])) < 2 })
	require.Contains(t, names, "failed_then_retried")
	rapid.Check(t, func(t *rapid.T) {
		events := streams[rapid.SampledFrom(names).Draw(t, "scenario")]
		want := spansByTrace(t, func(a *assembly.Assembler) { feed(a, events, time.Unix(1, 0)) })
		ends := endedRuns(events)
		first := slices.IndexFunc(events, func(e *event.Event) bool { return e.At > ends[0] && e.Name != lifecycle.ObservabilityTaskEnqueue })
		endsAgain := first + slices.IndexFunc(events[first:], func(e *event.Event) bool {
			return slices.Contains([]string{
				lifecycle.TaskCompleted, lifecycle.TaskFailed, lifecycle.TaskCancelled, lifecycle.TaskResolvedManually,
			}, e.Name)
		})
		came := rapid.IntRange(min(first+1, endsAgain), endsAgain).Draw(t, "came")
		got := spansByTrace(t, func(a *assembly.Assembler) {
			now := time.Unix(1, 0)
			feed(a, events[:came], now)
			a.Advance(now.Add(limits().ReorderWindow))
			released := a.Stats().Released[tree.ReasonEnded]
			require.Positive(t, released, "after %d of %d events", came, len(events))
			feed(a, events[came:], now.Add(limits().ReorderWindow))
		})
		require.Equal(t, want, got)
	})
}

func feed(a *assembly.Assembler, events []*event.Event, now time.Time) {
	for _, e := range events {
		a.Observe(e, now)
	}
}

// endedRuns returns the ends of the runs of a complete stream of one task; it sorts the events.
func endedRuns(events []*event.Event) (ends []int64) {
	slices.SortStableFunc(events, func(a, b *event.Event) int { return cmp.Compare(a.At, b.At) })
	now := time.Unix(1, 0)
	a := assembly.New(patient(), func(emitted *tree.Tree) {
		if emitted.Reason == tree.ReasonEnded {
			ends = append(ends, emitted.Spans[0].End)
		}
	})
	feed(a, events, now)
	a.Advance(now.Add(limits().ReorderWindow))
	return ends
}
