// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"encoding/hex"
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/treeview"
)

const (
	// foldedFrom is the number of spans from which large batches are folded.
	foldedFrom = 300
	// foldedBatch is the number of attempts from which a batch is large.
	foldedBatch = 12
	// maxRows is the maximum number of rows on a page.
	maxRows = 6000
	// maxErrorRows is the maximum number of rows that show an error.
	maxErrorRows = 100
)

// waterfall renders a run of a task as table rows with bars on a common time axis.
type waterfall struct {
	tree     *tree.Tree
	now      int64                 // on the sender's clock; the end of a finished tree
	settled  map[event.SpanID]bool // the final spans of an open tree
	still    int64                 // if nothing is final before the end: complete spans that ended before this time hardly change
	missing  map[event.SpanID]bool
	open     bool
	selected event.SpanID
	link     func(span string) string // returns the URL of the page with another span selected
	unfold   func(span string) string // returns the URL of the page with another batch unfolded
	unfolded string                   // the ID of a batch, or all

	start, end int64 // of the axis
	growing    map[event.SpanID]bool
	newest     map[string]int64 // start of the latest child by parent and name
	out        strings.Builder
	errors     int
}

// drawn is a rendered waterfall.
type drawn struct {
	Rows    template.HTML
	Ticks   []string
	Grid    int // intervals of the axis
	Folded  bool
	Hidden  int // folded spans
	Cut     int // omitted rows
	Open    int // spans that have not ended
	Settled int
}

func (w *waterfall) draw() drawn {
	root := &w.tree.Spans[0]
	w.start, w.end = root.Start, max(root.End, w.now)
	d := drawn{Folded: len(w.tree.Spans) > foldedFrom && w.unfolded != "all"}
	w.axis(&d)
	rows := w.plan(&d).Rows(w.tree)
	w.findGrowing(rows)
	for i := range rows {
		d.Hidden += rows[i].Hidden
		if i >= maxRows {
			d.Cut = len(rows) - maxRows
			break
		}
		w.row(&rows[i], &d)
	}
	d.Rows = template.HTML(w.out.String()) //nolint:gosec // texts are escaped as they are written
	return d
}

// plan folds large batches of large trees, except for failed and running spans and those on the critical path.
func (w *waterfall) plan(d *drawn) treeview.Plan {
	if !d.Folded {
		return treeview.Plan{}
	}
	return treeview.Plan{
		Folded: func(s *tree.Span, children int) bool {
			return (s.Name == lifecycle.SpanBatch || s.Name == lifecycle.SpanOrchestration) && children > foldedBatch && hex.EncodeToString(s.ID[:]) != w.unfolded
		},
		Shown: func(s *tree.Span, critical bool) bool {
			return critical || s.Failed() || treeview.Marked(s, lifecycle.AttrIncomplete) || s.ID == w.selected ||
				s.Name == lifecycle.SpanBatch
		},
	}
}

// axis divides the time into round intervals.
func (w *waterfall) axis(d *drawn) {
	total := max(1, w.end-w.start)
	step := treeview.TickStep(total, 6)
	d.Grid = int(min((total+step-1)/step, 8))
	w.end = max(w.end, w.start+int64(d.Grid)*step)
	for i := range d.Grid {
		text := "0"
		if i > 0 {
			text = span(int64(i) * step)
		}
		d.Ticks = append(d.Ticks, text)
	}
}

// findGrowing finds the spans whose bars end now: those without an end, within a parent without one, that are the latest of
// their kind.
func (w *waterfall) findGrowing(rows []treeview.Row) {
	w.growing, w.newest = map[event.SpanID]bool{}, map[string]int64{}
	if !w.open {
		return
	}
	key := func(s *tree.Span) string { return string(s.Parent[:]) + s.Name }
	for i := range rows {
		if s := rows[i].Span; s.Name != lifecycle.SpanStep {
			w.newest[key(s)] = max(w.newest[key(s)], s.Start)
		}
	}
	for i := range rows {
		r := &rows[i]
		s := r.Span
		if r.Level == 1 {
			w.growing[s.ID] = r.Incomplete
		} else if r.Incomplete && w.growing[s.Parent] && (s.Name == lifecycle.SpanStep || s.Start == w.newest[key(s)]) {
			w.growing[s.ID] = true
		}
	}
}

// place returns the position of a time on the axis, in percent.
func (w *waterfall) place(at int64) float64 {
	return 100 * float64(min(max(at, w.start), w.end)-w.start) / float64(max(1, w.end-w.start))
}

