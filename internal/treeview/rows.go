// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package treeview

import (
	"cmp"
	"encoding/hex"
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Row is one line of a waterfall: a span, or several that are collapsed into one.
type Row struct {
	Span  *tree.Span // the first of collapsed spans
	Level int        // 1 is the task
	Last  bool       // of its siblings
	// Children reports whether the row has visible children; Hidden is the number of hidden descendants.
	Children bool
	Hidden   int

	Label      string
	Mark       Mark
	Kind       Kind
	Start, End int64
	// OnPath marks the attempts on the critical path, Critical also their descendants.
	OnPath, Critical        bool
	Incomplete, Synthesized bool
	Error                   string // of an attempt
}

// Mark is the outcome of a row's span.
type Mark uint8

// The outcomes.
const (
	MarkNone Mark = iota
	MarkSuccess
	MarkFailure
	MarkCancelled
	MarkResolved
	MarkOpen
)

// Kind selects how a span is drawn.
type Kind uint8

// The kinds.
const (
	KindWork  Kind = iota
	KindWait       // in the queue, or before a retry
	KindAside      // of the engine, in addition to the work
)

// Plan selects the rows of a waterfall.
type Plan struct {
	// Depth is the number of visible levels, including the task's; 0 shows all.
	Depth int
	// Folded reports whether the descendants of a span are hidden; nil hides none.
	Folded func(s *tree.Span, children int) bool
	// Shown reports whether a span is visible although an ancestor is folded; nil shows none.
	Shown func(s *tree.Span, critical bool) bool
}

// Rows returns the rows of a tree: each parent before its children, siblings by start time.
func (p Plan) Rows(tree *tree.Tree) []Row {
	w := planner{Plan: p, tree: tree, children: map[event.SpanID][]int{}, critical: map[string]bool{}, drawn: make([]bool, len(tree.Spans))}
	present := make(map[event.SpanID]bool, len(tree.Spans))
	for i := range tree.Spans {
		present[tree.Spans[i].ID] = true
	}
	for i := range tree.Spans {
		if i == 0 {
			continue
		}
		parent := tree.Spans[i].Parent
		if !present[parent] || parent == tree.Spans[i].ID {
			parent = tree.Spans[0].ID
		}
		w.children[parent] = append(w.children[parent], i)
	}
	for _, list := range w.children {
		slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(tree.Spans[a].Start, tree.Spans[b].Start) })
	}
	for _, id := range Value(tree.Spans[0].Attributes, lifecycle.AttrCriticalPathSpans).Strings {
		w.critical[id] = true
	}
	w.rows = make([]Row, 0, len(tree.Spans))
	w.span(0, 1, false, true, false)
	return w.rows
}

// planner turns a tree into rows.
type planner struct {
	Plan
	tree     *tree.Tree
	children map[event.SpanID][]int
	critical map[string]bool // ids of the spans on the critical path, in hexadecimal
	drawn    []bool          // by index: a tree from a file may contain an ID twice
	rows     []Row
}

// span adds the row of a span and its descendants. critical is whether the parent is a step on the critical path, folded
// whether the parent is folded.
func (p *planner) span(i, level int, critical, last, folded bool) {
	if p.drawn[i] {
		return
	}
	p.drawn[i] = true
	s := &p.tree.Spans[i]
	list := p.children[s.ID]
	if p.Depth > 0 && level >= p.Depth {
		list = nil
	}
	r := rowOf(s)
	r.Level, r.Last = level, last
	r.OnPath = len(p.critical) > 0 && p.critical[hex.EncodeToString(s.ID[:])]
	r.Critical = r.OnPath || critical && s.Name == lifecycle.SpanHandler
	if p.Folded != nil && !folded && p.Folded(s, len(list)) {
		var shown []int
		for _, child := range list {
			c := &p.tree.Spans[child]
			if p.Shown != nil && p.Shown(c, p.critical[hex.EncodeToString(c.ID[:])]) {
				shown = append(shown, child)
			}
		}
		r.Hidden = len(list) - len(shown)
		list = shown
	}
	r.Children = len(list) > 0
	p.rows = append(p.rows, r)
	for k := 0; k < len(list); {
		n := p.emptyRun(list[k:])
		last := k+max(n, 1) == len(list)
		if n > 0 {
			p.empty(list[k:k+n], level+1, last)
			k += n
			continue
		}
		p.span(list[k], level+1, r.Critical, last, folded)
		k++
	}
}

func rowOf(s *tree.Span) Row {
	r := Row{
		Span: s, Label: Label(s), Mark: MarkOf(s), Start: s.Start, End: s.End,
		Incomplete: Marked(s, lifecycle.AttrIncomplete), Synthesized: Marked(s, lifecycle.AttrSynthesized),
	}
	switch s.Name {
	case lifecycle.SpanQueued, lifecycle.SpanBackoff:
		r.Kind = KindWait
	case lifecycle.SpanDependency, lifecycle.SpanFinalization:
		r.Kind = KindAside
	case lifecycle.SpanStep:
		r.Error = Failure(s)
	}
	return r
}

// MarkOf returns the outcome of a span.
func MarkOf(s *tree.Span) Mark {
	switch Status(s) {
	case lifecycle.StatusSuccess:
		return MarkSuccess
	case lifecycle.StatusFailure:
		return MarkFailure
	case lifecycle.StatusCancelled:
		return MarkCancelled
	case lifecycle.StatusResolvedManually:
		return MarkResolved
	}
	switch {
	case s.Failed():
		return MarkFailure
	case Marked(s, lifecycle.AttrIncomplete):
		return MarkOpen
	case s.Outcome == tree.OutcomeOk:
		return MarkSuccess
	}
	return MarkNone
}

// emptyBatches is the minimum number of successive empty batches to collapse: a pass that waits for a failed step executes
// 20 of them per second.
const emptyBatches = 3

// emptyRun returns how many spans at the beginning of the list are empty batches and the discoveries before them; zero if
// there are too few to collapse.
func (p *planner) emptyRun(list []int) int {
	batches, n := 0, 0
	for k, i := range list {
		s := &p.tree.Spans[i]
		if s.Name == lifecycle.SpanBatch && len(p.children[s.ID]) == 0 && !Marked(s, lifecycle.AttrIncomplete) {
			batches++
			n = k + 1
			continue
		}
		if s.Name != lifecycle.SpanDependency {
			break
		}
	}
	if batches < emptyBatches {
		return 0
	}
	return n
}

func (p *planner) empty(list []int, level int, last bool) {
	first := &p.tree.Spans[list[0]]
	r := Row{Span: first, Level: level, Last: last, Kind: KindWait, Start: first.Start, End: first.End}
	batches := int64(0)
	for _, i := range list {
		s := &p.tree.Spans[i]
		r.End = max(r.End, s.End)
		if s.Name == lifecycle.SpanBatch {
			batches++
		}
	}
	r.Label = Count(batches, "empty batch")
	p.rows = append(p.rows, r)
}
