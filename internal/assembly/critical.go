// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"encoding/hex"
	"slices"
)

// Values of the bottleneck other than the name of a step.
const (
	waitQueue         = "queue"
	waitBackoff       = "backoff"
	waitOrchestration = "orchestration"
)

// mostOnPath is the number of attempts up to which a task's span names those of its critical path, and the bottleneck. For a longer
// path it has the four parts only.
const mostOnPath = 250

// pathParts divide the time along a chain of attempts by its use.
type pathParts struct{ steps, queue, backoff, orchestration int64 }

// criticalChain is the chain of steps that determined a run's duration, and what it waited for between them. The parts add
// up to the duration.
type criticalChain struct {
	pathParts
	named      bool     // it is short enough for its steps to be named
	names      []string // from the first to the last
	spans      []string // ids of the attempts, from the first to the last
	bottleneck string   // the step, or queue, backoff or orchestration, with the largest part
	share      float64  // of that part in the run's duration, 0 to 1
}

// pathNode is an attempt as the end of a chain from the run's beginning, in which each attempt is the one that the next waited for.
// What an attempt waited for ended before it began, so the chain of an attempt that has been emitted does not change.
type pathNode struct {
	step   int16
	length int32 // of the chain; chains beyond mostOnPath lose their beginnings
	span   SpanID
	took   int64
	end    int64
	waited int64     // time in the queue of the run, up to the end
	parts  pathParts // up to the end
	before *pathNode
}

// criticalPath walks from the attempt that ended last to the one it waited for, which is the attempt of the same step before
// it, the last of its dependencies to end, or, where no dependency is known, whichever attempt ended last before it began.
// The gaps between go to the queue, to the backoff or to the orchestration.
func criticalPath(t *task, n *run) criticalChain {
	if n.end <= n.start {
		return criticalChain{}
	}
	c := criticalChain{named: true}
	_, last := t.pathNodes(n)
	from := n.start
	if last != nil {
		c.pathParts, from = last.parts, last.end
		c.named = last.length <= mostOnPath
	}
	n.divideGap(&c.pathParts, from, n.end, nil, last)
	if !c.named {
		return c
	}
	bySteps := map[string]int64{}
	for node := last; node != nil; node = node.before {
		name := t.steps[node.step].name
		if name == "" {
			name = t.steps[node.step].id.Text
		}
		bySteps[name] += node.took
		c.spans = append(c.spans, hex.EncodeToString(node.span[:]))
		if len(c.names) == 0 || c.names[len(c.names)-1] != name {
			c.names = append(c.names, name)
		}
	}
	slices.Reverse(c.spans)
	slices.Reverse(c.names)
	c.findBottleneck(bySteps, n.end-n.start)
	return c
}

func (c *criticalChain) findBottleneck(bySteps map[string]int64, duration int64) {
	largest := int64(-1)
	consider := func(name string, part int64) {
		if part > largest || part == largest && name < c.bottleneck {
			c.bottleneck, largest = name, part
		}
	}
	for name, part := range bySteps {
		consider(name, part)
	}
	consider(waitQueue, c.queue)
	consider(waitBackoff, c.backoff)
	consider(waitOrchestration, c.orchestration)
	c.share = float64(largest) / float64(duration)
}

// pathNodes returns the nodes of the run's attempts and the one that ended last; without attempts, that of the checkpoint.
func (t *task) pathNodes(n *run) (nodes map[*attempt]*pathNode, last *pathNode) {
	if n.before != nil {
		last = n.before.latest
	}
	byEnd := slices.Clone(n.attempts)
	slices.SortStableFunc(byEnd, func(a, b *attempt) int { return int(min(1, max(-1, a.end-b.end))) })
	nodes = make(map[*attempt]*pathNode, len(byEnd))
	for i, a := range byEnd {
		before := n.waitedFor(t, byEnd, i, nodes)
		node := &pathNode{step: a.step, length: 1, span: a.span, took: a.end - a.start, end: a.end, waited: n.queuedUntil(a.end), before: before}
		from := n.start
		if before != nil {
			node.parts, from, node.length = before.parts, before.end, before.length+1
		}
		n.divideGap(&node.parts, from, a.start, a.before, before)
		node.parts.steps += node.took
		if node.length > mostOnPath {
			node.before, node.length = nil, mostOnPath+1
		}
		nodes[a], last = node, node
	}
	return nodes, last
}

