// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
	"github.com/tasker-otel/otelcol-tasker/internal/treeview"
)

// The API under /api/v1 has the content of the pages. Fields are only ever added. docs/pages.md documents it.

type apiOverview struct {
	At        time.Time      `json:"at"`
	Instance  string         `json:"instance,omitempty"`
	States    map[string]int `json:"states"`
	Finished  int64          `json:"finished_15_minutes"`
	Failed    int64          `json:"failed_15_minutes"`
	Workflows []apiWorkflow  `json:"workflows"`
	Failures  []apiFailure   `json:"failures"`
	Attention []apiNote      `json:"attention"`
}

type apiWorkflow struct {
	Name           string         `json:"task_name"`
	States         map[string]int `json:"states"`
	Finished       int64          `json:"finished_15_minutes"`
	Failed         int64          `json:"failed_15_minutes"`
	FailedAttempts int64          `json:"failed_attempts_1_hour"`
}

type apiFailure struct {
	Workflow  string    `json:"task_name"`
	Step      string    `json:"step_name"`
	ErrorType string    `json:"error_type"`
	Message   string    `json:"message"`
	Count     int64     `json:"attempts_15_minutes"`
	Last      time.Time `json:"last"`
	Task      string    `json:"task"`
}

type apiNote struct {
	Severe bool   `json:"severe"`
	Text   string `json:"text"`
}

func (p *pages) apiOverview(r *http.Request) (any, error) {
	now := p.now()
	open, statistics := p.openTasks(""), p.statistics()
	o := apiOverview{At: open.at, Instance: p.about.Instance, States: stateMap(countStates(open.tasks)), Workflows: []apiWorkflow{}, Failures: []apiFailure{}, Attention: []apiNote{}}
	counts := countWorkflows(open)
	for _, l := range workflowLines(counts, statistics.Workflows) {
		w := apiWorkflow{Name: l.Name, States: map[string]int{}, Finished: l.Finished, Failed: l.Failed, FailedAttempts: l.FailedAttempts}
		if c := counts[l.Name]; c != nil {
			w.States = stateMap(c.states)
		}
		o.Finished, o.Failed = o.Finished+l.Finished, o.Failed+l.Failed
		o.Workflows = append(o.Workflows, w)
	}
	for i := range statistics.Failures {
		f := &statistics.Failures[i]
		if n := f.Attempts.Last(lately); n > 0 {
			o.Failures = append(o.Failures, apiFailure{f.Workflow, f.Step, f.ErrorType, f.Message, n, f.Last.UTC(), hex.EncodeToString(f.Task[:])})
		}
	}
	p.own.refresh(r.Context(), now)
	for _, n := range p.notes(counts, open, statistics, now) {
		o.Attention = append(o.Attention, apiNote{n.Severe, withoutMarkup(n.What)})
	}
	return o, nil
}

func stateMap(counts stateCounts) map[string]int {
	states := map[string]int{}
	for s, n := range counts {
		states[openStates[s].Key] = n
	}
	return states
}

type apiTasks struct {
	At    time.Time  `json:"at"`
	Found int        `json:"found"`
	Page  int        `json:"page"`
	Limit int        `json:"limit"`
	Tasks []taskView `json:"tasks"`
}

const maxAPITasks = 1000

func (p *pages) apiTasks(r *http.Request) (any, error) {
	f, err := filterOf(r.URL.Query())
	if err != nil {
		return nil, err
	}
	if text := r.URL.Query().Get("limit"); text != "" {
		if f.Limit, err = strconv.Atoi(text); err != nil || f.Limit < 1 || f.Limit > maxAPITasks {
			return nil, errors.New("limit=" + strconv.Quote(text) + ": write a number from 1 to 1000")
		}
	}
	list := p.listTasks(&f)
	return apiTasks{list.At, list.Found, f.Page + 1, f.Limit, views(list.Tasks)}, nil
}

type apiTask struct {
	Key   string    `json:"key"`
	State *taskView `json:"open,omitempty"` // of an open task
	// Runs are trees in the format of taskerotel tree --json.
	Runs []json.RawMessage `json:"runs"`
	// Late describes events that arrived too late.
	Late *apiLate `json:"late,omitempty"`
}

