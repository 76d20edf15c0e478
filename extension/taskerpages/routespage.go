// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
	"github.com/tasker-otel/otelcol-tasker/internal/routing"
)

// routesPage shows the effective routes and the outcome of events.
type routesPage struct {
	Routers   []routerView
	Asked     string // the event name to explain
	Explained []explained
}

type explained struct {
	Router string
	Row    routing.Row
	Known  string // a hint if the name resembles one of Tasker's
}

type routerView struct {
	ID     string
	Came   []eventLine
	Total  int64
	Routes []routing.Row
}

// eventLine is the outcome of events of one name.
type eventLine struct {
	Event    string    `json:"event"`
	Count    int64     `json:"count"`
	Outcomes []outcome `json:"outcomes"`
}

type outcome struct {
	Outcome string `json:"outcome"`
	Dropped bool   `json:"dropped"`
	Count   int64  `json:"count"`
}

func (p *pages) routes(r *http.Request) (any, error) {
	page := &routesPage{Asked: cut(r.URL.Query().Get("event"), lifecycle.MaxEventName)}
	for _, o := range p.sources.allRoutes() {
		v := routerView{ID: o.id.String(), Came: eventLines(o.source.Counts()), Routes: o.source.Table().Rows()}
		for _, line := range v.Came {
			v.Total += line.Count
		}
		page.Routers = append(page.Routers, v)
		if page.Asked != "" {
			e := explained{Router: v.ID, Row: o.source.Table().RowsOf([]string{page.Asked})[0]}
			if hints := routing.UnknownName("event", page.Asked); len(hints) > 0 {
				e.Known = hints[0]
			}
			page.Explained = append(page.Explained, e)
		}
	}
	return page, nil
}

func eventLines(counts []livedata.EventCount) []eventLine {
	by := map[string]*eventLine{}
	for _, c := range counts {
		if by[c.Event] == nil {
			by[c.Event] = &eventLine{Event: c.Event}
		}
		l := by[c.Event]
		l.Count += c.Count
		l.Outcomes = append(l.Outcomes, outcome{c.Outcome, c.Dropped, c.Count})
	}
	lines := make([]eventLine, 0, len(by))
	for _, l := range by {
		slices.SortFunc(l.Outcomes, func(a, b outcome) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Outcome, b.Outcome))
		})
		lines = append(lines, *l)
	}
	slices.SortFunc(lines, func(a, b eventLine) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Event, b.Event)) })
	return lines
}

// collectorPage shows the state of the collector.
type collectorPage struct {
	Components []componentStatus
	Report     report
	Problem    string // why the internal metrics are unknown
	Sources    []string
}

func (p *pages) collector(r *http.Request) (any, error) {
	now := p.now()
	p.own.refresh(r.Context(), now)
	page := &collectorPage{Components: p.statuses.all(), Report: p.own.report(now)}
	if page.Report.Err != nil {
		page.Problem = page.Report.Err.Error()
	}
	for _, o := range p.sources.allTasks() {
		page.Sources = append(page.Sources, o.id.String())
	}
	return page, nil
}
