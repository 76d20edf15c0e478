// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
)

// lately is the time covered by the overview, in minutes.
const lately = 15

const (
	shownFailures = 12
	shownSlow     = 6
	shownNotes    = 8
)

// overview is the content of the first page.
type overview struct {
	Tiles     []tile
	Notes     []note
	Workflows []workflowLine
	Failures  []failureLine
	MoreFails int
	Oldest    []slowTask
	Slowest   []slowTask
	Empty     bool // nothing has been received
	Left      int
}

type tile struct {
	Name, Value, Beside, Class, URL string
	Chart                           template.HTML
}

// note is a sentence about a problem, with a remedy or a link.
type note struct {
	Severe bool
	weight int64 // orders notes of the same severity, highest first
	What   template.HTML
	URL    string
	Link   string
}

type workflowLine struct {
	Name, URL                            string
	Running, Queued, BackingOff, Blocked int
	Finished, Failed                     int64
	FailedShare, P50, P95                string
	FailedAttempts                       int64
	Chart                                template.HTML
}

type failureLine struct {
	Workflow, Step, ErrorType, Message string
	Count                              int64
	Last                               string
	URL, Task                          string
}

type slowTask struct {
	taskView
	Usual string // how much longer than usual
}

// workflowCounts are the open tasks of a workflow by state.
type workflowCounts struct {
	states stateCounts
	oldest [assembly.States]int64 // longest time in the state since the last event
}

func countWorkflows(open openTasks) map[string]*workflowCounts {
	counts := map[string]*workflowCounts{}
	for i := range open.tasks {
		t := &open.tasks[i]
		c := counts[t.Name]
		if c == nil {
			c = new(workflowCounts)
			counts[t.Name] = c
		}
		c.states[t.State]++
		c.oldest[t.State] = max(c.oldest[t.State], t.Now(open.at)-t.Changed)
	}
	return counts
}

func (p *pages) overview(r *http.Request) (any, error) {
	now := p.now()
	open := p.openTasks("")
	statistics := p.statistics()
	counts := countWorkflows(open)
	p.own.refresh(r.Context(), now)
	o := overview{Left: statistics.Left}
	o.Workflows = workflowLines(counts, statistics.Workflows)
	o.Tiles = p.tiles(countStates(open.tasks), counts, statistics)
	o.Failures, o.MoreFails = failureLines(statistics.Failures, now)
	o.Notes = p.notes(counts, open, statistics, now)
	o.Oldest, o.Slowest = slowTasks(open, statistics.Workflows)
	o.Empty = len(o.Workflows) == 0
	return &o, nil
}

func (p *pages) tiles(now stateCounts, counts map[string]*workflowCounts, s livedata.Statistics) []tile {
	oldest := func(of assembly.State) string {
		longest := int64(0)
		for _, c := range counts {
			longest = max(longest, c.oldest[of])
		}
		if longest < int64(time.Second) {
			return ""
		}
		return "one for " + span(longest)
	}
	var finished, failed livedata.Series
	for i := range s.Workflows {
		finished.Add(&s.Workflows[i].Finished)
		failed.Add(&s.Workflows[i].Failed)
	}
	chart := func(class, label string, states ...assembly.State) template.HTML {
		return spark(p.history.of(now, states...), label+", the last 15 minutes", class, 120)
	}
	waiting := now[assembly.StateQueued] + now[assembly.StateWaiting]
	return []tile{
		{"Running", number(now[assembly.StateRunning]), "", "run", "/tasks?state=running", chart("run", "running", assembly.StateRunning)},
		{"Queued", number(waiting), oldest(assembly.StateQueued), "wait", "/tasks?state=queued", chart("wait", "queued", assembly.StateQueued, assembly.StateWaiting)},
		{"Backing off", number(now[assembly.StateBackingOff]), "", "back", "/tasks?state=backing_off", chart("back", "backing off", assembly.StateBackingOff)},
		{"Blocked", number(now[assembly.StateBlocked]), oldest(assembly.StateBlocked), "bad", "/tasks?state=blocked", chart("bad", "blocked", assembly.StateBlocked)},
		{"Finished, 15 min", number(finished.Last(lately)), "", "ok", "/tasks?state=finished", spark(finished[:], "finished by minute, the last hour", "ok", 120)},
		{"Failed, 15 min", number(failed.Last(lately)), percent(float64(failed.Last(lately)), float64(finished.Last(lately))), "bad", "/tasks?state=failure",
			spark(failed[:], "failed by minute, the last hour", "bad", 120)},
	}
}

