// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package treeview

import (
	"cmp"
	"encoding/hex"
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Row is one line of a waterfall: a span, or a few that are shown as one.
type Row struct {
	Span  *assembly.Span // the first of those that are shown as one
	Level int            // 1 is the task's
	Last  bool           // of those with the same parent
	// Children reports whether rows below belong to this one, Hidden how many spans below it are not shown.
	Children bool
	Hidden   int

	Label      string
	Mark       Mark
	Kind       Kind
	Start, End int64
	// OnPath marks the attempts of the critical path; Critical also what is part of them.
	OnPath, Critical        bool
	Incomplete, Synthesized bool
	Error                   string // of an attempt
}

// Mark is the outcome of a span.
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

func (m Mark) String() string {
	return [...]string{"", "success", "failure", "cancelled", "resolved by hand", "no end yet"}[m]
}

// Kind is what a span stands for, as far as it is drawn differently.
type Kind uint8

// The kinds.
const (
	KindWork  Kind = iota
	KindWait       // in the queue, or for another attempt
	KindAside      // what the engine does beside the work
)

// Plan says which rows a waterfall has.
type Plan struct {
	// Depth is how many levels are shown, the task's being the first; 0 shows all.
	Depth int
	// Folded reports whether what is below a span is not shown; nil folds nothing.
	Folded func(s *assembly.Span, children int) bool
	// Shown reports whether a span is shown although what is above it is folded; nil shows none.
	Shown func(s *assembly.Span, critical bool) bool
}

// Rows returns the rows of a tree, each parent before its children, siblings by their start.
func (p Plan) Rows(tree *assembly.Tree) []Row {
	w := planner{Plan: p, tree: tree, children: map[assembly.SpanID][]int{}, critical: map[string]bool{}, drawn: make([]bool, len(tree.Spans))}
	present := make(map[assembly.SpanID]bool, len(tree.Spans))
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
	tree     *assembly.Tree
	children map[assembly.SpanID][]int
	critical map[string]bool // ids of the spans on the critical path, in hexadecimal
	drawn    []bool          // by place: a tree that was read from somewhere may have an id twice
	rows     []Row
}

// span adds the row of a span and those below it. critical is whether the span above is a step of the critical path, folded
// whether it is folded.
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

func rowOf(s *assembly.Span) Row {
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
func MarkOf(s *assembly.Span) Mark {
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
	case s.Outcome == assembly.OutcomeError:
		return MarkFailure
	case Marked(s, lifecycle.AttrIncomplete):
		return MarkOpen
	case s.Outcome == assembly.OutcomeOk:
		return MarkSuccess
	}
	return MarkNone
}

// emptyBatches is from how many empty batches in a row on they are shown as one line: a pass that waits for a failed step
// executes 20 of them a second.
const emptyBatches = 3

// emptyRun returns how many spans at the beginning of the list are empty batches and the searches before them; zero when they
// are too few to be shown as one.
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
