// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package waterfall

import (
	"github.com/tasker-otel/otelcol-tasker/internal/cli/terminal"
	"github.com/tasker-otel/otelcol-tasker/internal/treeview"
)

// glyphs are the characters of a drawing. All have one column except the guides, which have three, and the separators.
type glyphs struct {
	branch, last, through, none string // guides of the tree

	success, failure, cancelled, resolved, open string // marks
	critical                                    string // after a label

	work, path, wait, more string // bars: usual, on the critical path, waiting; the end of an open bar

	rule, tick, dot, arrow, ellipsis, micro string
}

var (
	unicodeGlyphs = glyphs{
		branch: "├─ ", last: "└─ ", through: "│  ", none: "   ",
		success: "✓", failure: "✗", cancelled: "⊘", resolved: "✎", open: "…", critical: "★",
		work: "━", path: "█", wait: "░", more: "▶",
		rule: "─", tick: "┬", dot: " · ", arrow: " → ", ellipsis: "…", micro: "µ",
	}
	asciiGlyphs = glyphs{
		branch: "|- ", last: "`- ", through: "|  ", none: "   ",
		success: "+", failure: "x", cancelled: "-", resolved: "m", open: "?", critical: "*",
		work: "=", path: "#", wait: ".", more: ">",
		rule: "-", tick: "+", dot: " | ", arrow: " > ", ellipsis: "..", micro: "u",
	}
)

// mark returns the character and style of an outcome.
func (g *glyphs) mark(m treeview.Mark) (string, terminal.Style) {
	switch m {
	case treeview.MarkSuccess:
		return g.success, terminal.Green
	case treeview.MarkFailure:
		return g.failure, terminal.Red
	case treeview.MarkCancelled:
		return g.cancelled, terminal.Yellow
	case treeview.MarkResolved:
		return g.resolved, terminal.Yellow
	case treeview.MarkOpen:
		return g.open, terminal.Yellow
	}
	return " ", terminal.Plain
}