func workflowLines(counts map[string]*workflowCounts, workflows []livedata.Workflow) []workflowLine {
	lines := map[string]*workflowLine{}
	line := func(of string) *workflowLine {
		if lines[of] == nil {
			lines[of] = &workflowLine{Name: of, URL: workflowURL(of), P50: "–", P95: "–", FailedShare: "–"}
		}
		return lines[of]
	}
	for of, c := range counts {
		l := line(of)
		l.Running, l.Queued = c.states[assembly.StateRunning], c.states[assembly.StateQueued]+c.states[assembly.StateWaiting]
		l.BackingOff, l.Blocked = c.states[assembly.StateBackingOff], c.states[assembly.StateBlocked]
	}
	for i := range workflows {
		w := &workflows[i]
		l := line(w.Name)
		l.Finished, l.Failed, l.FailedAttempts = w.Finished.Last(lately), w.Failed.Last(lately), w.FailedAttempts.Last(livedata.Minutes)
		l.FailedShare = percent(float64(l.Failed), float64(l.Finished))
		l.P50, l.P95 = quantileText(w.Durations, 0.5), quantileText(w.Durations, 0.95)
		class := "mute"
		if l.FailedAttempts > 0 {
			class = "bad"
		}
		l.Chart = spark(w.FailedAttempts[:], fmt.Sprintf("%d failed attempts by minute, the last hour", l.FailedAttempts), class, 96)
	}
	all := make([]workflowLine, 0, len(lines))
	for _, l := range lines {
		all = append(all, *l)
	}
	slices.SortFunc(all, func(a, b workflowLine) int {
		active := func(l *workflowLine) int { return l.Running + l.Queued + l.BackingOff + l.Blocked }
		return cmp.Or(cmp.Compare(active(&b), active(&a)), cmp.Compare(b.Finished, a.Finished), cmp.Compare(a.Name, b.Name))
	})
	return all
}

func failureLines(failures []livedata.Failure, now time.Time) (lines []failureLine, more int) {
	for i := range failures {
		f := &failures[i]
		count := f.Attempts.Last(lately)
		if count == 0 {
			continue
		}
		lines = append(lines, failureLine{
			Workflow: f.Workflow, Step: f.Step, ErrorType: f.ErrorType, Message: f.Message, Count: count, Last: ago(now.Sub(f.Last)),
			URL: tasksURL(f.Workflow, "", cmp.Or(f.ErrorType, f.Step)), Task: fmt.Sprintf("/tasks/%x", f.Task),
		})
	}
	slices.SortStableFunc(lines, func(a, b failureLine) int { return cmp.Compare(b.Count, a.Count) })
	if len(lines) > shownFailures {
		lines, more = lines[:shownFailures], len(lines)-shownFailures
	}
	return lines, more
}

func tasksURL(workflow, state, text string) string {
	f := filter{Workflow: name(workflow), State: state, Text: searchText(text), Sort: byChanged}
	return f.query()
}

// slowTasks returns the oldest open tasks, and those that are slowest compared with their workflow's usual duration.
func slowTasks(open openTasks, workflows []livedata.Workflow) (oldest, slowest []slowTask) {
	usual := map[string]time.Duration{}
	for i := range workflows {
		if d, ok := quantile(slices.Sorted(slices.Values(workflows[i].Durations)), 0.95); ok {
			usual[workflows[i].Name] = d
		}
	}
	var byAge, byShare []task
	for i := range open.tasks {
		t := task{open: &open.tasks[i], now: open.tasks[i].Now(open.at)}
		if t.open.State == assembly.StateSettling {
			continue
		}
		t.sort = t.took()
		byAge = insert(byAge, t)
		if u := usual[t.open.Name]; u > 0 && t.took() > int64(u) {
			t.sort = t.took() * 100 / int64(u)
			byShare = insert(byShare, t)
		}
	}
	for i := range byAge {
		oldest = append(oldest, slowTask{byAge[i].view(), ""})
	}
	for i := range byShare {
		slowest = append(slowest, slowTask{byShare[i].view(), fmt.Sprintf("%.1f × p95", float64(byShare[i].sort)/100)})
	}
	return oldest, slowest
}

// insert keeps the largest few tasks in descending order.
func insert(list []task, t task) []task {
	if len(list) == shownSlow && t.sort <= list[shownSlow-1].sort {
		return list
	}
	at, _ := slices.BinarySearchFunc(list, t, func(a, b task) int { return cmp.Compare(b.sort, a.sort) })
	list = slices.Insert(list, at, t)
	return list[:min(len(list), shownSlow)]
}

// notes returns the problems, worst first.
func (p *pages) notes(counts map[string]*workflowCounts, open openTasks, s livedata.Statistics, now time.Time) []note {
	notes := failingSteps(open, s, now)
	notes = append(notes, blockedWorkflows(counts)...)
	notes = append(notes, p.collectorNotes(now)...)
	slices.SortStableFunc(notes, func(a, b note) int { return compareBools(b.Severe, a.Severe) })
	return notes[:min(len(notes), shownNotes)]
}

// manyFailures is the number of failed attempts in 15 minutes from which they are reported although no task is waiting.
const manyFailures = 5

