// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
	"github.com/tasker-otel/otelcol-tasker/internal/treeview"
)

var start = time.Date(2026, 6, 1, 12, 0, 20, 0, time.UTC)

// fed returns a site with a component that holds the tasks of a stream.
func fed(t testing.TB, name string, cut int) (*site, *held) {
	now := start
	h := newHeld(func() time.Time { return now })
	lines := stream(t, name)
	h.send(t, lines[:min(cut, len(lines))])
	s := newSite(t, nil)
	s.pages.now = func() time.Time { return now }
	s.offer(h)
	return s, h
}

func TestEveryPageIsWellFormedAtEveryMoment(t *testing.T) {
	for _, name := range []string{"order_processing", "mixed", "planned", "real/retry"} {
		for _, cut := range []int{1, 30, 500, 5000} {
			s, h := fed(t, name, cut)
			for range 2 {
				for _, path := range []string{"/", "/tasks", "/workflows", "/routes", "/collector", "/tasks?q=process&sort=took&state=open"} {
					s.page(path)
				}
				for _, task := range h.Open("", start) {
					s.page(fmt.Sprintf("/tasks/%x", task.Key))
				}
				for i, tree := range h.trees {
					if i%7 == 0 {
						s.page(fmt.Sprintf("/tasks/%x?span=%x&open=all", tree.Key, tree.Spans[len(tree.Spans)-1].ID))
					}
				}
				h.release()
				s.pages.tasks = taskCache{}
			}
		}
	}
}

func TestAnEmptyCollectorSaysWhatToDo(t *testing.T) {
	s := newSite(t, nil)
	require.Contains(t, s.page("/"), "No event has been received yet")
	require.Contains(t, s.page("/tasks"), "No open or retained task matches.")
	require.Contains(t, s.page("/collector"), "see the pages of the gateway")
	require.Equal(t, http.StatusNotFound, s.get("/workflow?name=none").Code)
	require.Equal(t, http.StatusNotFound, s.get("/nothing").Code)
	require.Equal(t, http.StatusNotFound, s.get("/tasks/0af7651916cd43dd8448eb211c80319c").Code)
	require.Equal(t, http.StatusNotFound, s.get("/tasks/x").Code)
	require.Equal(t, http.StatusBadRequest, s.get("/tasks?page=0").Code)
	require.Equal(t, http.StatusBadRequest, s.get("/tasks?sort=x").Code)
	require.Equal(t, http.StatusBadRequest, s.get("/tasks?state=x").Code)
	require.Equal(t, http.StatusBadRequest, s.get("/api/v1/tasks?limit=5000").Code)
}

// The lists are complete: the API counts the open tasks, and each tree equals the command line's output.
func TestTheAPISaysWhatIsHeld(t *testing.T) {
	s, h := fed(t, "mixed", 1500)
	open := h.Open("", start)
	var list apiTasks
	require.NoError(t, json.Unmarshal(s.get("/api/v1/tasks?state=open&limit=1000").Body.Bytes(), &list))
	require.Equal(t, len(open), list.Found)
	require.Len(t, list.Tasks, len(open))
	states := map[string]int{}
	for _, task := range list.Tasks {
		states[task.TaskSummary.State]++
		var answer apiTask
		require.NoError(t, json.Unmarshal(s.get("/api/v1/tasks/"+task.Key).Body.Bytes(), &answer))
		require.Len(t, answer.Runs, 1)
		var key event.TraceID
		require.NoError(t, treeview.ParseID(task.Key, key[:]))
		var want strings.Builder
		require.NoError(t, treeview.WriteJSON(&want, h.Runs(key)[0].Tree))
		require.JSONEq(t, want.String(), string(answer.Runs[0]))
	}
	var overview apiOverview
	require.NoError(t, json.Unmarshal(s.get("/api/v1/overview").Body.Bytes(), &overview))
	for state, n := range overview.States {
		assert.Equal(t, states[state], n, state)
	}
	for state, n := range states {
		var of apiTasks
		require.NoError(t, json.Unmarshal(s.get("/api/v1/tasks?state="+state).Body.Bytes(), &of))
		require.Equal(t, n, of.Found)
	}
}

