// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
)

var errNoWorkflow = errors.New("no task of this workflow has been emitted in the last hour, and none is open")

// workflowURL returns the URL of a workflow's page.
func workflowURL(of string) string { return "/workflow?" + url.Values{"name": {name(of)}}.Encode() }

// workflowsPage lists the workflows.
type workflowsPage struct {
	Workflows []workflowLine
	Left      int
}

func (p *pages) workflows(r *http.Request) (any, error) {
	all, err := p.overview(r)
	if err != nil {
		return nil, err
	}
	o := all.(*overview)
	return &workflowsPage{o.Workflows, o.Left}, nil
}

// workflowPage is one workflow.
type workflowPage struct {
	Name     string
	Chips    []chip
	Steps    []stepLine
	Graph    template.HTML
	Parts    []part
	Failures []failureLine
	TasksURL string
	Latest   string
}

type stepLine struct {
	Name          string   `json:"step_name"`
	Dependencies  []string `json:"dependencies"`
	Runs          int64    `json:"executions"`
	Failed        int64    `json:"failures"`
	P50           string   `json:"-"`
	P95           string   `json:"-"`
	P50Seconds    float64  `json:"p50_seconds"`
	P95Seconds    float64  `json:"p95_seconds"`
	Share         string   `json:"-"`
	CriticalShare float64  `json:"critical_path_share"`
	URL           string   `json:"-"`
}

// part is a share of the critical path.
type part struct {
	Name, Share string
	Width       float64
	Class       string
}

func (p *pages) findWorkflow(of string) (livedata.Workflow, livedata.Statistics, bool) {
	s := p.statistics()
	for i := range s.Workflows {
		if name(s.Workflows[i].Name) == of {
			return s.Workflows[i], s, true
		}
	}
	return livedata.Workflow{}, s, false
}

func (p *pages) workflow(r *http.Request) (any, error) {
	of := name(r.URL.Query().Get("name"))
	w, statistics, found := p.findWorkflow(of)
	open := p.openTasks("")
	var states stateCounts
	for i := range open.tasks {
		if name(open.tasks[i].Name) == of {
			states[open.tasks[i].State]++
			found = true
		}
	}
	if !found {
		return nil, errNoWorkflow
	}
	page := &workflowPage{Name: of, TasksURL: tasksURL(of, "", "")}
	if w.Latest != (event.TraceID{}) {
		page.Latest = fmt.Sprintf("/tasks/%x", w.Latest)
	}
	page.chips(&w, states)
	page.Steps = stepLines(&w)
	page.Graph = drawGraph(page.Steps)
	page.Parts = parts(&w)
	var own []livedata.Failure
	for _, f := range statistics.Failures {
		if name(f.Workflow) == of {
			own = append(own, f)
		}
	}
	page.Failures, _ = failureLines(own, p.now())
	return page, nil
}

func (page *workflowPage) chips(w *livedata.Workflow, states stateCounts) {
	add := func(name, value, class string) { page.Chips = append(page.Chips, chip{name, value, class}) }
	add("finished, 1 h", number(w.Finished.Last(livedata.Minutes)), "")
	if n := w.Failed.Last(livedata.Minutes); n > 0 {
		add("failed", number(n), "bad")
	}
	add("p50", quantileText(w.Durations, 0.5), "")
	add("p95", quantileText(w.Durations, 0.95), "")
	for s, n := range states {
		if n > 0 {
			add(openStates[s].Word, number(n), openStates[s].Class)
		}
	}
}

func stepLines(w *livedata.Workflow) []stepLine {
	seconds := func(durations []time.Duration, q float64) float64 {
		d, _ := quantile(slices.Sorted(slices.Values(durations)), q)
		return d.Seconds()
	}
	all := make([]stepLine, 0, len(w.Steps))
	for i := range w.Steps {
		s := &w.Steps[i]
		l := stepLine{
			Name: s.Name, Dependencies: s.Dependencies, Runs: s.Executions.Last(livedata.Minutes), Failed: s.Failures.Last(livedata.Minutes),
			P50: quantileText(s.Durations, 0.5), P95: quantileText(s.Durations, 0.95),
			P50Seconds: seconds(s.Durations, 0.5), P95Seconds: seconds(s.Durations, 0.95),
			Share: percent(float64(s.Critical), float64(w.Total)), URL: tasksURL(w.Name, "", s.Name),
		}
		if w.Total > 0 {
			l.CriticalShare = float64(s.Critical) / float64(w.Total)
		}
		all = append(all, l)
	}
	return all
}

// parts returns where the time of the workflow goes, largest first.
func parts(w *livedata.Workflow) []part {
	if w.Total <= 0 {
		return nil
	}
	type share struct {
		name, class string
		of          time.Duration
	}
	shares := []share{{"queue", "wait", w.Queue}, {"backoff", "back", w.Backoff}, {"orchestration", "aside", w.Orchestration}}
	for i := range w.Steps {
		shares = append(shares, share{w.Steps[i].Name, "step", w.Steps[i].Critical})
	}
	slices.SortStableFunc(shares, func(a, b share) int { return cmp.Compare(b.of, a.of) })
	var all []part
	for _, s := range shares {
		if s.of > 0 && len(all) < 12 {
			all = append(all, part{s.name, percent(float64(s.of), float64(w.Total)), min(100, 100*float64(s.of)/float64(w.Total)), s.class})
		}
	}
	return all
}

