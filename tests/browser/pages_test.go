// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

type list struct {
	Found int `json:"found"`
	Tasks []struct {
		Key   string `json:"key"`
		ID    string `json:"task_id"`
		State string `json:"state"`
	} `json:"tasks"`
}

func (c *collector) find(query string) list {
	c.t.Helper()
	var l list
	c.ask("/api/v1/tasks?limit=1000&"+query, &l)
	return l
}

// The numbers on the pages equal the truth, and the pages can be reached by their links.
func TestAPersonFindsTheTruth(t *testing.T) {
	c := start(t)
	v := visit(t, c.pages)
	v.open("/")
	require.Contains(t, v.text("main"), "No event has been received yet")
	v.isFine("the empty overview")

	c.send(streams + "mixed.ndjson")
	of := truthOf(t, "mixed")
	failed, byName := 0, map[string]int{}
	for _, task := range of {
		byName[task.Name]++
		if task.Status == "error" {
			failed++
		}
	}
	v.await("all tasks on the page that was open all the time", fmt.Sprintf(`document.querySelectorAll('.tile')[4]?.querySelector('.v').textContent === '%d'`, len(of)))
	require.Equal(t, strconv.Itoa(failed), v.text(".tile:nth-child(6) .v"))
	require.Equal(t, "0", v.text(".tile:nth-child(1) .v"))
	for name, n := range byName {
		require.Equal(t, strconv.Itoa(n), eval[string](v, fmt.Sprintf(
			`[...document.querySelectorAll('tbody tr')].find((r) => r.querySelector('th')?.textContent === '%s').querySelectorAll('td')[4].textContent`, name)))
	}
	v.isFine("/")
	v.shot("overview")

	// To a workflow, to one of its steps, to a task, to one of its spans.
	v.click(`tbody th a[href*="customer_analytics"]`, "svg.graph")
	require.Len(t, eval[[]string](v, `[...document.querySelectorAll('.node')].map((n) => n.textContent)`), 8)
	require.Equal(t, dependencies(t, "mixed", "customer_analytics"), eval[int](v, `document.querySelectorAll('.edge').length`))
	v.isFine("the workflow")
	v.shot("workflow")
	v.do(chromedp.EvaluateAsDevTools(`document.querySelectorAll('svg.graph a')[0].dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))`, nil), chromedp.WaitVisible(".filters"))
	require.Contains(t, v.path(), "/tasks?q=")
	require.Contains(t, v.text("main"), fmt.Sprintf("1–%d of %d", byName["customer_analytics"], byName["customer_analytics"]))
	v.isFine("the tasks of a step")
	v.click("tbody th a", "table.rows")
	require.Contains(t, v.text("h1"), "customer_analytics")
	v.click("tr.hand th a", "#detail")
	require.Contains(t, v.path(), "?span=")
	require.Equal(t, "handler", strings.TrimLeft(v.text("#detail h2"), "✓✗ "))
	v.click("#attributes summary", "#attributes dl")
	require.Contains(t, v.text("#attributes"), "tasker.step_name")
	require.Contains(t, eval[string](v, `document.querySelector('.links a').href`), "https://tempo.example.com/trace/")
	v.isFine("a task")

	// The search box by keyboard, a filter, and an explained event.
	v.do(chromedp.Focus(".find input"), chromedp.SendKeys(".find input", "PaymentGateway::TimeoutError"+kb.Enter), chromedp.WaitVisible(".filters"))
	want := c.find("q=PaymentGateway::TimeoutError").Found
	require.Positive(t, want)
	require.Contains(t, v.text("main"), fmt.Sprintf("of %d", want))
	v.do(chromedp.SetValue(`select[name=state]`, "failure"), chromedp.Click(".filters button"))
	v.await("the filter", `location.search.includes('state=failure') && document.readyState === 'complete'`)
	require.Contains(t, v.text("main"), fmt.Sprintf("1–%d of %d", failed, failed))
	v.open("/routes")
	v.do(chromedp.SendKeys("input[name=event]", "order.placed"+kb.Enter), chromedp.WaitVisible(".note"))
	require.Contains(t, v.text(".note"), "order.placed becomes traces")
	v.isFine("/routes")
	v.shot("routes")
	v.open("/collector")
	require.Contains(t, v.text("main"), "span_hierarchy")
	v.isFine("/collector")
}

