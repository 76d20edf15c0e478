// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
	"github.com/tasker-otel/otelcol-tasker/internal/treeview"
)

var errNoTask = errors.New("this collector does not hold the task: another one may, or it was emitted too long ago, or no event of it was received")

// taskPage shows a run of a task.
type taskPage struct {
	taskView
	State       stateView
	Took        string
	Trace       string
	Span        string // of the task
	Traceparent string // of the task's span, for a request that should join the trace
	Correlation string
	WorkflowURL string
	Started     string
	Runs        []runLink
	Chips       []chip
	Path        []string
	Drawn       drawn
	Detail      *spanDetail
	Held        string
	Missing     []string // missing events
	Repeated    string
	Late        []string // events that arrived too late
	Together    bool     // nothing is emitted before the task ends
	Links       []outLink
	JSON        string
	UnfoldURL   string
	Live        bool
}

type runLink struct {
	Number  int
	URL     string
	Current bool
	State   stateView
}

type chip struct{ Name, Value, Class string }

// taskRequest is a parsed request for a task's page.
type taskRequest struct {
	key      event.TraceID
	run      int // 0 is the last
	span     string
	unfolded string
}

func taskRequestOf(r *http.Request) (taskRequest, error) {
	q := r.URL.Query()
	t := taskRequest{span: q.Get("span"), unfolded: q.Get("open")}
	raw, err := hex.DecodeString(r.PathValue("key"))
	if err != nil || len(raw) != len(t.key) {
		return t, errNoTask
	}
	copy(t.key[:], raw)
	if text := q.Get("run"); text != "" {
		if t.run, err = strconv.Atoi(text); err != nil || t.run < 1 {
			return t, fmt.Errorf("run=%q: write a number from 1 on", text)
		}
	}
	return t, nil
}

func (t *taskRequest) url(replace ...string) string {
	q := url.Values{}
	set := func(key, value string) {
		if q.Del(key); value != "" {
			q.Set(key, value)
		}
	}
	if t.run > 0 {
		set("run", strconv.Itoa(t.run))
	}
	set("span", t.span)
	set("open", t.unfolded)
	for i := 0; i+1 < len(replace); i += 2 {
		set(replace[i], replace[i+1])
	}
	if len(q) == 0 {
		return "/tasks/" + hex.EncodeToString(t.key[:])
	}
	return "?" + q.Encode()
}

// requestedTask returns the task that a request is about: its runs, of which there is one at least.
func (p *pages) requestedTask(r *http.Request) (request taskRequest, runs []livedata.Run, err error) {
	if request, err = taskRequestOf(r); err != nil {
		return request, nil, err
	}
	if runs = p.runsOf(request.key); len(runs) == 0 {
		return request, nil, errNoTask
	}
	return request, runs, nil
}

func (p *pages) task(r *http.Request) (any, error) {
	request, runs, err := p.requestedTask(r)
	if err != nil {
		return nil, err
	}
	chosen := len(runs) - 1
	if request.run > 0 {
		chosen = slices.IndexFunc(runs, func(r livedata.Run) bool { return runOf(r.Tree) == request.run })
		if chosen < 0 {
			return nil, fmt.Errorf("run=%d: %w", request.run, errNoTask)
		}
	}
	page := &taskPage{}
	page.describe(runs[chosen].Tree)
	for i, other := range runs {
		page.Runs = append(page.Runs, runLink{
			runOf(other.Tree), request.url("run", strconv.Itoa(runOf(other.Tree)), "span", "", "open", ""), i == chosen, treeState(other.Tree),
		})
	}
	p.fillTask(page, &request, &runs[chosen])
	return page, nil
}

func runOf(t *tree.Tree) int {
	return max(1, int(treeview.Number(&t.Spans[0], lifecycle.AttrRun)))
}

func treeState(t *tree.Tree) stateView {
	if t.Reason == tree.ReasonOpen {
		return openStates[assembly.StateRunning]
	}
	return outcomeOf(treeview.Status(&t.Spans[0]))
}

