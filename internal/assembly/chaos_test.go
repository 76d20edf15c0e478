// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// limited returns the number of spans of the tree that a limit counts, for each pass, and for what is before, between and after
// passes.
func limited(tree *tree.Tree) int {
	children, passes, limited := map[event.SpanID]int{}, 0, 0
	for i := range tree.Spans {
		children[tree.Spans[i].Parent]++
	}
	for i := range tree.Spans {
		switch s := &tree.Spans[i]; s.Name {
		case lifecycle.SpanOrchestration:
			passes++
		case lifecycle.SpanDependency, lifecycle.SpanQuery:
			limited++
		case lifecycle.SpanBatch:
			if children[s.ID] == 0 {
				limited++
			}
		}
	}
	return (limited + 2*passes) / (2*passes + 1)
}

// Random events at random times, which no engine fires, still give well-formed trees, and the assembler is empty afterwards.
func TestSenselessEventsLeaveWellFormedTrees(t *testing.T) {
	t.Parallel()
	names := append(lifecycle.Names(), "order.fulfilled")
	rapid.Check(t, func(t *rapid.T) {
		small := limits()
		small.EventsPerTask = rapid.IntRange(1, 200).Draw(t, "events per task")
		small.SpansPerTree = rapid.IntRange(1, 100).Draw(t, "spans per tree")
		small.BytesPerTree = rapid.Int64Range(1, 50_000).Draw(t, "bytes per tree")
		small.OpenTasks = rapid.IntRange(1, 5).Draw(t, "open tasks")
		small.Parts = rapid.Bool().Draw(t, "parts")
		union := union{}
		a := assembly.New(small, func(tree *tree.Tree) {
			if small.OpenTasks >= 4 { // an evicted task begins again
				union.add(t, tree)
			}
			if small.Parts {
				return
			}
			require.LessOrEqual(t, limited(tree), small.SpansPerTree)
			if name := tree.Spans[0].Name; name == lifecycle.SpanQuery || name == lifecycle.SpanBackoff {
				require.Len(t, tree.Spans, 1, "a span that follows its tree comes alone")
				return
			}
			requireWellFormed(t, tree)
		})
		now := time.Unix(1, 0)
		count := rapid.IntRange(1, 150).Draw(t, "events")
		for i := range count {
			e := &event.Event{
				TraceID: event.TraceID{rapid.Byte().Draw(t, "task") % 4}, TaskID: event.ID{Text: "1", Integer: true},
				Identity: uint64(i), Name: rapid.SampledFrom(names).Draw(t, "name"), At: rapid.Int64Range(0, 40).Draw(t, "at") * int64(time.Second) / 4,
				Attempt: rapid.IntRange(-1, 4).Draw(t, "attempt"), JobRun: rapid.IntRange(-1, 4).Draw(t, "job run"),
				StepCount: rapid.IntRange(0, 3).Draw(t, "step count"), TotalSteps: rapid.IntRange(0, 3).Draw(t, "total steps"),
				HasJob: rapid.Bool().Draw(t, "job"), StepIDs: rapid.SampledFrom([][]string{{"1"}, {"2", "3"}, nil}).Draw(t, "listed"),
				Dependencies:  rapid.SampledFrom([][]string{nil, {"1"}, {"2"}}).Draw(t, "dependencies"),
				FinalStatus:   rapid.SampledFrom([]string{"", "pending", "complete", "error", "cancelled"}).Draw(t, "final status"),
				CorrelationID: rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "thread"),
				QueryDuration: rapid.Float64Range(0, 5).Draw(t, "duration"),
			}
			if rapid.Bool().Draw(t, "of a step") {
				e.StepID = event.ID{Text: rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "step"), Integer: true}
				e.StepName = e.StepID.Text
			}
			e.At += int64(i) // or runs that begin at the same time have the same spans
			a.Observe(e, now)
			now = now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "wait")) * time.Millisecond)
			a.Advance(now)
		}
		a.Flush()
		union.requireConnected(t)
		require.Zero(t, a.Stats().OpenTasks)
		require.Zero(t, a.Stats().HeldEvents)
	})
}
