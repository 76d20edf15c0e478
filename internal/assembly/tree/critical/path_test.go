// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package critical_test

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree/critical"
)

// drawn is a small random run.
type drawn struct {
	critical.Run
	steps  []critical.Step
	passes []cut
}

// cut is how much of a run there is at the end of a pass.
type cut struct {
	at               int64
	attempts, queued int
}

// draw makes a run: passes with their waits, batches, and attempts of a few steps in any order in time, some with a backoff.
func draw(t *rapid.T) *drawn {
	r := &drawn{}
	for i := range rapid.IntRange(1, 5).Draw(t, "steps") {
		s := critical.Step{ID: fmt.Sprint(i), Name: fmt.Sprintf("s%d", i)}
		for j := range i {
			if rapid.IntRange(0, 2).Draw(t, "depends") == 0 {
				s.Deps = append(s.Deps, fmt.Sprintf("s%d", j))
			}
		}
		r.steps = append(r.steps, s)
	}
	r.Step = func(index int16) critical.Step { return r.steps[index] }
	at := rapid.Int64Range(0, 5).Draw(t, "enqueued")
	backoffs := map[int16]int64{} // of the attempt before, by step
	batches := 0
	for range rapid.IntRange(0, 3).Draw(t, "passes") {
		start := at + rapid.Int64Range(0, 6).Draw(t, "wait")
		job := max(at, start-rapid.Int64Range(0, 2).Draw(t, "job before"))
		r.Queued = append(r.Queued, critical.Interval{Start: at, End: job})
		at = start
		for range rapid.IntRange(0, 2).Draw(t, "batches") {
			from, ran := at, false
			for i := range int16(len(r.steps)) {
				if !rapid.Bool().Draw(t, "runs") {
					continue
				}
				ran = true
				a := critical.Attempt{Step: i, Span: [8]byte{byte(len(r.Attempts))}, FirstBatch: batches == 0, Start: from + rapid.Int64Range(0, 8).Draw(t, "start")}
				a.End = a.Start + rapid.Int64Range(0, 8).Draw(t, "length")
				a.BackoffAt, a.HasBackoff = backoffs[i]
				delete(backoffs, i)
				if rapid.IntRange(0, 3).Draw(t, "backoff") == 0 {
					backoffs[i] = rapid.Int64Range(a.Start, a.End).Draw(t, "backoff at")
				}
				r.Attempts = append(r.Attempts, a)
				at = max(at, a.End)
			}
			if ran {
				batches++
			}
		}
		at += rapid.Int64Range(0, 3).Draw(t, "finalization")
		r.passes = append(r.passes, cut{at, len(r.Attempts), len(r.Queued)})
	}
	r.End = at + rapid.Int64Range(0, 5).Draw(t, "after")
	if len(r.passes) == 0 {
		r.Queued = append(r.Queued, critical.Interval{Start: at, End: r.End})
	}
	return r
}

// causes returns the attempts that another may have waited for: of its own step and of its dependencies; if none of those ended
// before it, any by timing, except for a root of the graph, which can only have waited for a thread of its batch.
func (r *drawn) causes(order map[int]int, of int) []int {
	var linked, timed []int
	a := &r.Attempts[of]
	for i := range r.Attempts {
		b := &r.Attempts[i]
		if order[i] >= order[of] || b.End > a.Start {
			continue
		}
		if b.Step == a.Step || slices.Contains(r.steps[a.Step].Deps, r.steps[b.Step].Name) {
			linked = append(linked, i)
		}
		if len(r.steps[a.Step].Deps) > 0 || !a.FirstBatch || b.FirstBatch {
			timed = append(timed, i)
		}
	}
	if len(linked) > 0 {
		return linked
	}
	return timed
}

// chains are all chains of causes of maximal length that end with the attempt.
func (r *drawn) chains(order map[int]int, of int) [][]int {
	before := r.causes(order, of)
	if len(before) == 0 {
		return [][]int{{of}}
	}
	var all [][]int
	for _, b := range before {
		for _, chain := range r.chains(order, b) {
			all = append(all, append(slices.Clip(chain), of))
		}
	}
	return all
}

// determines compares two chains: the one that determined the end is that in which, from the end backwards, each attempt was the
// last cause of the next one.
func determines(order map[int]int) func(a, b []int) int {
	return func(a, b []int) int {
		for i := 1; i <= min(len(a), len(b)); i++ {
			if c := cmp.Compare(order[a[len(a)-i]], order[b[len(b)-i]]); c != 0 {
				return c
			}
		}
		return cmp.Compare(len(a), len(b))
	}
}