func (w *waterfall) row(r *treeview.Row, d *drawn) {
	s := r.Span
	id := hex.EncodeToString(s.ID[:])
	grows := w.growing[s.ID]
	end := r.End
	if grows {
		end = w.now
		d.Open++
	}
	mark := markOf(r.Mark)
	if r.Mark == treeview.MarkOpen && !grows {
		mark = stateIncomplete
	}
	settled := !w.open || w.settled[s.ID] || r.Level > 1 && !r.Incomplete && r.End < w.still && !w.missing[s.ID]
	if settled {
		d.Settled++
	}
	class := "l" + strconv.Itoa(min(r.Level, 7)) + " " + kindClass(s.Name)
	for _, c := range [...]struct {
		on   bool
		name string
	}{
		{r.Critical, "crit"}, {r.Mark == treeview.MarkFailure, "fail"}, {grows, "live"}, {!settled && !grows, "soft"}, {s.ID == w.selected, "sel"},
	} {
		if c.on {
			class += " " + c.name
		}
	}
	out := &w.out
	out.WriteString(`<tr class="` + class + `"><th scope="row"><a href="` + template.HTMLEscapeString(w.link(id)) + `">` + template.HTMLEscapeString(name(r.Label)) + `</a>`)
	if r.OnPath {
		out.WriteString(`<i title="on the critical path">★</i>`)
	}
	if r.Synthesized {
		out.WriteString(`<i class="inf" title="inferred: no event announced it">inferred</i>`)
	}
	if r.Hidden > 0 {
		fmt.Fprintf(out, `<a class="fold" href="%s">+ %s more</a>`, template.HTMLEscapeString(w.unfold(id)), number(r.Hidden))
	}
	out.WriteString(`</th><td class="mk ` + mark.Class + `">`)
	if mark.Mark != "" {
		out.WriteString(`<span title="` + mark.Word + `">` + mark.Mark + `</span>`)
	}
	out.WriteString(`</td><td class="du">` + span(end-r.Start) + `</td><td class="tl"><svg aria-hidden="true">`)
	w.bar(r, r.Start, end, grows)
	out.WriteString("</svg></td></tr>\n")
	if r.Error != "" && w.errors < maxErrorRows {
		w.errors++
		out.WriteString(`<tr class="er l` + strconv.Itoa(min(r.Level, 7)) + `"><td colspan="4">` + template.HTMLEscapeString(message(r.Error)) + "</td></tr>\n")
	}
}

func (w *waterfall) bar(r *treeview.Row, start, end int64, grows bool) {
	from := w.place(start)
	width := max(0.15, w.place(end)-from)
	from = min(from, 100-width)
	fill := ""
	if r.Kind == treeview.KindWait {
		fill = ` fill="url(#wait)"`
	}
	rect := fmt.Sprintf(`x="%.2f%%" width="%.2f%%"`, from, width)
	w.out.WriteString(`<rect ` + rect + fill + `/>`)
	if grows {
		w.out.WriteString(`<rect class="go" ` + rect + ` fill="url(#runs)"/>` + fmt.Sprintf(`<rect class="cap" x="%.2f%%"/>`, from+width))
	}
}

func kindClass(name string) string {
	switch name {
	case lifecycle.SpanTask:
		return "task"
	case lifecycle.SpanOrchestration:
		return "pass"
	case lifecycle.SpanBatch:
		return "batch"
	case lifecycle.SpanStep:
		return "step"
	case lifecycle.SpanHandler:
		return "hand"
	case lifecycle.SpanQuery:
		return "query"
	case lifecycle.SpanQueued, lifecycle.SpanBackoff:
		return "wait"
	}
	return "aside"
}

// wait adds a row for what an open task waits for if no span shows it.
func (w *waterfall) wait(what string, since int64) template.HTML {
	from := w.place(since)
	return template.HTML(fmt.Sprintf(`<tr class="l2 wait live"><th scope="row">%s</th><td class="mk run"><span title="has not ended">●</span></td><td class="du">%s</td>`+ //nolint:gosec // escaped
		`<td class="tl"><svg aria-hidden="true"><rect x="%.2f%%" width="%.2f%%" fill="url(#wait)"/><rect class="cap" x="%.2f%%"/></svg></td></tr>`,
		template.HTMLEscapeString(what), span(w.now-since), from, max(0.15, w.place(w.now)-from), w.place(w.now)))
}
