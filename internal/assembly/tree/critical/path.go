// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package critical finds the critical path of a run: the chain of attempts that determined its duration, and what they waited for.
//
// The path leads from the attempt that ended last to the one it waited for, and so on. That is the attempt of the same step before
// it, the last of its dependencies to end, or, where no dependency is known, whichever attempt ended last before it began. The gaps
// between go to the queue, to the backoff or to the orchestration.
//
// All functions are pure. A [Node] is immutable once its run has been read, so that checkpoints can share it.
package critical

import (
	"cmp"
	"encoding/hex"
	"slices"
)

// Values of the bottleneck other than the name of a step.
const (
	Queue         = "queue"
	Backoff       = "backoff"
	Orchestration = "orchestration"
)

// MostOnPath is the number of attempts up to which a path names its steps, and the bottleneck. For a longer one it has the four parts
// only.
const MostOnPath = 250

// Run is what the critical path is made of.
type Run struct {
	Start, End int64
	// Step returns the step that attempts refer to by its index.
	Step func(index int16) Step
	// Attempts are in the order in which they were requested.
	Attempts []Attempt
	// Queued are the times in which the run was in the queue. They do not overlap.
	Queued []Interval
	// Before is what is known of attempts before these; nil if these are all.
	Before *Before
}

// Step is a node of the task's graph.
type Step struct {
	Name string // empty while unknown
	ID   string
	Deps []string // names of the steps that it depends on; nil while unknown
}

// Attempt is one execution of a step.
type Attempt struct {
	Step       int16
	Span       [8]byte
	Start, End int64
	// FirstBatch is true for attempts of the run's first batch.
	FirstBatch bool
	// HasBackoff is true if the attempt of the step before it announced, at BackoffAt, that the step has to wait.
	HasBackoff bool
	BackoffAt  int64
}

// Interval is a stretch of time.
type Interval struct{ Start, End int64 }

// Before is what is kept of the attempts up to a time.
type Before struct {
	At     int64
	Queued int64   // time in the queue up to then
	Latest *Node   // of the attempt that ended last; nil if there was none
	Nodes  []*Node // of the last attempts of steps; some may be nil
}

// Parts divide the time along a chain of attempts by its use.
type Parts struct{ Steps, Queue, Backoff, Orchestration int64 }

// Path is the critical path of a run. The parts add up to the run's duration.
type Path struct {
	Parts
	Named      bool     // it is short enough for its steps to be named
	Names      []string // from the first to the last
	Spans      []string // ids of the attempts, from the first to the last
	Bottleneck string   // the step, or Queue, Backoff or Orchestration, with the largest part
	Share      float64  // of that part in the run's duration, 0 to 1
}

// Node is an attempt as the end of a chain from the run's beginning, in which each attempt is the one that the next waited for. What
// an attempt waited for ended before it began, so the chain of an attempt that has been emitted does not change.
type Node struct {
	Step   int16
	Length int32 // of the chain; chains beyond MostOnPath lose their beginnings
	Span   [8]byte
	Took   int64
	End    int64
	Waited int64 // time in the queue of the run, up to the end
	Parts  Parts // up to the end
	Before *Node
}

// Path returns the critical path.
func (r *Run) Path() Path {
	if r.End <= r.Start {
		return Path{}
	}
	p := Path{Named: true}
	_, last := r.Nodes()
	from := r.Start
	if last != nil {
		p.Parts, from = last.Parts, last.End
		p.Named = last.Length <= MostOnPath
	}
	r.divideGap(&p.Parts, from, r.End, nil, last)
	if !p.Named {
		return p
	}
	bySteps := map[string]int64{}
	for node := last; node != nil; node = node.Before {
		step := r.Step(node.Step)
		name := cmp.Or(step.Name, step.ID)
		bySteps[name] += node.Took
		p.Spans = append(p.Spans, hex.EncodeToString(node.Span[:]))
		if len(p.Names) == 0 || p.Names[len(p.Names)-1] != name {
			p.Names = append(p.Names, name)
		}
	}
	slices.Reverse(p.Spans)
	slices.Reverse(p.Names)
	p.findBottleneck(bySteps, r.End-r.Start)
	return p
}

func (p *Path) findBottleneck(bySteps map[string]int64, duration int64) {
	largest := int64(-1)
	consider := func(name string, part int64) {
		if part > largest || part == largest && name < p.Bottleneck {
			p.Bottleneck, largest = name, part
		}
	}
	for name, part := range bySteps {
		consider(name, part)
	}
	consider(Queue, p.Queue)
	consider(Backoff, p.Backoff)
	consider(Orchestration, p.Orchestration)
	p.Share = float64(largest) / float64(duration)
}

