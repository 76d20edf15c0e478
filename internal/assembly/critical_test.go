// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// randomRun draws a small run: passes with their waits, batches, and attempts of a few steps in any order in time, some with a
// backoff.
func randomRun(t *rapid.T) (*task, *run) {
	steps := rapid.IntRange(1, 5).Draw(t, "steps")
	of := &task{}
	for i := range steps {
		sh := &shape{name: fmt.Sprintf("s%d", i)}
		for j := range i {
			if rapid.IntRange(0, 2).Draw(t, "depends") == 0 {
				sh.deps = append(sh.deps, fmt.Sprintf("s%d", j))
			}
		}
		of.steps = append(of.steps, step{id: ID{Text: sh.name}, shape: sh})
	}
	n := &run{records: []record{{kind: kindEnqueued, at: rapid.Int64Range(0, 5).Draw(t, "enqueued")}}}
	at := n.records[0].at
	last := make([]*attempt, steps)
	for range rapid.IntRange(0, 3).Draw(t, "passes") {
		p := &pass{start: at + rapid.Int64Range(0, 6).Draw(t, "wait")}
		if rapid.Bool().Draw(t, "job") {
			p.job = &record{kind: kindJobBegan, at: max(at, p.start-rapid.Int64Range(0, 2).Draw(t, "job before"))}
		}
		p.end = p.start
		for range rapid.IntRange(0, 2).Draw(t, "batches") {
			b := &batch{start: p.end}
			for i := range steps {
				if !rapid.Bool().Draw(t, "runs") {
					continue
				}
				a := &attempt{step: int16(i), batch: b, pass: p, before: last[i], start: b.start + rapid.Int64Range(0, 8).Draw(t, "start")}
				a.end = a.start + rapid.Int64Range(0, 8).Draw(t, "length")
				if rapid.IntRange(0, 3).Draw(t, "backoff") == 0 {
					a.backoff = &record{kind: kindBackoff, at: rapid.Int64Range(a.start, a.end).Draw(t, "backoff at")}
				}
				if last[i] != nil {
					last[i].after = a
				}
				last[i] = a
				a.span = SpanID{byte(len(n.attempts))}
				b.attempts = append(b.attempts, a)
				n.attempts = append(n.attempts, a)
				p.end = max(p.end, a.end)
			}
			b.end = p.end
			p.batches = append(p.batches, b)
		}
		p.end += rapid.Int64Range(0, 3).Draw(t, "finalization")
		n.passes = append(n.passes, p)
		at = p.end
	}
	n.end = at + rapid.Int64Range(0, 5).Draw(t, "after")
	return of, n
}

// causes returns the attempts that another may have waited for: of its own step and of its dependencies; if none of those ended
// before it, any by timing, except for a root of the graph, which can only have waited for a thread of its batch.
func causes(of *task, n *run, order map[*attempt]int, a *attempt) []*attempt {
	var linked, timed []*attempt
	for _, b := range n.attempts {
		if order[b] >= order[a] || b.end > a.start {
			continue
		}
		if b.step == a.step || slices.Contains(of.steps[a.step].deps, of.steps[b.step].name) {
			linked = append(linked, b)
		}
		if len(of.steps[a.step].deps) > 0 || a.batch != n.attempts[0].batch || b.batch == a.batch {
			timed = append(timed, b)
		}
	}
	if len(linked) > 0 {
		return linked
	}
	return timed
}

// chains are all chains of causes of maximal length that end with the attempt.
func chains(of *task, n *run, order map[*attempt]int, a *attempt) [][]*attempt {
	before := causes(of, n, order, a)
	if len(before) == 0 {
		return [][]*attempt{{a}}
	}
	var all [][]*attempt
	for _, b := range before {
		for _, chain := range chains(of, n, order, b) {
			all = append(all, append(slices.Clip(chain), a))
		}
	}
	return all
}

// determines compares two chains: the one that determined the end is that in which, from the end backwards, each attempt was the
// last cause of the next one.
func determines(order map[*attempt]int) func(a, b []*attempt) int {
	return func(a, b []*attempt) int {
		for i := 1; i <= min(len(a), len(b)); i++ {
			if c := cmp.Compare(order[a[len(a)-i]], order[b[len(b)-i]]); c != 0 {
				return c
			}
		}
		return cmp.Compare(len(a), len(b))
	}
}

// The critical path is, of all chains, the one that determined the end; its parts equal a count of every moment.
func TestCriticalPathEqualsBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		of, n := randomRun(t)
		got := criticalPath(of, n)
		if n.end == n.start {
			require.Equal(t, criticalChain{}, got)
			return
		}

		byEnd := slices.Clone(n.attempts)
		slices.SortStableFunc(byEnd, func(a, b *attempt) int { return cmp.Compare(a.end, b.end) })
		order := map[*attempt]int{}
		for i, a := range byEnd {
			order[a] = i
		}
		var best []*attempt
		for _, a := range n.attempts {
			for _, chain := range chains(of, n, order, a) {
				if best == nil || determines(order)(chain, best) > 0 {
					best = chain
				}
			}
		}
		for _, a := range n.attempts {
			require.Equal(t, slices.Contains(best, a), slices.Contains(got.spans, hex.EncodeToString(a.span[:])))
		}

		parts := map[string]int64{}
		for moment := n.start; moment < n.end; moment++ {
			parts[spentOn(of, n, best, moment)]++
		}
		require.Equal(t, []int64{parts[waitQueue], parts[waitBackoff], parts[waitOrchestration]}, []int64{got.queue, got.backoff, got.orchestration})
		require.Equal(t, n.end-n.start, got.steps+got.queue+got.backoff+got.orchestration, "the parts add up")
		largest := int64(0)
		for _, part := range parts {
			largest = max(largest, part)
		}
		require.Equal(t, largest, parts[got.bottleneck])
		require.InDelta(t, float64(largest)/float64(n.end-n.start), got.share, 1e-12)
		require.True(t, got.share > 0 && got.share <= 1)
	})
}

// spentOn returns the part that a moment belongs to: a step of the chain or, between two steps, the backoff of the next one, the
// queue or the orchestration.
func spentOn(of *task, n *run, chain []*attempt, moment int64) string {
	var next *attempt
	for _, a := range chain {
		if a.start <= moment && moment < a.end {
			return of.steps[a.step].name
		}
		if a.start > moment && (next == nil || a.start < next.start) {
			next = a
		}
	}
	if next != nil && next.before != nil && next.before.backoff != nil && moment >= next.before.backoff.at {
		return waitBackoff
	}
	for i := range n.passes {
		if w, ok := n.waitBefore(i); ok && w.start <= moment && moment < w.end {
			return waitQueue
		}
	}
	if w, ok := n.waitWithoutPass(); ok && w.start <= moment && moment < w.end {
		return waitQueue
	}
	return waitOrchestration
}
