// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"html/template"
	"net/http"
	"strconv"
	"time"
)

// parse parses the template of a page, which defines "main", with the frame. A mistake in it fails every test.
func parse(page string) *template.Template {
	return template.Must(template.New(page).Funcs(template.FuncMap{
		"name": name, "message": message, "span": span, "number": number[int64], "count": number[int], "lines": lines,
	}).ParseFS(texts, "templates/frame.html", "templates/"+page+".html"))
}

var errorPage = parse("error")

// age is a choice of the age filter.
type age struct {
	Text   string
	Chosen bool
}

// tasksPage shows a list of tasks.
type tasksPage struct {
	filter
	Tasks     []taskView
	Found     int
	From, To  int
	Previous  string
	Next      string
	Workflows []string
	Services  []string
	States    []stateView
	Ages      []age
	SortURLs  map[string]string
	JSON      string
}

func (p *pages) taskListPage(r *http.Request) (any, error) {
	f, err := filterOf(r.URL.Query())
	if err != nil {
		return nil, err
	}
	list := p.listTasks(&f)
	page := &tasksPage{
		filter: f, Tasks: views(list.Tasks), Found: list.Found, Services: list.Services, Workflows: list.Workflows, States: stateChoices(),
		SortURLs: map[string]string{}, JSON: "/api/v1" + f.query(),
	}
	page.From, page.To = min(f.Page*f.Limit+1, list.Found), min((f.Page+1)*f.Limit, list.Found)
	if f.Page > 0 {
		page.Previous = f.query("page", strconv.Itoa(f.Page))
	}
	if page.To < list.Found {
		page.Next = f.query("page", strconv.Itoa(f.Page+2))
	}
	for _, text := range []string{"1m", "5m", "30m", "1h", "6h", "24h"} {
		d, _ := time.ParseDuration(text)
		page.Ages = append(page.Ages, age{text, d == f.Older})
	}
	for _, by := range []string{byStarted, byTook, byChanged} {
		page.SortURLs[by] = f.query("sort", by)
	}
	return page, nil
}