type apiLate struct {
	Count  int            `json:"count"`
	Names  map[string]int `json:"events"`
	Latest []apiLateEvent `json:"latest"`
}

type apiLateEvent struct {
	Event string    `json:"event"`
	At    time.Time `json:"happened"`
	Came  time.Time `json:"came"`
}

func lateOf(late *livedata.Late) *apiLate {
	if late == nil {
		return nil
	}
	answer := &apiLate{Count: late.Count, Names: map[string]int{}}
	for _, n := range late.Names {
		answer.Names[n.Event] = n.Count
	}
	for _, e := range late.Latest {
		answer.Latest = append(answer.Latest, apiLateEvent{e.Event, time.Unix(0, e.At).UTC(), time.Unix(0, e.Came).UTC()})
	}
	return answer
}

func (p *pages) apiTask(r *http.Request) (any, error) {
	request, runs, err := p.requestedTask(r)
	if err != nil {
		return nil, err
	}
	answer := apiTask{Key: r.PathValue("key"), Late: lateOf(runs[len(runs)-1].Late)}
	if open, at := p.openTask(request.key); open != nil {
		t := task{open: open, now: open.Now(at)}
		v := t.view()
		answer.State = &v
	}
	for _, run := range runs {
		var text bytes.Buffer
		if err := treeview.WriteJSON(&text, run.Tree); err != nil {
			return nil, err
		}
		answer.Runs = append(answer.Runs, bytes.TrimSpace(text.Bytes()))
	}
	return answer, nil
}

type apiWorkflowDetail struct {
	Name          string     `json:"task_name"`
	Finished      int64      `json:"finished_1_hour"`
	Failed        int64      `json:"failed_1_hour"`
	Steps         []stepLine `json:"steps"`
	Queue         float64    `json:"queue_share"`
	Backoff       float64    `json:"backoff_share"`
	Orchestration float64    `json:"orchestration_share"`
}

func (p *pages) apiWorkflow(r *http.Request) (any, error) {
	w, _, found := p.findWorkflow(name(r.URL.Query().Get("name")))
	if !found {
		return nil, errNoWorkflow
	}
	share := func(d time.Duration) float64 { return float64(d) / float64(max(1, w.Total)) }
	return apiWorkflowDetail{
		Name: w.Name, Finished: w.Finished.Last(livedata.Minutes), Failed: w.Failed.Last(livedata.Minutes), Steps: stepLines(&w),
		Queue: share(w.Queue), Backoff: share(w.Backoff), Orchestration: share(w.Orchestration),
	}, nil
}

type apiRouter struct {
	ID     string      `json:"router"`
	Came   []eventLine `json:"events"`
	Routes any         `json:"routes"`
}

func (p *pages) apiRoutes(r *http.Request) (any, error) {
	page, err := p.routes(r)
	if err != nil {
		return nil, err
	}
	answer := struct {
		Routers   []apiRouter `json:"routers"`
		Explained []explained `json:"explained,omitempty"`
	}{Routers: []apiRouter{}}
	for _, v := range page.(*routesPage).Routers {
		answer.Routers = append(answer.Routers, apiRouter{v.ID, v.Came, v.Routes})
	}
	answer.Explained = page.(*routesPage).Explained
	return answer, nil
}

func (p *pages) apiCollector(r *http.Request) (any, error) {
	page, err := p.collector(r)
	if err != nil {
		return nil, err
	}
	c := page.(*collectorPage)
	type component struct {
		Kind      string `json:"kind"`
		ID        string `json:"id"`
		Pipelines string `json:"pipelines,omitempty"`
		Status    string `json:"status"`
		Error     string `json:"error,omitempty"`
	}
	answer := struct {
		Instance   string      `json:"instance,omitempty"`
		Version    string      `json:"version"`
		Components []component `json:"components"`
		Exporters  []exporter  `json:"exporters"`
		Losses     []loss      `json:"losses"`
		Problem    string      `json:"own_metrics_problem,omitempty"`
	}{p.about.Instance, p.about.Version, []component{}, c.Report.Exporters, c.Report.Losses, c.Problem}
	for _, s := range c.Components {
		answer.Components = append(answer.Components, component{s.Kind, s.ID, s.Pipelines, s.State, s.Error})
	}
	return answer, nil
}
