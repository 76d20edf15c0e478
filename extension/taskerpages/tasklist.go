// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
)

// tasksPerPage is the number of tasks per page.
const tasksPerPage = 50

// filter selects the tasks of a list, as encoded in the URL.
type filter struct {
	Text     string
	Workflow string // as displayed
	State    string // open, finished, or the key of a state or outcome
	Service  string
	Older    time.Duration // minimum age of open tasks, or minimum duration
	Sort     string        // started, took or changed
	Page     int
	Limit    int
}

// Orders of a list.
const (
	byStarted = "started" // latest first
	byTook    = "took"    // longest first
	byChanged = "changed" // latest first
)

func filterOf(q url.Values) (filter, error) {
	f := filter{
		Text: searchText(q.Get("q")), Workflow: name(q.Get("workflow")), State: q.Get("state"), Service: name(q.Get("service")), Sort: q.Get("sort"),
		Limit: tasksPerPage,
	}
	if f.Sort == "" {
		f.Sort = byChanged
	}
	if !slices.Contains([]string{byStarted, byTook, byChanged}, f.Sort) {
		return f, fmt.Errorf("sort=%q: use %s, %s or %s", f.Sort, byStarted, byTook, byChanged)
	}
	if f.State != "" && !slices.ContainsFunc(stateChoices(), func(v stateView) bool { return v.Key == f.State }) {
		return f, fmt.Errorf("state=%q: there is no such state", f.State)
	}
	if text := q.Get("older"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return f, fmt.Errorf("older=%q: write a duration such as 5m or 2h", text)
		}
		f.Older = d
	}
	if text := q.Get("page"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1e6 {
			return f, fmt.Errorf("page=%q: write a number from 1 on", text)
		}
		f.Page = n - 1
	}
	return f, nil
}

// searchText returns a search text in displayable form.
func searchText(text string) string { return cut(text, longestMessage) }

// query returns the filter as a URL query, with some parameters replaced.
func (f *filter) query(replace ...string) string {
	q := url.Values{}
	set := func(key, value string) {
		if value != "" {
			q.Set(key, value)
		}
	}
	set("q", f.Text)
	set("workflow", f.Workflow)
	set("state", f.State)
	set("service", f.Service)
	if f.Older > 0 {
		set("older", f.Older.String())
	}
	if f.Sort != byChanged {
		set("sort", f.Sort)
	}
	for i := 0; i+1 < len(replace); i += 2 {
		q.Del(replace[i])
		set(replace[i], replace[i+1])
	}
	if len(q) == 0 {
		return "/tasks"
	}
	return "/tasks?" + q.Encode()
}

// stateChoices returns the states by which a list can be filtered.
func stateChoices() []stateView {
	choices := []stateView{{Key: "open", Word: "open"}}
	choices = append(choices, openStates[:]...)
	choices = append(choices, stateView{Key: "finished", Word: "finished"})
	for _, s := range []lifecycle.Status{lifecycle.StatusSuccess, lifecycle.StatusFailure, lifecycle.StatusCancelled, lifecycle.StatusResolvedManually} {
		choices = append(choices, outcomes[s])
	}
	return append(choices, stateIncomplete)
}

// task is a line of a list: an open task or a run that has ended.
type task struct {
	open     *assembly.OpenTask
	finished *livedata.Finished
	now      int64 // on the sender's clock
	sort     int64
}

func (t *task) name() string {
	if t.open != nil {
		return t.open.Name
	}
	return t.finished.Name
}

func (t *task) state() stateView {
	if t.open != nil {
		return openStates[t.open.State]
	}
	return outcomeOf(t.finished.Status)
}

func (t *task) service() string {
	if t.open != nil {
		return serviceOf(t.open.Resource)
	}
	return serviceOf(t.finished.Resource)
}

func serviceOf(r *event.Resource) string {
	if r == nil {
		return ""
	}
	for i := range r.Attributes {
		if r.Attributes[i].Key == lifecycle.AttrServiceName {
			return r.Attributes[i].Value.Text
		}
	}
	return ""
}

func (t *task) took() int64 {
	if t.open != nil {
		return t.now - t.open.Started
	}
	return t.finished.Ended - t.finished.Started
}

func (t *task) order(by string) int64 {
	switch by {
	case byTook:
		return t.took()
	case byStarted:
		if t.open != nil {
			return t.open.Started
		}
		return t.finished.Started
	}
	if t.open != nil {
		return t.open.Arrived
	}
	return t.finished.Emitted
}