// waitedFor returns the attempt whose end allowed the attempt at the index to begin, or nil. It has a lower index, also where
// attempts have no duration. An attempt before the run's records ended before all of these began.
func (n *run) waitedFor(t *task, byEnd []*attempt, place int, nodes map[*attempt]*pathNode) *pathNode {
	a := byEnd[place]
	deps := t.steps[a.step].deps
	var latest *attempt
	for i := place - 1; i >= 0; i-- {
		b := byEnd[i]
		if b.end > a.start {
			continue
		}
		if b.step == a.step || slices.Contains(deps, t.steps[b.step].name) {
			return nodes[b]
		}
		if latest == nil {
			latest = b
		}
	}
	if n.before != nil && n.before.latest != nil {
		if node := n.before.waitedFor(t, a.step, deps); node != nil {
			return node
		}
		if latest == nil {
			return n.before.latest
		}
		return nodes[latest]
	}
	if latest == nil || len(deps) == 0 && n.first(a) && latest.batch != a.batch {
		return nil
	}
	return nodes[latest]
}

// waitedFor returns the attempt of the step, or of those that it depends on, that ended last.
func (cp *checkpoint) waitedFor(t *task, step int16, deps []string) (last *pathNode) {
	for i := range cp.steps {
		s := &cp.steps[i]
		if s.node == nil || s.step != step && !slices.Contains(deps, t.steps[s.step].name) {
			continue
		}
		if last == nil || s.node.end >= last.end {
			last = s.node
		}
	}
	return last
}

// first reports whether the attempt is of the run's first batch. A root of the graph in it waited for nothing except perhaps a free
// thread.
func (n *run) first(a *attempt) bool { return a.batch == n.attempts[0].batch }

// divideGap adds a gap on the path to the part that caused it. previous is the earlier attempt of the step after the gap; after is
// the node before the gap.
func (n *run) divideGap(c *pathParts, from, to int64, previous *attempt, after *pathNode) {
	if to <= from {
		return
	}
	rest := to - from
	if previous != nil && previous.backoff != nil {
		part := overlap(from, to, previous.backoff.at, to)
		c.backoff += part
		rest -= part
		to = min(to, max(from, previous.backoff.at))
	}
	part := n.queuedBetween(from, to, after)
	c.queue += part
	c.orchestration += rest - part
}

// queuedBetween returns how long the run was in the queue between two times, the first of which is the end of a node, or the run's
// beginning.
func (n *run) queuedBetween(from, to int64, after *pathNode) int64 {
	total := int64(0)
	if cp := n.before; cp != nil && from < cp.at && to >= cp.at {
		total = cp.totals.queue
		if after != nil {
			total -= after.waited
		}
	}
	if len(n.passes) == 0 {
		if w, ok := n.waitWithoutPass(); ok {
			total += overlap(from, to, w.start, w.end)
		}
	}
	for i := range n.passes {
		if w, ok := n.waitBefore(i); ok {
			total += overlap(from, to, w.start, w.end)
		}
	}
	return total
}

// queuedUntil returns how long the run was in the queue up to a time.
func (n *run) queuedUntil(at int64) int64 {
	total := int64(0)
	if n.before != nil {
		total = n.before.totals.queue
	}
	for i := range n.passes {
		if w, ok := n.waitBefore(i); ok {
			total += overlap(n.start, at, w.start, w.end)
		}
	}
	return total
}

func overlap(a, b, c, d int64) int64 { return max(0, min(b, d)-max(a, c)) }