// Dimensions of the graph.
const (
	nodeWidth, nodeHeight = 210, 82
	gapX, gapY            = 46, 22
	maxNodes              = 120
	maxLabel              = 26
)

// drawGraph draws dependencies from left to right: a step is in the column after the last one of its dependencies.
func drawGraph(steps []stepLine) template.HTML {
	if len(steps) == 0 || len(steps) > maxNodes {
		return ""
	}
	columns, column := layers(steps)
	tallest := 0
	for _, c := range columns {
		tallest = max(tallest, len(c))
	}
	width := len(columns)*(nodeWidth+gapX) - gapX + 4
	height := tallest*(nodeHeight+gapY) - gapY + 4
	x, y := map[string]int{}, map[string]int{}
	for i, c := range columns {
		top := (height - (len(c)*(nodeHeight+gapY) - gapY)) / 2
		for j, s := range c {
			x[s], y[s] = 2+i*(nodeWidth+gapX), top+j*(nodeHeight+gapY)
		}
	}
	largest := 0.0
	for i := range steps {
		largest = max(largest, steps[i].CriticalShare)
	}
	var out strings.Builder
	fmt.Fprintf(&out, `<svg class="graph" viewBox="0 0 %d %d" width="%d" height="%d" role="group" aria-label="Steps and what they wait for">`, width, height, width, height)
	for i := range steps {
		to := &steps[i]
		for _, dep := range to.Dependencies {
			if _, drawn := column[dep]; drawn && column[dep] < column[to.Name] {
				x1, y1, x2, y2 := x[dep]+nodeWidth, y[dep]+nodeHeight/2, x[to.Name], y[to.Name]+nodeHeight/2
				fmt.Fprintf(&out, `<path class="edge" d="M%d %dC%d %d %d %d %d %d"/>`, x1, y1, (x1+x2)/2, y1, (x1+x2)/2, y2, x2, y2)
			}
		}
	}
	for i := range steps {
		drawNode(&out, &steps[i], x[steps[i].Name], y[steps[i].Name], largest)
	}
	out.WriteString("</svg>")
	return template.HTML(out.String()) //nolint:gosec // texts are escaped as they are written
}

func drawNode(out *strings.Builder, s *stepLine, x, y int, largest float64) {
	esc := template.HTMLEscapeString
	class, mark := "node", `<tspan class="ok">✓</tspan>`
	if s.Failed > 0 {
		class, mark = "node failed", `<tspan class="bad">✗ `+esc(number(s.Failed))+` failed</tspan>`
	}
	fmt.Fprintf(out, `<a href="%s"><g class="%s" transform="translate(%d %d)"><title>%s: %s runs, %s failed, p50 %s, p95 %s, %s of the critical path</title>`,
		esc(s.URL), class, x, y, esc(name(s.Name)), number(s.Runs), number(s.Failed), esc(s.P50), esc(s.P95), esc(s.Share))
	fmt.Fprintf(out, `<rect class="box" width="%d" height="%d" rx="7"/><text class="n" x="12" y="22">%s</text>`, nodeWidth, nodeHeight, esc(cut(s.Name, maxLabel)))
	fmt.Fprintf(out, `<text class="m" x="12" y="42">%s runs</text><text class="m" x="%d" y="42" text-anchor="end">%s</text>`, number(s.Runs), nodeWidth-12, mark)
	fmt.Fprintf(out, `<text class="m" x="12" y="61">p50 %s · p95 %s</text><text class="m" x="%d" y="61" text-anchor="end">%s</text>`, esc(s.P50), esc(s.P95), nodeWidth-12, esc(s.Share))
	if largest > 0 && s.CriticalShare > 0 {
		fmt.Fprintf(out, `<rect class="part" x="0" y="%d" width="%.1f" height="5" rx="2"/>`, nodeHeight-7, max(3, s.CriticalShare/largest*nodeWidth))
	}
	out.WriteString(`</g></a>`)
}

// layers assigns each step to the column after its last dependency, and orders the columns with few crossings. A cycle,
// which no engine runs, is broken where it begins.
func layers(steps []stepLine) (columns [][]string, column map[string]int) {
	deps := map[string][]string{}
	for i := range steps {
		deps[steps[i].Name] = steps[i].Dependencies
	}
	column = map[string]int{}
	visiting := map[string]bool{}
	var place func(of string) int
	place = func(of string) int {
		if c, done := column[of]; done {
			return c
		}
		if visiting[of] {
			return 0
		}
		visiting[of] = true
		c := 0
		for _, d := range deps[of] {
			if _, known := deps[d]; known && d != of {
				c = max(c, place(d)+1)
			}
		}
		column[of] = c
		return c
	}
	for i := range steps {
		c := place(steps[i].Name)
		for len(columns) <= c {
			columns = append(columns, nil)
		}
		columns[c] = append(columns[c], steps[i].Name)
	}
	for i := 1; i < len(columns); i++ {
		center := func(of string) float64 {
			sum, n := 0.0, 0
			for _, d := range deps[of] {
				if at := slices.Index(columns[i-1], d); at >= 0 {
					sum, n = sum+float64(at), n+1
				}
			}
			return sum / float64(max(1, n))
		}
		slices.SortStableFunc(columns[i], func(a, b string) int { return cmp.Compare(center(a), center(b)) })
	}
	return columns, column
}