func (f *filter) takes(t *task) bool {
	if f.Workflow != "" && name(t.name()) != f.Workflow || f.Service != "" && name(t.service()) != f.Service || t.took() < int64(f.Older) {
		return false
	}
	switch f.State {
	case "":
		return true
	case "open":
		return t.open != nil
	case "finished":
		return t.finished != nil
	}
	return t.state().Key == f.State
}

// taskList is a page of a list.
type taskList struct {
	Tasks []task
	Found int
	// Services and Workflows are those of all tasks that contain the text.
	Services, Workflows []string
	At                  time.Time
}

// listTasks returns one sorted page of the tasks that match a filter.
func (p *pages) listTasks(f *filter) taskList {
	open := p.openTasks(f.Text)
	finished := p.finishedTasks(f.Text)
	list := taskList{At: open.at}
	services, workflows := map[string]bool{}, map[string]bool{}
	found := make([]task, 0, len(open.tasks)+len(finished))
	keep := func(t task) {
		if f.takes(&t) {
			t.sort = t.order(f.Sort)
			found = append(found, t)
		}
		if len(services) < maxChoices {
			services[t.service()] = true
		}
		if len(workflows) < maxChoices {
			workflows[t.name()] = true
		}
	}
	for i := range open.tasks {
		keep(task{open: &open.tasks[i], now: open.tasks[i].Now(open.at)})
	}
	for i := range finished {
		keep(task{finished: &finished[i]})
	}
	list.Found = len(found)
	list.Services, list.Workflows = names(services), names(workflows)
	list.Tasks = page(found, f.Page*f.Limit, f.Limit)
	return list
}

// names returns names in displayable form.
func names(of map[string]bool) []string {
	var all []string
	for text := range of {
		all = append(all, name(text))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// maxChoices is the maximum number of choices of a filter.
const maxChoices = 200

// page sorts tasks and returns one page of them.
func page(tasks []task, from, most int) []task {
	slices.SortFunc(tasks, func(a, b task) int {
		return cmp.Or(cmp.Compare(b.sort, a.sort), slices.Compare(a.key(), b.key()))
	})
	from = min(from, len(tasks))
	return tasks[from:min(from+most, len(tasks))]
}

func (t *task) key() []byte {
	if t.open != nil {
		return t.open.Key[:]
	}
	return t.finished.Key[:]
}

// taskView is a task as shown by the pages. The API shows its summary.
type taskView struct {
	livedata.TaskSummary
	State stateView `json:"-"`
	Took  int64     `json:"-"`
	Quiet int64     `json:"-"` // since its last event
}

func (t *task) view() taskView {
	v := taskView{State: t.state(), Took: t.took()}
	v.TaskSummary = livedata.TaskSummary{State: v.State.Key, Seconds: float64(v.Took) / 1e9, Open: t.open != nil, Service: t.service()}
	if o := t.open; o != nil {
		v.Key, v.Run, v.ID, v.Name, v.CorrelationID = hex.EncodeToString(o.Key[:]), o.Run, o.ID.Text, o.Name, o.CorrelationID
		v.Started, v.Step = time.Unix(0, o.Started).UTC(), o.Step
		v.Steps, v.Done, v.Failed, v.Running = max(o.Steps, o.Announced), o.Done, o.Failed, o.Running
		v.FailedStep, v.ErrorType, v.Error = o.FailedStep, o.ErrorType, o.Error
		v.Quiet = t.now - o.Changed
		if o.State == assembly.StateBackingOff && o.BackoffUntil > t.now {
			v.Retry = time.Unix(0, o.BackoffUntil).UTC()
		}
		return v
	}
	f := t.finished
	v.Key, v.Run, v.ID, v.Name, v.CorrelationID = hex.EncodeToString(f.Key[:]), f.Run, f.ID.Text, f.Name, f.CorrelationID
	v.Started, v.Steps, v.Done = time.Unix(0, f.Started).UTC(), f.Steps, f.Steps
	v.FailedStep, v.ErrorType, v.Error = f.FailedStep, f.ErrorType, f.Error
	return v
}

// Fails reports whether the error blocks or ended the task, rather than having been overcome.
func (v taskView) Fails() bool {
	return v.Error+v.ErrorType != "" && (v.Failed > 0 || v.State.Key == "failure")
}

// URL returns the URL of the task's page.
func (v taskView) URL() string {
	if v.Run > 1 {
		return "/tasks/" + v.Key + "?run=" + strconv.Itoa(v.Run)
	}
	return "/tasks/" + v.Key
}

func views(tasks []task) []taskView {
	all := make([]taskView, len(tasks))
	for i := range tasks {
		all[i] = tasks[i].view()
	}
	return all
}
