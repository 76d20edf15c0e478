// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
)

// assemble gives every event to one assembler in the given order, all within the reorder window, and returns the trees
// as text, by trace.
func assemble(events []*event.Event) map[event.TraceID]string {
	now := time.Unix(1, 0)
	trees := map[event.TraceID]string{}
	a := assembly.New(limits(), func(tree *tree.Tree) { trees[tree.Trace] += describe(tree) })
	for _, e := range events {
		a.Observe(e, now)
	}
	a.Advance(now.Add(limits().ReorderWindow))
	a.Flush()
	return trees
}

// describe returns all of a tree as text.
func describe(tree *tree.Tree) string {
	text := fmt.Sprintf("%x %s cut %d\n", tree.Trace, tree.Reason, tree.Cut)
	for i := range tree.Spans {
		text += describeSpan(&tree.Spans[i]) + "\n"
	}
	return text
}

func describeSpan(of *tree.Span) string {
	s, link := *of, "none"
	if s.Link != nil {
		link = fmt.Sprintf("%x", s.Link.Span)
	}
	s.Link = nil
	return fmt.Sprintf("%+v link %s", s, link)
}

func TestArrivalOrderAndRepetitionChangeNothing(t *testing.T) {
	t.Parallel()
	names := []string{"mixed", "planned", "real/linear5", "real/retry"}
	streams, want := map[string][]*event.Event{}, map[string]map[event.TraceID]string{}
	for _, name := range names {
		streams[name] = readStream(t, name)
		want[name] = assemble(streams[name])
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names).Draw(t, "stream")
		events := streams[name]
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		shuffled := append([]*event.Event(nil), events...)
		for range rapid.IntRange(0, len(events)).Draw(t, "repeated") {
			shuffled = append(shuffled, events[random.IntN(len(events))])
		}
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		require.Equal(t, want[name], assemble(shuffled))
	})
}

// A tree stays well formed whatever is missing: one root, every parent present, children inside parents, no duplicate ids, and five
// levels down to the handler.
func TestLossLeavesWellFormedTrees(t *testing.T) {
	t.Parallel()
	events := readStream(t, "real/retry")
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		share := rapid.Float64Range(0, 0.9).Draw(t, "lost")
		now := time.Unix(1, 0)
		a := assembly.New(limits(), func(tree *tree.Tree) { requireWellFormed(t, tree) })
		for _, e := range events {
			if random.Float64() >= share {
				a.Observe(e, now)
			}
		}
		a.Advance(now.Add(limits().SettleTimeout))
		a.Flush()
		require.Zero(t, a.Stats().OpenTasks)
		require.Zero(t, a.Stats().HeldEvents)
	})
}

func requireWellFormed(t require.TestingT, emitted *tree.Tree) {
	byID := map[event.SpanID]*tree.Span{}
	for i := range emitted.Spans {
		s := &emitted.Spans[i]
		require.NotContains(t, byID, s.ID, "%s twice", s.Name)
		require.LessOrEqual(t, s.Start, s.End, s.Name)
		requireUniqueKeys(t, s)
		byID[s.ID] = s
		if i == 0 {
			require.Equal(t, "tasker.task.execution", s.Name)
			continue
		}
		parent := byID[s.Parent]
		require.NotNil(t, parent, "%s has no parent before it", s.Name)
		require.LessOrEqual(t, parent.Start, s.Start, "%s begins before its parent %s", s.Name, parent.Name)
		require.GreaterOrEqual(t, parent.End, s.End, "%s ends after its parent %s", s.Name, parent.Name)
		if s.Name == "tasker.step.handler" {
			depth := 1
			for p := parent; p != nil; p = byID[p.Parent] {
				depth++
			}
			require.Equal(t, 5, depth)
		}
	}
}