func TestListsAreSortedAndPaged(t *testing.T) {
	now := start
	h := newHeld(func() time.Time { return now })
	for i := range 120 {
		h.observe(&event.Event{TraceID: event.TraceID{byte(i), 1}, Identity: uint64(i), Name: lifecycle.TaskStartRequested, StepCount: 3,
			TaskName: "w", TaskID: event.ID{Text: fmt.Sprint(i), Integer: true}, At: start.Add(-time.Duration(i) * time.Second).UnixNano()})
	}
	s := newSite(t, nil)
	s.pages.now = func() time.Time { return now }
	s.offer(h)
	var ids []string
	for page := 1; ; page++ {
		var list apiTasks
		require.NoError(t, json.Unmarshal(s.get(fmt.Sprintf("/api/v1/tasks?sort=started&page=%d", page)).Body.Bytes(), &list))
		require.Equal(t, 120, list.Found)
		if len(list.Tasks) == 0 {
			break
		}
		for _, task := range list.Tasks {
			ids = append(ids, task.ID)
		}
	}
	require.Len(t, ids, 120)
	for i, id := range ids {
		require.Equal(t, fmt.Sprint(i), id)
	}
	text := s.page("/tasks?sort=started&page=2")
	require.Contains(t, text, "51–100 of 120")
	require.Contains(t, text, `rel="prev" href="/tasks?page=1&amp;sort=started"`)
	require.Contains(t, text, `rel="next" href="/tasks?page=3&amp;sort=started"`)
}

// hostile are texts that attempt an injection.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, "a\u202egnp.exe", strings.Repeat("x", 10_000), "' onmouseover='alert(1)",
	`</title></svg><script>`, "line\nbreak\x00\x1b[31m", `{{.Main}}`, "javascript:alert(1)", "\xff\xfe",
}

func TestHostileNamesAreEscapedAndCut(t *testing.T) {
	now := start
	h := newHeld(func() time.Time { return now })
	n := uint64(0)
	for i, name := range hostile {
		resource := &event.Resource{Attributes: []attribute.KeyValue{attribute.String(lifecycle.AttrServiceName, name)}}
		for j, kind := range []string{lifecycle.TaskStartRequested, lifecycle.WorkflowTaskStarted, lifecycle.StepExecutionRequested, lifecycle.StepFailed, "custom " + name} {
			n++
			e := event.Event{TraceID: event.TraceID{byte(i), 1}, Identity: n, Name: kind, TaskName: name, TaskID: event.ID{Text: name},
				CorrelationID: name, At: start.UnixNano() + int64(j)*1e6, Resource: resource,
				Attributes: []attribute.KeyValue{attribute.String(name, name)}}
			if j == 0 {
				e.StepCount = 1
			}
			if j >= 2 {
				e.StepID, e.StepName, e.Dependencies = event.ID{Text: name}, name, []string{name, "other " + name}
			}
			if j == 3 {
				e.ErrorClass, e.ErrorMessage, e.Backtrace = name, name, name+"\n"+name
			}
			h.observe(&e)
		}
	}
	for _, name := range hostile {
		step := livedata.Step{Name: name, Dependencies: []string{"before", name}, Durations: []time.Duration{1e9}, Critical: 1e9}
		step.Executions[59], step.Failures[59] = 3, 1
		w := livedata.Workflow{Name: name, Steps: []livedata.Step{{Name: "before"}, step}, Total: 2e9, Durations: []time.Duration{1e9}}
		f := livedata.Failure{Workflow: name, Step: name, ErrorType: name, Message: name, First: start.Add(-time.Hour), Last: start}
		f.Attempts[59] = 7
		h.statistics.Workflows = append(h.statistics.Workflows, w)
		h.statistics.Failures = append(h.statistics.Failures, f)
	}
	s := newSite(t, nil)
	s.pages.now = func() time.Time { return now }
	s.offer(h)
	paths := []string{"/", "/tasks", "/workflows"}
	for i, name := range hostile {
		q := urlQuery(name)
		paths = append(paths, fmt.Sprintf("/tasks/%x", event.TraceID{byte(i), 1}), "/workflow?name="+q, "/tasks?q="+q, "/tasks?workflow="+q+"&service="+q, "/routes?event="+q)
	}
	for _, path := range paths {
		text := s.page(path)
		for _, bad := range []string{"<script>alert", "<img", "\u202e", "\x00", "\x1b", "<script>\n", strings.Repeat("x", 300*16)} {
			if bad == strings.Repeat("x", 300*16) && strings.HasPrefix(path, "/tasks/") {
				continue // its own page shows more of an error
			}
			cleaned := strings.ReplaceAll(text, urlQuery(strings.Repeat("x", 10_000)), "")
			cleaned = strings.ReplaceAll(cleaned, strings.Repeat("x", 10_000)+`"`, "")
			require.NotContains(t, cleaned, bad, path)
		}
		require.Equal(t, strings.Count(text, "<script src="), strings.Count(text, "<script"), path)
	}
	require.True(t, json.Valid(s.get("/api/v1/tasks").Body.Bytes()))
}