// TestPathEqualsBruteForce: the critical path is, of all chains, the one that determined the end; its parts equal a count of every
// moment.
func TestPathEqualsBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := draw(t)
		got := r.Path()
		if r.End == r.Start {
			require.Equal(t, critical.Path{}, got)
			return
		}
		byEnd := make([]int, len(r.Attempts))
		for i := range byEnd {
			byEnd[i] = i
		}
		slices.SortStableFunc(byEnd, func(a, b int) int { return cmp.Compare(r.Attempts[a].End, r.Attempts[b].End) })
		order := map[int]int{}
		for place, i := range byEnd {
			order[i] = place
		}
		var best []int
		for i := range r.Attempts {
			for _, chain := range r.chains(order, i) {
				if best == nil || determines(order)(chain, best) > 0 {
					best = chain
				}
			}
		}
		for i := range r.Attempts {
			require.Equal(t, slices.Contains(best, i), slices.Contains(got.Spans, hex.EncodeToString(r.Attempts[i].Span[:])))
		}

		parts := map[string]int64{}
		for moment := r.Start; moment < r.End; moment++ {
			parts[r.spentOn(best, moment)]++
		}
		require.Equal(t, []int64{parts[critical.Queue], parts[critical.Backoff], parts[critical.Orchestration]},
			[]int64{got.Queue, got.Backoff, got.Orchestration})
		require.Equal(t, r.End-r.Start, got.Steps+got.Queue+got.Backoff+got.Orchestration, "the parts add up")
		largest := int64(0)
		for _, part := range parts {
			largest = max(largest, part)
		}
		require.Equal(t, largest, parts[got.Bottleneck])
		require.InDelta(t, float64(largest)/float64(r.End-r.Start), got.Share, 1e-12)
		require.True(t, got.Share > 0 && got.Share <= 1)
	})
}

// spentOn returns the part that a moment belongs to: a step of the chain or, between two steps, the backoff of the next one, the
// queue or the orchestration.
func (r *drawn) spentOn(chain []int, moment int64) string {
	var next *critical.Attempt
	for _, i := range chain {
		a := &r.Attempts[i]
		if a.Start <= moment && moment < a.End {
			return r.steps[a.Step].Name
		}
		if a.Start > moment && (next == nil || a.Start < next.Start) {
			next = a
		}
	}
	if next != nil && next.HasBackoff && moment >= next.BackoffAt {
		return critical.Backoff
	}
	for _, q := range r.Queued {
		if q.Start <= moment && moment < q.End {
			return critical.Queue
		}
	}
	return critical.Orchestration
}

// TestPathAfterCut: a run that is continued from what is kept of its first passes has the path of the whole run.
func TestPathAfterCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := draw(t)
		whole := r.Path()
		for _, pass := range r.passes {
			first := r.Run
			first.Attempts, first.Queued = r.Attempts[:pass.attempts], r.Queued[:pass.queued]
			nodes, latest := first.Nodes()
			before := &critical.Before{At: pass.at, Latest: latest}
			for _, q := range first.Queued {
				before.Queued += q.End - q.Start
			}
			last := map[int16]*critical.Node{}
			for _, node := range nodes {
				last[node.Step] = node
			}
			for step := range int16(len(r.steps)) {
				before.Nodes = append(before.Nodes, last[step])
			}
			rest := r.Run
			rest.Attempts, rest.Queued, rest.Before = r.Attempts[pass.attempts:], r.Queued[pass.queued:], before
			require.Equal(t, whole, rest.Path())
		}
	})
}

// TestLongPath: a path that is too long to be named has its four parts all the same.
func TestLongPath(t *testing.T) {
	r := critical.Run{Step: func(int16) critical.Step { return critical.Step{ID: "7"} }}
	add := func() {
		r.Attempts = append(r.Attempts, critical.Attempt{Start: r.End, End: r.End + 2})
		r.End += 3
	}
	for range critical.MostOnPath {
		add()
	}
	path := r.Path()
	require.True(t, path.Named)
	require.Equal(t, []string{"7"}, path.Names, "a step without a name has its id")
	require.Len(t, path.Spans, critical.MostOnPath)
	add()
	path = r.Path()
	require.Equal(t, critical.Path{Parts: critical.Parts{Steps: 502, Orchestration: 251}}, path)
}
