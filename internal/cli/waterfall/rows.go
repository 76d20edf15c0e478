// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package waterfall

import (
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/terminal"
	"github.com/tasker-otel/otelcol-tasker/internal/treeview"
)

// row is a line of the drawing, or several if there is an error.
type row struct {
	guides string // before the label
	below  string // guides before the row's further lines
	label  string
	words  string // after the label, never truncated

	mark       string
	markStyle  terminal.Style
	style      terminal.Style
	start, end int64
	glyph      string
	open       bool
	error      string
}

func plan(tree *tree.Tree, depth int, g *glyphs) []row {
	planned := treeview.Plan{Depth: depth}.Rows(tree)
	rows := make([]row, len(planned))
	under := []string{""} // guides below the rows above, by level
	for i := range planned {
		p := &planned[i]
		rows[i] = g.row(p)
		above := under[p.Level-1]
		under = under[:p.Level]
		switch {
		case p.Level == 1:
			under = append(under, "")
		case p.Last:
			rows[i].guides = above + g.last
			under = append(under, above+g.none)
		default:
			rows[i].guides = above + g.branch
			under = append(under, above+g.through)
		}
		rows[i].below = under[p.Level] + g.none
		if p.Children {
			rows[i].below = under[p.Level] + g.through
		}
	}
	return rows
}

func (g *glyphs) row(p *treeview.Row) row {
	r := row{label: p.Label, start: p.Start, end: p.End, glyph: g.work, open: p.Incomplete, error: p.Error}
	r.mark, r.markStyle = g.mark(p.Mark)
	switch {
	case p.Critical:
		r.glyph, r.style = g.path, terminal.Bold
	case p.Kind == treeview.KindWait:
		r.glyph, r.style = g.wait, terminal.Dim
	case p.Kind == treeview.KindAside:
		r.style = terminal.Dim
	}
	r.words = treeview.Joined(only(p.OnPath, g.critical), only(p.Incomplete, "incomplete"), only(p.Synthesized, "synthesized"))
	return r
}

func only(on bool, word string) string {
	if on {
		return word
	}
	return ""
}
