// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// union is all spans of some tasks, by trace, from any number of parts.
type union map[event.TraceID]map[event.SpanID]tree.Span

// add requires that no span is emitted twice, and that a part has no task's span.
func (u union) add(t require.TestingT, emitted *tree.Tree) {
	spans := u[emitted.Trace]
	if spans == nil {
		spans = map[event.SpanID]tree.Span{}
		u[emitted.Trace] = spans
	}
	for i := range emitted.Spans {
		s := emitted.Spans[i]
		require.NotContains(t, spans, s.ID, "%s twice", s.Name)
		require.LessOrEqual(t, s.Start, s.End, s.Name)
		require.False(t, emitted.Part && s.Name == lifecycle.SpanTask, "a task's span in a part")
		requireUniqueKeys(t, &s)
		s.Attributes, s.Events = slices.Clone(s.Attributes), nil // they belong to the assembler
		spans[s.ID] = s
	}
}

// requireWellFormed requires a complete tree: every parent is present and contains its children, and a handler is on the fifth
// level.
func (u union) requireWellFormed(t require.TestingT) {
	u.requireConnected(t)
	for _, spans := range u {
		for _, s := range spans {
			if parent, known := spans[s.Parent]; known {
				require.LessOrEqual(t, parent.Start, s.Start, "%s begins before its parent %s", s.Name, parent.Name)
				require.GreaterOrEqual(t, parent.End, s.End, "%s ends after its parent %s", s.Name, parent.Name)
			}
		}
	}
}

// requireConnected requires that every parent is present. A late child may lie outside of its parent, which was already emitted.
func (u union) requireConnected(t require.TestingT) {
	for _, spans := range u {
		for _, s := range spans {
			if s.Name == lifecycle.SpanTask {
				continue
			}
			parent, known := spans[s.Parent]
			require.True(t, known, "%s has no parent", s.Name)
			if s.Name == lifecycle.SpanHandler {
				depth := 1
				for p, known := parent, true; known; p, known = spans[p.Parent] {
					depth++
				}
				require.Equal(t, 5, depth)
			}
		}
	}
}

func requireUniqueKeys(t require.TestingT, s *tree.Span) {
	for i, a := range s.Attributes {
		require.False(t, slices.ContainsFunc(s.Attributes[:i], func(other attribute.KeyValue) bool { return other.Key == a.Key }), "%s has %s twice", s.Name, a.Key)
	}
}