// describe sets what follows from the tree.
func (page *taskPage) describe(tree *tree.Tree) {
	root := &tree.Spans[0]
	of := func(key string) string { return treeview.Text(root.Attributes, key) }
	page.Key, page.Run = hex.EncodeToString(tree.Key[:]), runOf(tree)
	page.ID, page.Name = of(lifecycle.AttrTaskID), of(lifecycle.AttrTaskName)
	page.Service, page.Correlation = serviceOf(tree.Resource), of(lifecycle.AttrCorrelationID)
	page.State = treeState(tree)
	page.Trace, page.Span = hex.EncodeToString(tree.Trace[:]), hex.EncodeToString(root.ID[:])
	page.Traceparent = traceparent(tree.Trace, root.ID)
	page.Took, page.Started = span(root.End-root.Start), clock(root.Start)
	page.WorkflowURL = workflowURL(treeview.Value(root.Attributes, lifecycle.AttrTaskName).Text)
	if root.Failed() {
		page.ErrorType, page.Error = of(lifecycle.AttrErrorType), root.Message
	}
	page.JSON = "/api/v1/tasks/" + page.Key
	page.chips(tree)
	for _, step := range treeview.Value(root.Attributes, lifecycle.AttrCriticalPath).Strings {
		if page.Path = append(page.Path, step); len(page.Path) == 40 {
			page.Path = append(page.Path, "…")
			break
		}
	}
}

func traceparent(trace event.TraceID, span event.SpanID) string {
	return "00-" + hex.EncodeToString(trace[:]) + "-" + hex.EncodeToString(span[:]) + "-01"
}

func (page *taskPage) chips(tree *tree.Tree) {
	root := &tree.Spans[0]
	count := func(key string) string { return number(treeview.Number(root, key)) }
	add := func(name, value, class string) { page.Chips = append(page.Chips, chip{name, value, class}) }
	if page.Service != "" {
		add("service", name(page.Service), "")
	}
	add("passes", count(lifecycle.AttrPasses), "")
	add("steps", count(lifecycle.AttrSteps), "")
	add("attempts", count(lifecycle.AttrAttempts), "")
	failed := 0
	for i := range tree.Spans {
		if s := &tree.Spans[i]; s.Name == lifecycle.SpanStep && s.Failed() {
			failed++
		}
	}
	if failed > 0 {
		add("failed attempts", number(failed), "bad")
	}
	seconds := func(name, key string) {
		if v := treeview.Value(root.Attributes, key).Double; v > 0 {
			add(name, span(int64(v*1e9)), "")
		}
	}
	seconds("queued", lifecycle.AttrQueueSeconds)
	seconds("backing off", lifecycle.AttrBackoffTotal)
	if most := treeview.Text(root.Attributes, lifecycle.AttrBottleneck); most != "" {
		add("most of the time", name(most)+", "+percent(treeview.Value(root.Attributes, lifecycle.AttrBottleneckShare).Double, 1), "")
	}
	if tree.Cut > 0 {
		add("spans left out", number(tree.Cut), "back")
	}
	if treeview.Marked(root, lifecycle.AttrRefusedAtCreation) {
		add("refused", "at its creation", "bad")
	}
}

// fillTask sets what depends on the time and the selected span.
func (p *pages) fillTask(page *taskPage, request *taskRequest, run *livedata.Run) {
	tree := run.Tree
	root := &tree.Spans[0]
	w := waterfall{
		tree: tree, now: root.End, unfolded: request.unfolded,
		link:   func(id string) string { return request.url("span", id) + "#detail" },
		unfold: func(id string) string { return request.url("open", id) },
	}
	var (
		open *assembly.OpenTask
		at   time.Time
	)
	if run.Open {
		open, at = p.openTask(request.key)
	}
	if open != nil {
		w.open, w.now, w.settled = true, open.Now(at), run.Settled
		if run.Together {
			w.still, w.missing = w.now-int64(open.ReorderWindow), map[event.SpanID]bool{}
			for _, m := range run.Missing {
				w.missing[m.Span] = true
			}
		}
		page.Live, page.State, page.Took = true, openStates[open.State], span(w.now-root.Start)
		if open.State == assembly.StateSettling {
			w.now = root.End
			page.Took = span(root.End - root.Start)
		}
		page.Together = run.Together
		page.hold(open, run, at)
	}
	page.tooLate(run.Late)
	selected := p.selectSpan(tree, request.span)
	w.selected = selected.ID
	page.Drawn = w.draw()
	if open != nil {
		if what, since := waitsFor(open, tree); what != "" {
			page.Drawn.Rows += w.wait(what, since)
			page.Drawn.Open++
		}
	}
	page.Detail = detailOf(tree, selected, w.growing[selected.ID], w.now)
	page.UnfoldURL = request.url("open", "all")
	values := linkValues{
		trace: page.Trace, task: page.ID, name: page.Name, correlation: page.Correlation, service: page.Service,
		start: root.Start / 1e6, end: max(root.End, w.now) / 1e6,
	}
	page.Links = values.fill(p.config.Links)
}

