// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// spansOf assembles a shuffled stream in which each event is sent twice.
func spansOf(t *testing.T, lines [][]byte) []streamtest.Span {
	t.Helper()
	var spans []streamtest.Span
	a := assembly.New(limits(), func(tree *tree.Tree) { spans = append(spans, comparable(tree)...) })
	now := time.Unix(1, 0)
	for _, line := range streamtest.Shuffle(append(lines, lines...), 2*len(lines), 1) {
		a.Observe(parseEvent(t, line), now)
	}
	a.Advance(now.Add(limits().ReorderWindow))
	require.Zero(t, a.Stats().OpenTasks)
	return spans
}

func comparable(tree *tree.Tree) []streamtest.Span {
	var spans []streamtest.Span
	for _, s := range tree.Spans {
		to := streamtest.Span{
			TraceID: tree.Trace, SpanID: s.ID, ParentID: s.Parent, Name: s.Name, Start: s.Start, End: s.End, Message: s.Message,
			Status: [...]string{"unset", "ok", "error"}[s.Outcome], Attributes: map[string]any{}, Scope: lifecycle.ScopeSpans, Service: "shop",
		}
		for _, attr := range s.Attributes {
			switch v := attr.Value; v.Kind {
			case attribute.KindInt:
				to.Attributes[attr.Key] = v.Int
			case attribute.KindDouble:
				to.Attributes[attr.Key] = v.Double
			case attribute.KindBool:
				to.Attributes[attr.Key] = v.Int != 0
			case attribute.KindStrings:
				to.Attributes[attr.Key] = v.Strings
			default:
				to.Attributes[attr.Key] = v.Text
			}
		}
		if s.Link != nil {
			to.Links = append(to.Links, streamtest.Link{TraceID: s.Link.Trace, SpanID: s.Link.Span})
		}
		spans = append(spans, to)
	}
	return spans
}

func TestTreesEqualTheTruth(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"order_processing", "mixed", "planned"} {
		t.Run(name, func(t *testing.T) {
			lines, truth, err := streamtest.Load(name)
			require.NoError(t, err)
			require.Empty(t, streamtest.Compare(truth, spansOf(t, lines)))
		})
	}
	for seed := range uint64(5) {
		lines, truth := streamtest.Generate(streamtest.Options{Tasks: 60, Seed: seed, Failures: true, Planned: seed%2 == 1})
		require.Empty(t, streamtest.Compare(truth, spansOf(t, lines)))
	}
}

func TestTreesEqualTheTruthOfTheRealEngine(t *testing.T) {
	for _, name := range []string{"linear5", "retry"} {
		t.Run(name, func(t *testing.T) {
			lines, truth, err := streamtest.LoadReal(name)
			require.NoError(t, err)
			require.Empty(t, streamtest.CompareReal(truth, spansOf(t, lines)))
		})
	}
}