func urlQuery(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

func TestHeaders(t *testing.T) {
	s := newSite(t, func(c *Config) { c.AllowedHosts = []string{"tasker.example.com"} })
	for _, path := range []string{"/", "/static/style.css", "/api/v1/overview", "/nothing"} {
		h := s.get(path).Header()
		require.Contains(t, h.Get("Content-Security-Policy"), "default-src 'none'")
		require.NotContains(t, h.Get("Content-Security-Policy"), "unsafe")
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
		require.Empty(t, h.Get("Access-Control-Allow-Origin"))
	}
	// A site whose name resolves to localhost is rejected, and so is POST.
	for host, want := range map[string]int{
		"localhost:8890": 200, "127.0.0.1:8890": 200, "[::1]:8890": 200, "tasker.example.com": 200, "evil.example.com:8890": 403, "": 403,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.Host = host
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		require.Equal(t, want, w.Code, host)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/tasks", http.NoBody)
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	require.NotEqual(t, http.StatusOK, w.Code)
}

// A task of 5,000 steps is folded except for its failures, and can be unfolded within the limits of a page.
func TestALargeTaskIsFolded(t *testing.T) {
	now := start
	h := newHeld(func() time.Time { return now })
	largeTask(h, 2500)
	s := newSite(t, nil)
	s.pages.now = func() time.Time { return now }
	s.offer(h)
	path := fmt.Sprintf("/tasks/%x", event.TraceID{9})
	folded := s.page(path)
	require.Contains(t, folded, "spans of large batches are folded")
	require.Contains(t, folded, "broken")
	require.Less(t, strings.Count(folded, "<tr"), 50)
	all := s.page(path + "?open=all")
	require.Greater(t, strings.Count(all, "<tr"), 5000)
	require.Less(t, len(all), 2<<20)
}

// largeTask sends a task with one batch of many steps, one of which has failed.
func largeTask(h *held, steps int) {
	n := uint64(0)
	at := start.Add(-time.Minute).UnixNano()
	observe := func(e event.Event) {
		n++
		at += 1e6
		e.TraceID, e.Identity, e.At, e.TaskName, e.TaskID = event.TraceID{9}, n, at, "import_users", event.ID{Text: "77", Integer: true}
		h.observe(&e)
	}
	observe(event.Event{Name: lifecycle.TaskStartRequested, StepCount: steps})
	observe(event.Event{Name: lifecycle.WorkflowTaskStarted})
	observe(event.Event{Name: lifecycle.WorkflowStepsExecutionStarted, StepCount: steps})
	for i := range steps {
		step := event.ID{Text: fmt.Sprint(i + 1), Integer: true}
		name := fmt.Sprintf("import_%04d", i)
		observe(event.Event{Name: lifecycle.StepExecutionRequested, StepID: step, StepName: name})
		observe(event.Event{Name: lifecycle.StepBeforeHandle, StepID: step, StepName: name})
		if i == 1234 {
			observe(event.Event{Name: lifecycle.StepFailed, StepID: step, StepName: name, ErrorClass: "E", ErrorMessage: "broken"})
		} else {
			observe(event.Event{Name: lifecycle.StepCompleted, StepID: step, StepName: name})
		}
	}
}

func TestComponentsThatFailAreNamed(t *testing.T) {
	s := newSite(t, nil)
	id := componentstatus.NewInstanceID(component.MustNewID("otlp_http"), component.KindExporter)
	s.pages.ComponentStatusChanged(id, componentstatus.NewRecoverableErrorEvent(fmt.Errorf("503 <b>")))
	s.offer(newHeld(time.Now))
	require.Contains(t, s.page("/collector"), "503 &lt;b&gt;")
	s.pages.ComponentStatusChanged(id, componentstatus.NewEvent(componentstatus.StatusOK))
	require.NotContains(t, s.page("/collector"), "503")
}

func TestWhatIsWithdrawnIsNotAsked(t *testing.T) {
	s, h := fed(t, "order_processing", 40)
	require.NotEmpty(t, h.Open("", start))
	other := s.pages.OfferTasks(component.MustNewIDWithName("span_hierarchy", "other"), newHeld(time.Now))
	require.Len(t, s.pages.sources.allTasks(), 2)
	other()
	other()
	require.Len(t, s.pages.sources.allTasks(), 1)
	require.Contains(t, s.page("/tasks"), "process_order 1")
}

func TestLayersPutAStepBehindWhatItWaitsFor(t *testing.T) {
	steps := []stepLine{
		{Name: "d", Dependencies: []string{"b", "c"}}, {Name: "a"}, {Name: "b", Dependencies: []string{"a"}}, {Name: "c", Dependencies: []string{"a", "gone"}},
		{Name: "x", Dependencies: []string{"y"}}, {Name: "y", Dependencies: []string{"x"}}, {Name: "self", Dependencies: []string{"self"}},
	}
	columns, column := layers(steps)
	require.Equal(t, 0, column["a"])
	require.Equal(t, 1, column["b"])
	require.Equal(t, 1, column["c"])
	require.Equal(t, 2, column["d"])
	total := 0
	for _, c := range columns {
		total += len(c)
	}
	require.Equal(t, len(steps), total)
	require.NotEmpty(t, drawGraph(steps))
}

func TestDurationsAreReadable(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0", 1500: "1 µs", 407 * time.Millisecond: "407 ms", 6210 * time.Millisecond: "6.21 s", 131 * time.Minute: "2 h 11 m", 75 * time.Second: "1 m 15 s",
	} {
		require.Equal(t, want, strings.ReplaceAll(duration(d), narrow, " "), d)
	}
	require.Equal(t, "1,284", number(1284))
	require.Equal(t, "-12,345,678", number(-12345678))
	require.Equal(t, "999", number(999))
}

// Measured with `go test -bench Page ./extension/taskerpages`; docs/performance.md has the results.
func BenchmarkPage(b *testing.B) {
	now := start
	many, large := newHeld(func() time.Time { return now }), newHeld(func() time.Time { return now })
	for i := range 100_000 {
		trace := event.TraceID{byte(i), byte(i >> 8), byte(i >> 16), 1}
		for j, name := range []string{lifecycle.TaskStartRequested, lifecycle.WorkflowTaskStarted, lifecycle.StepExecutionRequested, lifecycle.StepFailed} {
			e := event.Event{TraceID: trace, Identity: uint64(i*10 + j), Name: name, TaskName: fmt.Sprintf("workflow_%d", i%7),
				TaskID: event.ID{Text: fmt.Sprint(i), Integer: true}, At: start.UnixNano() - int64(i)*1e6 + int64(j)}
			if j == 0 {
				e.StepCount = 5
			}
			if j >= 2 {
				e.StepID, e.StepName, e.ErrorClass, e.ErrorMessage = event.ID{Text: "1"}, fmt.Sprintf("step_%d", i%5), "Timeout", "no answer"
			}
			many.observe(&e)
		}
	}
	largeTask(large, 2500)
	manySite, largeSite := newSite(b, func(c *Config) { c.RefreshInterval = time.Hour }), newSite(b, nil)
	manySite.offer(many)
	largeSite.offer(large)
	for name, c := range map[string]struct {
		site *site
		path string
	}{
		"overview of 100k": {manySite, "/"}, "list of 100k": {manySite, "/tasks"}, "sorted list of 100k": {manySite, "/tasks?sort=took&state=backing_off"},
		"search in 100k": {manySite, "/tasks?q=answer"}, "search for nothing in 100k": {manySite, "/tasks?q=nowhere"},
		"waterfall of 5000": {largeSite, fmt.Sprintf("/tasks/%x?open=all", event.TraceID{9})}, "folded waterfall of 5000": {largeSite, fmt.Sprintf("/tasks/%x", event.TraceID{9})},
	} {
		b.Run(name, func(b *testing.B) {
			size, before := 0, cpuTime(b)
			for b.Loop() {
				c.site.pages.tasks = taskCache{} // as for the first viewer within a second
				w := c.site.get(c.path)
				require.Equal(b, http.StatusOK, w.Code)
				size = w.Body.Len()
			}
			b.ReportMetric(float64(size), "B/page")
			b.ReportMetric(float64((cpuTime(b)-before).Milliseconds())/float64(b.N), "cpu-ms/page")
		})
	}
}

func TestStatesHaveWordsAndMarks(t *testing.T) {
	var marks []string
	for _, s := range openStates {
		require.NotEmpty(t, s.Word)
		require.NotContains(t, marks, s.Mark)
		marks = append(marks, s.Mark)
	}
}

// cpuTime returns the CPU time of the process, which does not depend on other load.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func TestWhatCameTooLateIsShown(t *testing.T) {
	s, h := fed(t, "mixed", 1500)
	key := h.Open("", start)[0].Key
	address := fmt.Sprintf("%x", key)
	require.NotContains(t, s.page("/tasks/"+address), `id="late"`)
	h.late = &livedata.Late{Count: 3, Names: []livedata.LateName{{Event: "step.completed", Count: 2}, {Event: "<script>", Count: 1}}, Latest: []livedata.LateEvent{
		{Event: "<script>", At: start.Add(-48 * time.Hour).UnixNano(), Came: start.UnixNano()},
		{Event: "step.completed", At: start.Add(-4 * time.Second).UnixNano(), Came: start.UnixNano()},
	}}
	text := s.page("/tasks/" + address)
	require.Contains(t, text, "3 events arrived after the spans they belong to had been emitted, and are missing there: 2 step.completed, 1 &lt;script&gt;.")
	require.Contains(t, text, "4"+narrow+"s after it happened")
	require.Equal(t, 1, strings.Count(text, "after it happened"), "of a replayed stream the clocks differ")
	var answer apiTask
	require.NoError(t, json.Unmarshal(s.get("/api/v1/tasks/"+address).Body.Bytes(), &answer))
	require.Equal(t, 3, answer.Late.Count)
	require.Equal(t, map[string]int{"step.completed": 2, "<script>": 1}, answer.Late.Names)
	require.Equal(t, start.UTC(), answer.Late.Latest[1].Came)
}
