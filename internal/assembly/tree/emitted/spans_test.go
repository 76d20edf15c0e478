// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package emitted_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree/emitted"
)

// TestSpans compares the set with a map after any changes.
func TestSpans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const steps = 3
		var spans emitted.Spans
		model := map[[8]byte]emitted.Span{}
		id := rapid.Custom(func(t *rapid.T) [8]byte {
			return [8]byte{rapid.ByteRange(0, 3).Draw(t, "first"), 7: rapid.ByteRange(0, 3).Draw(t, "last")}
		})
		at := rapid.Int64Range(0, 9)
		for range rapid.IntRange(1, 40).Draw(t, "changes") {
			of := id.Draw(t, "id")
			switch rapid.SampledFrom([]string{"add", "add", "add", "restore", "forget"}).Draw(t, "change") {
			case "add":
				s := emitted.Span{ID: of, Start: at.Draw(t, "start"), At: at.Draw(t, "at"), Step: rapid.Int16Range(event.NoStep, steps-1).Draw(t, "step"), Cut: rapid.Bool().Draw(t, "cut")}
				s.End = s.Start + at.Draw(t, "length")
				spans.Add(s)
				if _, known := model[of]; !known {
					model[of] = s
				}
			case "restore":
				spans.Restore(of)
				if model[of].Cut {
					delete(model, of)
				}
			case "forget":
				until := at.Draw(t, "until")
				spans.Forget(until)
				for of, s := range model {
					if s.End <= until {
						delete(model, of)
					}
				}
			}
			require.Len(t, spans, len(model))
			require.True(t, slices.IsSortedFunc(spans, func(a, b emitted.Span) int { return bytes.Compare(a.ID[:], b.ID[:]) }))
			of = id.Draw(t, "sought")
			s, known := model[of]
			require.Equal(t, known, spans.Has(of))
			arrived := at.Draw(t, "arrived")
			require.Equal(t, known && !s.Cut && s.At < arrived, spans.EmittedBefore(of, arrived))

			step, from := rapid.Int16Range(0, steps-1).Draw(t, "step"), at.Draw(t, "from")
			to := from + at.Draw(t, "to")
			had, overlapping := false, map[[8]byte]bool{}
			for _, s := range model {
				had = had || s.Step == step && s.At < arrived && s.Start <= from && from <= s.End
				if s.Step == step && s.Start <= to && from <= s.End {
					overlapping[s.ID] = true
				}
			}
			require.Equal(t, had, spans.HadAttempt(step, from, arrived))
			for _, of := range []emitted.Spans{spans, spans.ByStep(steps)[step]} {
				if found := of.Attempt(step, from, to); found == nil {
					require.Empty(t, overlapping)
				} else {
					require.True(t, overlapping[found.ID])
				}
			}
		}
	})
}

// TestByStep leaves out the spans of steps that the task does not have.
func TestByStep(t *testing.T) {
	spans := emitted.Spans{{ID: [8]byte{1}, Step: 1}, {ID: [8]byte{2}, Step: event.NoStep}, {ID: [8]byte{3}, Step: 7}}
	require.Equal(t, []emitted.Spans{nil, {spans[0]}}, spans.ByStep(2))
}