// dependencies returns the number of dependencies in a workflow of a stream.
func dependencies(t testing.TB, name, workflow string) int {
	t.Helper()
	tasks, edges := map[int]bool{}, map[[2]string]bool{}
	for range 2 { // only some events of a task have the name
		for _, line := range stream(t, name, "shop") {
			var item struct {
				Payload struct {
					TaskID   int      `json:"task_id"`
					TaskName string   `json:"task_name"`
					Step     string   `json:"step_name"`
					Waits    []string `json:"step_dependencies"`
				} `json:"payload"`
			}
			require.NoError(t, json.Unmarshal([]byte(line), &item))
			p := item.Payload
			if p.TaskName == workflow {
				tasks[p.TaskID] = true
			}
			for _, d := range p.Waits {
				if tasks[p.TaskID] {
					edges[[2]string{d, p.Step}] = true
				}
			}
		}
	}
	require.NotEmpty(t, edges)
	return len(edges)
}

// A live page follows its task from the first event to the last, and preserves the user's selections.
func TestATaskGrowsBeforeTheEyes(t *testing.T) {
	c := start(t)
	v := visit(t, c.pages)
	lines := stream(t, "order_processing", "shop")
	c.sendLines(lines[:40]...)
	c.await("the task", func() bool { return c.find("state=running").Found == 1 })
	key := c.find("state=running").Tasks[0].Key
	v.open("/tasks/" + key)
	require.Contains(t, v.text("h1"), "running")
	require.Positive(t, eval[int](v, `document.querySelectorAll('tr.live').length`))
	v.do(chromedp.Evaluate(`window.stayed = true; window.rows = document.querySelectorAll('.rows tbody tr').length; window.took = document.querySelector('.took').textContent`, nil))
	v.click("#attributes summary", "#attributes dl")
	v.await("a bar that grows", `document.querySelector('.took').textContent !== window.took`)
	c.sendLines(lines[40:]...)
	v.await("the task's end", `document.querySelector('h1').textContent.includes('success')`)
	v.await("more rows", `document.querySelectorAll('.rows tbody tr').length > window.rows`)
	v.await("the end of the updates", `document.getElementById('live').textContent === 'settled'`)
	require.Zero(t, eval[int](v, `document.querySelectorAll('tr.live, tr.soft').length`))
	require.True(t, eval[bool](v, `window.stayed && document.getElementById('attributes').open`), "the page was not loaded again, and what was open stays open")
	v.isFine("the task")
}

// In dark mode, on a small screen, by keyboard, and without scripts.
func TestEveryPageSuitsEverybody(t *testing.T) {
	c := start(t)
	c.send(streams + "mixed.ndjson")
	c.sendLines(stream(t, "real/retry", "billing")[:900]...)
	c.await("finished and open tasks", func() bool { return c.find("state=finished").Found >= 40 && c.find("state=running").Found > 0 })
	paths := []string{"/", "/tasks", "/tasks/" + c.find("state=running").Tasks[0].Key, "/tasks/" + c.find("state=failure").Tasks[0].Key, "/workflows", "/workflow?name=process_order", "/routes?event=step.completd", "/collector"}
	v := visit(t, c.pages)
	for _, dark := range []bool{false, true} {
		v.dark(dark)
		for _, width := range []int64{390, 800, 1360} {
			v.size(width, 844)
			for _, path := range paths {
				v.open(path)
				v.isFine(fmt.Sprintf("%s, %d wide, dark %v", path, width, dark))
			}
		}
	}
	v.size(390, 844)
	v.open(paths[2])
	v.shot("task-phone-dark")
	v.size(1360, 1000)
	v.open("/")
	v.shot("overview-dark")

	v.do(chromedp.KeyEvent(kb.Tab))
	require.Equal(t, "Skip to the content", eval[string](v, `document.activeElement.textContent`))
	v.do(chromedp.KeyEvent(kb.Enter))
	v.await("the focus on the content", `document.activeElement.id === 'main'`)

	v.do(emulation.SetScriptExecutionDisabled(true))
	for _, path := range paths {
		v.do(chromedp.Navigate(c.pages+path), chromedp.WaitReady("main h1"))
	}
	require.Contains(t, v.text("main"), "Components")
}

