package waterfall

import (
	"cmp"
	"encoding/hex"
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/terminal"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// row is one line of the drawing, or a few where there is an error to tell.
type row struct {
	guides string // before the label
	below  string // guides before lines that belong to this one
	label  string
	words  string // behind the label: what must not be cut off

	mark       string
	markStyle  terminal.Style
	style      terminal.Style
	start, end int64
	glyph      string
	open       bool
	error      string
}

// planner turns a tree into rows.
type planner struct {
	tree     *assembly.Tree
	children map[assembly.SpanID][]int
	critical map[string]bool // ids of the spans on the critical path, in hexadecimal
	depth    int             // levels to show; 0 for all
	glyphs   *glyphs
	rows     []row
}

func plan(tree *assembly.Tree, depth int, g *glyphs) []row {
	p := planner{tree: tree, children: map[assembly.SpanID][]int{}, critical: map[string]bool{}, depth: depth, glyphs: g}
	present := map[assembly.SpanID]bool{}
	for i := range tree.Spans {
		s := &tree.Spans[i]
		present[s.ID] = true
		if i == 0 {
			continue
		}
		parent := s.Parent
		if !present[parent] {
			parent = tree.Spans[0].ID
		}
		p.children[parent] = append(p.children[parent], i)
	}
	for _, list := range p.children {
		slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(tree.Spans[a].Start, tree.Spans[b].Start) })
	}
	for _, id := range value(tree.Spans[0].Attributes, lifecycle.AttrCriticalPathSpans).Strings {
		p.critical[id] = true
	}
	p.span(0, 1, "", "", false)
	return p.rows
}

// span adds the row of a span and those below it. critical is whether the span above is a step of the critical path.
func (p *planner) span(i, level int, guides, below string, critical bool) {
	s := &p.tree.Spans[i]
	list := p.children[s.ID]
	if p.depth > 0 && level >= p.depth {
		list = nil
	}
	r := row{guides: guides, label: label(s), start: s.Start, end: s.End, glyph: p.glyphs.work}
	r.mark, r.markStyle = p.glyphs.mark(s)
	r.open = marked(s, lifecycle.AttrIncomplete)
	onPath := p.critical[hex.EncodeToString(s.ID[:])]
	critical = onPath || critical && s.Name == lifecycle.SpanHandler
	switch {
	case critical:
		r.glyph, r.style = p.glyphs.path, terminal.Bold
	case s.Name == lifecycle.SpanQueued || s.Name == lifecycle.SpanBackoff:
		r.glyph, r.style = p.glyphs.wait, terminal.Dim
	case s.Name == lifecycle.SpanDependency || s.Name == lifecycle.SpanFinalization:
		r.style = terminal.Dim
	}
	r.words = joined(only(onPath, p.glyphs.critical), only(r.open, "incomplete"),
		only(marked(s, lifecycle.AttrSynthesized), "synthesized"))
	r.below = below + p.glyphs.none
	if len(list) > 0 {
		r.below = below + p.glyphs.through
	}
	if s.Name == lifecycle.SpanStep {
		r.error = failure(s)
	}
	p.rows = append(p.rows, r)

	for k := 0; k < len(list); {
		n := p.emptyRun(list[k:])
		last := k+max(n, 1) == len(list)
		guide, under := p.glyphs.branch, p.glyphs.through
		if last {
			guide, under = p.glyphs.last, p.glyphs.none
		}
		if n > 0 {
			p.empty(list[k:k+n], below+guide)
			k += n
			continue
		}
		p.span(list[k], level+1, below+guide, below+under, critical)
		k++
	}
}

func only(on bool, word string) string {
	if on {
		return word
	}
	return ""
}

// emptyBatches is from how many empty batches in a row on they are shown as one line: a pass that waits for a failed step
// executes 20 of them a second.
const emptyBatches = 3

// emptyRun is how many spans at the beginning of the list are empty batches and the searches before them; zero when they
// are too few to be shown as one.
func (p *planner) emptyRun(list []int) int {
	batches, n := 0, 0
	for k, i := range list {
		s := &p.tree.Spans[i]
		if s.Name == lifecycle.SpanBatch && len(p.children[s.ID]) == 0 && !marked(s, lifecycle.AttrIncomplete) {
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

func (p *planner) empty(list []int, guides string) {
	first := &p.tree.Spans[list[0]]
	r := row{guides: guides, mark: " ", glyph: p.glyphs.wait, style: terminal.Dim, start: first.Start, end: first.End}
	batches := int64(0)
	for _, i := range list {
		s := &p.tree.Spans[i]
		r.end = max(r.end, s.End)
		if s.Name == lifecycle.SpanBatch {
			batches++
		}
	}
	r.label = count(batches, "empty batch")
	p.rows = append(p.rows, r)
}
