package waterfall

import (
	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/terminal"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// glyphs are the characters of a drawing. All take one column but for the guides, which take three, and the separators.
type glyphs struct {
	branch, last, through, none string // guides of the tree

	success, failure, cancelled, resolved, open string // marks
	critical                                    string // behind a label

	work, path, wait, more string // bars: usual, on the critical path, waiting; the end of one whose end is unknown

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

// mark is the outcome of a span as one character, and its style.
func (g *glyphs) mark(s *assembly.Span) (string, terminal.Style) {
	switch status(s) {
	case lifecycle.StatusSuccess:
		return g.success, terminal.Green
	case lifecycle.StatusFailure:
		return g.failure, terminal.Red
	case lifecycle.StatusCancelled:
		return g.cancelled, terminal.Yellow
	case lifecycle.StatusResolvedManually:
		return g.resolved, terminal.Yellow
	}
	switch {
	case s.Outcome == assembly.OutcomeError:
		return g.failure, terminal.Red
	case marked(s, lifecycle.AttrIncomplete):
		return g.open, terminal.Yellow
	case s.Outcome == assembly.OutcomeOk:
		return g.success, terminal.Green
	}
	return " ", terminal.Plain
}