// openTask returns the summary of an open task, and the time of the summary.
func (p *pages) openTask(key event.TraceID) (*assembly.OpenTask, time.Time) {
	open := p.openTasks("")
	for i := range open.tasks {
		if open.tasks[i].Key == key {
			return &open.tasks[i], open.at
		}
	}
	return nil, open.at
}

// waitsFor returns what an open task waits for between two passes, if no span shows it.
func waitsFor(open *assembly.OpenTask, tree *tree.Tree) (what string, since int64) {
	for i := range tree.Spans {
		s := &tree.Spans[i]
		if s.Name == lifecycle.SpanOrchestration {
			since = max(since, s.End)
		}
		if (s.Name == lifecycle.SpanBackoff || s.Name == lifecycle.SpanQueued) && treeview.Marked(s, lifecycle.AttrIncomplete) {
			return "", 0
		}
	}
	if since == 0 {
		return "", 0
	}
	switch open.State {
	case assembly.StateWaiting:
		return "waits for its next pass", since
	case assembly.StateBackingOff:
		return "waits for another attempt of " + name(open.FailedStep), since
	case assembly.StateBlocked:
		return "blocked by " + name(open.FailedStep), since
	}
	return "", 0
}

// selectSpan returns the requested span; else the first one that failed or, in an open tree, is running; else the task's.
func (p *pages) selectSpan(tree *tree.Tree, id string) *tree.Span {
	chosen := &tree.Spans[0]
	for i := range tree.Spans {
		s := &tree.Spans[i]
		if hex.EncodeToString(s.ID[:]) == id {
			return s
		}
		if chosen == &tree.Spans[0] && s.Name == lifecycle.SpanStep && s.Failed() {
			chosen = s
		}
	}
	return chosen
}

// spanDetail describes a span.
type spanDetail struct {
	Label, Kind       string
	Mark              stateView
	Began, Took       string
	Span, Traceparent string
	ErrorType, Error  string
	Backtrace         string
	Attributes        []pair
	Events            []spanEvent
	MoreEvents        int
	Before            string // the previous attempt or run
	Inferred          bool
}

type pair struct{ Name, Value string }

type spanEvent struct {
	Name, At   string
	Attributes []pair
}

const (
	shownEvents = 100
	shownPairs  = 60
)

func detailOf(tree *tree.Tree, s *tree.Span, grows bool, now int64) *spanDetail {
	d := &spanDetail{
		Label: treeview.Label(s), Kind: s.Name, Mark: markOf(treeview.MarkOf(s)), Began: clock(s.Start), Took: span(s.End - s.Start),
		Span: hex.EncodeToString(s.ID[:]), Traceparent: traceparent(tree.Trace, s.ID),
		Inferred: treeview.Marked(s, lifecycle.AttrSynthesized),
	}
	if grows {
		d.Took = span(now-s.Start) + " so far"
	} else if treeview.MarkOf(s) == treeview.MarkOpen {
		d.Mark = stateIncomplete
	}
	if s.Failed() {
		d.ErrorType, d.Error = treeview.Text(s.Attributes, lifecycle.AttrErrorType), s.Message
	}
	d.Attributes = pairsOf(s.Attributes)
	for i := range s.Events {
		event := &s.Events[i]
		if trace := treeview.Value(event.Attributes, lifecycle.AttrExceptionStacktrace).Text; trace != "" && d.Backtrace == "" {
			d.Backtrace = lines(trace)
			continue
		}
		if len(d.Events) == shownEvents {
			d.MoreEvents = len(s.Events) - i
			break
		}
		d.Events = append(d.Events, spanEvent{event.Name, "+" + span(event.At-s.Start), pairsOf(event.Attributes)})
	}
	if s.Link != nil {
		d.Before = hex.EncodeToString(s.Link.Span[:])
	}
	return d
}