// Hostile names are displayed as text.
func TestHostileNames(t *testing.T) {
	c := start(t)
	hostile := []string{`<script>window.hacked=1</script>`, `"><img src=x onerror=window.hacked=1>`, "\u202egnp.exe", strings.Repeat("long ", 2000),
		`</title></svg></script><script>window.hacked=1</script>`, `' onfocus='window.hacked=1' autofocus='`, `javascript:window.hacked=1`}
	for i, name := range hostile {
		quoted := fmt.Sprintf("%q", name)
		line := func(event, more string) string {
			return fmt.Sprintf(`{"event":"%s","occurred_at":"2026-06-01T12:00:0%d.%06dZ","service":%s,"correlation_id":%s,"payload":{"task_id":%s,"task_name":%s,"note":%s%s}}`,
				event, i, len(more), quoted, quoted, quoted, quoted, quoted, more)
		}
		quoted = strings.ReplaceAll(quoted, `\u202e`, "\u202e")
		step := fmt.Sprintf(`,"step_id":1,"step_name":%s,"error_class":%s,"error_message":%s,"backtrace":[%s]`, quoted, quoted, quoted, quoted)
		c.sendLines(line("task.start_requested", `,"step_count":1`), line("workflow.task_started", ""), line("step.execution_requested", `,"step_id":1,"step_name":`+quoted),
			line("step.failed", step), line("order."+strconv.Itoa(i), ""))
	}
	c.await("the tasks", func() bool { return c.find("state=open").Found == len(hostile) })
	paths := []string{"/", "/tasks", "/tasks?q=window.hacked", "/workflows", "/routes?event=%3Cscript%3Ewindow.hacked%3D1%3C/script%3E"}
	for _, task := range c.find("state=open").Tasks {
		paths = append(paths, "/tasks/"+task.Key)
	}
	v := visit(t, c.pages)
	for _, width := range []int64{390, 1360} {
		v.size(width, 900)
		for _, path := range paths {
			v.open(path)
			v.isFine(path)
			require.Equal(t, "undefined", eval[string](v, `typeof window.hacked`), path)
			require.Zero(t, eval[int](v, `document.querySelectorAll('main img, main script, main [onfocus], main [onerror], main [href^=javascript]').length`), path)
			require.NotContains(t, eval[string](v, `document.body.textContent`), "\u202e", path)
			v.do(chromedp.Evaluate(`document.querySelectorAll('main a').forEach((a) => a.focus())`, nil))
		}
	}
	v.open("/tasks")
	v.shot("hostile")
}

// The README's screenshots of the overview and a waterfall, while the sample runs in real time.
func TestScreenshots(t *testing.T) {
	c := start(t)
	v := visit(t, c.pages)
	v.size(1360, 900)
	c.send(streams + "mixed.ndjson")
	c.await("the finished tasks", func() bool { return c.find("state=finished").Found >= 40 })
	lines := stream(t, "planned", "billing")
	done := make(chan error, 1)
	send := exec.Command(program(t, "TASKER_CLI"), "send", "--endpoint", c.events, "--pace", "0.5", streamFile(t, lines))
	go func() { done <- send.Run() }()
	c.await("a task that runs again after a failure", func() bool {
		for _, task := range c.find("state=running&workflow=customer_analytics&service=billing").Tasks {
			var answer struct {
				Open struct {
					Failed string `json:"failed_step"`
					Done   int    `json:"steps_done"`
				} `json:"open"`
			}
			c.ask("/api/v1/tasks/"+task.Key, &answer)
			if answer.Open.Failed != "" && answer.Open.Done > 3 {
				v.open("/tasks/" + task.Key)
				v.await("a live page", `!document.getElementById('live').hidden`)
				v.shot("task")
				v.isFine("the task")
				return true
			}
		}
		return false
	})
	v.open("/")
	v.await("a live page", `!document.getElementById('live').hidden`)
	v.shot("overview")
	require.NoError(t, <-done)
}