// stepOf is a step of a workflow.
type stepOf struct{ workflow, step string }

// retries are the tasks that wait for a retry of a step.
type retries struct {
	tasks     int
	errorType string
}

func retriesOf(open openTasks) map[stepOf]*retries {
	all := map[stepOf]*retries{}
	for i := range open.tasks {
		if t := &open.tasks[i]; t.State == assembly.StateBackingOff {
			key := stepOf{t.Name, t.FailedStep}
			if all[key] == nil {
				all[key] = &retries{errorType: t.ErrorType}
			}
			all[key].tasks++
		}
	}
	return all
}

func failingSteps(open openTasks, s livedata.Statistics, now time.Time) []note {
	waiting := retriesOf(open)
	var notes []note
	for i := range s.Failures {
		f := &s.Failures[i]
		key, n := stepOf{f.Workflow, f.Step}, f.Attempts.Last(lately)
		w := waiting[key]
		if n == 0 || w == nil && n < manyFailures {
			continue
		}
		delete(waiting, key)
		since := ""
		if now.Sub(f.First) > time.Minute {
			since = " since " + timeOfDay(f.First) + " UTC"
		}
		notes = append(notes, failingNote(key, w, f.ErrorType, plural(n, "failed attempt", "failed attempts")+" in 15 min"+since, n))
	}
	for key, w := range waiting { // of attempts that are not emitted yet
		notes = append(notes, failingNote(key, w, w.errorType, "", 0))
	}
	slices.SortStableFunc(notes, func(a, b note) int { return cmp.Or(cmp.Compare(b.weight, a.weight), strings.Compare(a.URL, b.URL)) })
	return notes
}

func failingNote(of stepOf, waiting *retries, errorType, counted string, attempts int64) note {
	what := escaped("<b>%s</b> fails in <b>%s</b>", name(of.workflow), name(of.step))
	between, state := ": ", ""
	if waiting != nil {
		what += escaped("%s%s", between, plural(waiting.tasks, "task backs off", "tasks back off"))
		between, state = ", ", "backing_off"
	}
	if counted != "" {
		what += escaped("%s%s", between, counted)
		between = ", "
	}
	if errorType != "" {
		what += escaped("%s<code>%s</code>", between, name(errorType))
	}
	n := note{Severe: waiting != nil, weight: attempts, What: what + ".", URL: tasksURL(of.workflow, state, cmp.Or(errorType, of.step)), Link: "tasks"}
	if waiting != nil {
		n.weight += 1000 * int64(waiting.tasks)
	}
	return n
}

func blockedWorkflows(counts map[string]*workflowCounts) []note {
	var notes []note
	for of, c := range counts {
		if n := c.states[assembly.StateBlocked]; n > 0 {
			what := escaped("%s of <b>%s</b> %s <b>blocked</b> by a failed step and %s for an operator to reset or resolve it",
				plural(n, "task", "tasks"), name(of), map[bool]string{true: "is", false: "are"}[n == 1], map[bool]string{true: "waits", false: "wait"}[n == 1])
			what += escaped(", the oldest for %s.", span(c.oldest[assembly.StateBlocked]))
			notes = append(notes, note{Severe: true, weight: int64(n), What: what, URL: tasksURL(of, "blocked", ""), Link: "tasks"})
		}
	}
	slices.SortFunc(notes, func(a, b note) int { return strings.Compare(string(a.What), string(b.What)) })
	return notes
}

// collectorNotes returns the problems of the collector itself.
func (p *pages) collectorNotes(now time.Time) []note {
	var notes []note
	for _, c := range p.statuses.all() {
		if c.Failing {
			notes = append(notes, note{Severe: true, What: escaped("<b>%s</b> fails: %s", c.ID, message(c.Error)), URL: "/collector", Link: "collector"})
		}
	}
	r := p.own.report(now)
	for i := range r.Exporters {
		if e := &r.Exporters[i]; e.Problem != "" {
			notes = append(notes, note{Severe: true, What: escaped("<b>%s</b> (%s) %s. %s", e.Exporter, e.Signal, e.Problem, e.Remedy), URL: "/collector", Link: "collector"})
		}
	}
	for i := range r.Losses {
		if l := &r.Losses[i]; l.Severe && l.Lately > 0 {
			notes = append(notes, note{Severe: false, What: escaped("%s in 15 min: %s. %s", number(l.Lately), l.Meaning, l.Remedy), URL: "/collector", Link: "collector"})
		}
	}
	return notes
}

func plural[N ~int | ~int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// escaped inserts escaped texts into our markup.
func escaped(markup string, texts ...string) template.HTML {
	args := make([]any, len(texts))
	for i, text := range texts {
		args[i] = template.HTMLEscapeString(text)
	}
	return template.HTML(fmt.Sprintf(markup, args...)) //nolint:gosec // what is filled in is escaped
}