// Nodes returns the nodes of the attempts, in their order, and that of the one that ended last; without attempts, that of the run's
// Before.
func (r *Run) Nodes() (nodes []*Node, last *Node) {
	if r.Before != nil {
		last = r.Before.Latest
	}
	byEnd := make([]int, len(r.Attempts))
	for i := range byEnd {
		byEnd[i] = i
	}
	slices.SortStableFunc(byEnd, func(a, b int) int { return cmp.Compare(r.Attempts[a].End, r.Attempts[b].End) })
	nodes = make([]*Node, len(r.Attempts))
	for place, i := range byEnd {
		a := &r.Attempts[i]
		before := r.waitedFor(byEnd, place, nodes)
		node := &Node{Step: a.Step, Length: 1, Span: a.Span, Took: a.End - a.Start, End: a.End, Waited: r.queuedUntil(a.End), Before: before}
		from := r.Start
		if before != nil {
			node.Parts, from, node.Length = before.Parts, before.End, before.Length+1
		}
		r.divideGap(&node.Parts, from, a.Start, a, before)
		node.Parts.Steps += node.Took
		if node.Length > MostOnPath {
			node.Before, node.Length = nil, MostOnPath+1
		}
		nodes[i], last = node, node
	}
	return nodes, last
}

// waitedFor returns the attempt whose end allowed the attempt at a place to begin, or nil. It has an earlier place, also where
// attempts have no duration. An attempt of Before ended before all of these began.
func (r *Run) waitedFor(byEnd []int, place int, nodes []*Node) *Node {
	a := &r.Attempts[byEnd[place]]
	deps := r.Step(a.Step).Deps
	latest := -1
	for _, i := range slices.Backward(byEnd[:place]) {
		b := &r.Attempts[i]
		if b.End > a.Start {
			continue
		}
		if b.Step == a.Step || slices.Contains(deps, r.Step(b.Step).Name) {
			return nodes[i]
		}
		if latest < 0 {
			latest = i
		}
	}
	if r.Before != nil && r.Before.Latest != nil {
		if node := r.waitedForBefore(a.Step, deps); node != nil {
			return node
		}
		if latest < 0 {
			return r.Before.Latest
		}
		return nodes[latest]
	}
	// A root of the graph in the first batch waited for nothing except perhaps a free thread.
	if latest < 0 || len(deps) == 0 && a.FirstBatch && !r.Attempts[latest].FirstBatch {
		return nil
	}
	return nodes[latest]
}

// waitedForBefore returns, of the attempts before the run's, that of the step, or of those that it depends on, that ended last.
func (r *Run) waitedForBefore(step int16, deps []string) (last *Node) {
	for _, node := range r.Before.Nodes {
		if node == nil || node.Step != step && !slices.Contains(deps, r.Step(node.Step).Name) {
			continue
		}
		if last == nil || node.End >= last.End {
			last = node
		}
	}
	return last
}

// divideGap adds a gap on the path to the part that caused it. next is the attempt after the gap, nil at the run's end; after is the
// node before the gap.
func (r *Run) divideGap(p *Parts, from, to int64, next *Attempt, after *Node) {
	if to <= from {
		return
	}
	rest := to - from
	if next != nil && next.HasBackoff {
		part := overlap(from, to, next.BackoffAt, to)
		p.Backoff += part
		rest -= part
		to = min(to, max(from, next.BackoffAt))
	}
	part := r.queuedBetween(from, to, after)
	p.Queue += part
	p.Orchestration += rest - part
}

// queuedBetween returns how long the run was in the queue between two times, the first of which is the end of a node, or the run's
// beginning.
func (r *Run) queuedBetween(from, to int64, after *Node) int64 {
	total := int64(0)
	if r.Before != nil && from < r.Before.At && to >= r.Before.At {
		total = r.Before.Queued
		if after != nil {
			total -= after.Waited
		}
	}
	return total + r.inQueue(from, to)
}

// queuedUntil returns how long the run was in the queue up to a time.
func (r *Run) queuedUntil(at int64) int64 {
	total := r.inQueue(r.Start, at)
	if r.Before != nil {
		total += r.Before.Queued
	}
	return total
}

func (r *Run) inQueue(from, to int64) (total int64) {
	for _, q := range r.Queued {
		total += overlap(from, to, q.Start, q.End)
	}
	return total
}

func overlap(a, b, c, d int64) int64 { return max(0, min(b, d)-max(a, c)) }
