// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package waterfall

import (
	"io"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/terminal"
	"github.com/tasker-otel/otelcol-tasker/internal/treeview"
)

// Options of a drawing. Zero values select defaults.
type Options struct {
	// Width in columns, at least MinWidth.
	Width int
	// Depth is the number of visible levels, including the task's; 0 shows all.
	Depth int
	// ASCII draws with ASCII characters only, except in names.
	ASCII bool
	// Palette selects colors.
	Palette terminal.Palette
}

// Widths of a drawing, in columns.
const (
	DefaultWidth = 100
	MinWidth     = 24
)

const (
	durationColumns = 7
	fewestBarCells  = 8 // with fewer, bars are omitted
	fewestLabels    = 12
	errorLines      = 3
)

// Draw writes a task: a header, the time axis, and one line per span. It does not retain the tree.
func Draw(w io.Writer, tree *tree.Tree, options Options) error {
	d := drawing{tree: tree, width: max(MinWidth, options.Width), palette: options.Palette, glyphs: &unicodeGlyphs}
	if options.Width == 0 {
		d.width = DefaultWidth
	}
	if options.ASCII {
		d.glyphs = &asciiGlyphs
	}
	rows := plan(tree, options.Depth, d.glyphs)
	d.layout(rows)
	d.header()
	d.axis()
	for i := range rows {
		d.row(&rows[i])
	}
	_, err := io.WriteString(w, d.out.String())
	return err
}

// drawing is the state of drawing a task.
type drawing struct {
	tree    *tree.Tree
	width   int
	labels  int // columns of labels
	cells   int // columns of bars; 0 for none
	palette terminal.Palette
	glyphs  *glyphs
	out     strings.Builder
}

func (d *drawing) paint(style terminal.Style, text string) string {
	return d.palette.Paint(style, text)
}

func (d *drawing) line(text string) {
	d.out.WriteString(strings.TrimRight(text, " "))
	d.out.WriteByte('\n')
}

// layout divides the width: labels get what they need up to 45 %, bars the rest.
func (d *drawing) layout(rows []row) {
	needed := 0
	for i := range rows {
		r := &rows[i]
		needed = max(needed, terminal.Width(r.guides)+terminal.Width(treeview.Joined(r.label, r.words)))
	}
	const between = 1 + 1 + 1 + durationColumns // label, mark, duration
	d.labels = min(needed, max(fewestLabels, d.width*45/100))
	d.cells = d.width - d.labels - between - 2
	if d.cells < fewestBarCells {
		d.cells = 0
		d.labels = min(needed, d.width-between)
	}
}

func (d *drawing) row(r *row) {
	label := d.label(r)
	padding := strings.Repeat(" ", max(0, d.labels-terminal.Width(r.guides)-terminal.Width(label)))
	line := d.paint(terminal.Dim, r.guides) + d.paint(r.style, label) + padding + " " + d.paint(r.markStyle, r.mark) +
		" " + terminal.PadLeft(d.glyphs.duration(r.end-r.start), durationColumns)
	if d.cells > 0 {
		line += "  " + d.bar(r)
	}
	d.line(line)
	if r.error != "" {
		d.wrapped(r.below, r.error, terminal.Red)
	}
}

// label truncates the name rather than the words after it.
func (d *drawing) label(r *row) string {
	room := d.labels - terminal.Width(r.guides)
	if r.words == "" {
		return terminal.Truncate(r.label, room, d.glyphs.ellipsis)
	}
	name := terminal.Truncate(r.label, max(3, room-1-terminal.Width(r.words)), d.glyphs.ellipsis)
	return terminal.Truncate(name+" "+r.words, room, d.glyphs.ellipsis)
}

// wrapped adds a wrapped text with guides.
func (d *drawing) wrapped(guides, text string, style terminal.Style) {
	columns := max(10, d.width-terminal.Width(guides))
	lines := terminal.Wrap(text, columns)
	if len(lines) > errorLines {
		lines = lines[:errorLines]
		last := &lines[errorLines-1]
		*last = terminal.Truncate(*last, columns-terminal.Width(d.glyphs.ellipsis), "") + d.glyphs.ellipsis
	}
	for _, line := range lines {
		d.line(d.paint(terminal.Dim, guides) + d.paint(style, line))
	}
}

// bar draws a span's time on the axis. It has at least one cell, so that short spans are visible.
func (d *drawing) bar(r *row) string {
	from, to := d.cell(r.start), d.cell(r.end)
	first := min(int(from), d.cells-1)
	last := max(first+1, min(int(to+0.5), d.cells))
	bar := strings.Repeat(r.glyph, last-first)
	if r.open {
		bar = strings.Repeat(r.glyph, last-first-1) + d.glyphs.more
	}
	style := r.style
	if style == terminal.Bold {
		style = terminal.Cyan
	}
	if r.markStyle != terminal.Green {
		style = r.markStyle
	}
	return strings.Repeat(" ", first) + d.paint(style, bar)
}

// cell returns the position of a time on the axis, in cells.
func (d *drawing) cell(at int64) float64 {
	root := &d.tree.Spans[0]
	if root.End <= root.Start {
		return 0
	}
	share := float64(at-root.Start) / float64(root.End-root.Start)
	return max(0, min(1, share)) * float64(d.cells)
}

// axis adds two lines: times, and ticks below them.
func (d *drawing) axis() {
	root := &d.tree.Spans[0]
	total := root.End - root.Start
	if d.cells == 0 || total <= 0 {
		return
	}
	const columnsPerTick = 9
	step := treeview.TickStep(total, max(2, d.cells/columnsPerTick))
	texts := ""
	ticks := []byte(strings.Repeat("-", d.cells))
	for at := int64(0); at <= total; at += step {
		cell := int(d.cell(root.Start + at))
		if cell >= d.cells {
			break
		}
		ticks[cell] = '+'
		text := d.glyphs.tickText(at)
		if terminal.Width(texts) < cell || cell == 0 {
			texts = terminal.Pad(texts, cell)
			if cell+terminal.Width(text) <= d.cells {
				texts += text
			}
		}
	}
	rule := strings.NewReplacer("-", d.glyphs.rule, "+", d.glyphs.tick).Replace(string(ticks))
	margin := strings.Repeat(" ", d.width-d.cells)
	d.line(margin + d.paint(terminal.Dim, strings.TrimRight(texts, " ")))
	d.line(margin + d.paint(terminal.Dim, rule))
}