func pairsOf(attrs []attribute.KeyValue) []pair {
	var list []pair
	for i := range attrs {
		if len(list) == shownPairs {
			return append(list, pair{"…", number(len(attrs)-i) + " more"})
		}
		list = append(list, pair{attrs[i].Key, message(valueText(&attrs[i].Value))})
	}
	return list
}

func valueText(v *attribute.Value) string {
	switch v.Kind {
	case attribute.KindInt:
		return strconv.FormatInt(v.Int, 10)
	case attribute.KindDouble:
		return strconv.FormatFloat(v.Double, 'g', -1, 64)
	case attribute.KindBool:
		return strconv.FormatBool(v.Int != 0)
	case attribute.KindStrings:
		return strings.Join(v.Strings[:min(len(v.Strings), shownPairs)], ", ")
	}
	return v.Text
}

// shownMissing is the maximum number of missing events that are listed.
const shownMissing = 12

// hold describes missing events, why an ended task is still held, and until when.
func (page *taskPage) hold(open *assembly.OpenTask, run *livedata.Run, at time.Time) {
	for i, m := range run.Missing {
		if i == shownMissing {
			page.Missing = append(page.Missing, fmt.Sprintf("%s more", number(len(run.Missing)-i)))
			break
		}
		page.Missing = append(page.Missing, name(m.Of)+": "+m.What)
	}
	if run.Repeated > 0 {
		page.Repeated = plural(run.Repeated, "event came", "events came") + " more than once and counted once."
	}
	due := time.Unix(0, open.Due)
	if open.Due == 0 || !due.After(at) {
		due = time.Unix(0, open.Arrived).Add(open.SettleTimeout)
	}
	switch {
	case open.State == assembly.StateSettling && len(run.Missing) > 0:
		page.Held = fmt.Sprintf("It has ended, and waits for missing events until %s at the latest (settle_timeout %s), unless more events arrive.",
			timeOf(time.Unix(0, open.Arrived).Add(open.SettleTimeout)), duration(open.SettleTimeout))
	case open.State == assembly.StateSettling:
		page.Held = fmt.Sprintf("It has ended, and waits for late events until %s (reorder_window %s).", timeOf(due), duration(open.ReorderWindow))
	case len(run.Missing) > 0:
		page.Held = fmt.Sprintf("Spans with missing events wait for them (settle_timeout %s).", duration(open.SettleTimeout))
	}
}

// tooLate describes events that arrived after their spans had been emitted.
func (page *taskPage) tooLate(late *livedata.Late) {
	if late == nil {
		return
	}
	names := make([]string, 0, len(late.Names))
	for _, n := range late.Names {
		names = append(names, number(n.Count)+" "+name(n.Event))
	}
	page.Late = append(page.Late, plural(late.Count, "event", "events")+" arrived after the spans they belong to had been emitted, and are missing there: "+strings.Join(names, ", ")+".")
	for i := range slices.Backward(late.Latest) {
		e := &late.Latest[i]
		text := fmt.Sprintf("%s of %s came at %s", name(e.Event), timeOf(time.Unix(0, e.At)), timeOf(time.Unix(0, e.Came)))
		// Differences of a day and more come from replayed streams or wrong clocks.
		if by := time.Duration(e.Came - e.At); by > 0 && by < 24*time.Hour {
			text += ", " + words(by) + " after it happened"
		}
		page.Late = append(page.Late, text)
	}
}

func timeOf(at time.Time) string { return at.UTC().Format("15:04:05 UTC") }
