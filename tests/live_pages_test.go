// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// livePage requests a page or the API.
func (c *collector) livePage(path string) string {
	c.tb.Helper()
	response, err := http.Get("http://" + c.pages + path)
	require.NoError(c.tb, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(c.tb, err)
	require.Equal(c.tb, http.StatusOK, response.StatusCode, "%s: %s", path, body)
	return string(body)
}

// liveTasks returns the keys of the tasks that match a query.
func (c *collector) liveTasks(query string) (keys []string) {
	c.tb.Helper()
	var list struct {
		Tasks []struct {
			Key string `json:"key"`
		} `json:"tasks"`
	}
	require.NoError(c.tb, json.Unmarshal([]byte(c.livePage("/api/v1/tasks?limit=1000&"+query)), &list))
	for _, task := range list.Tasks {
		keys = append(keys, task.Key)
	}
	return keys
}

// TestLivePagesHoldNoSecret checks that values that event_router redacts, removes or drops are not in any page or API
// response, while a task is open and after its end.
func TestLivePagesHoldNoSecret(t *testing.T) {
	t.Parallel()
	sink := newSink(t)
	c := start(t, sink, `
processors:
  event_router:
    redaction: {keys: [passw, token, _key], patterns: [bearer_tokens, card_numbers, email_addresses, url_credentials]}
    filtered_events: [order.internal]
`)
	const (
		byKey = "hunter2-by-key"
		bulky = "in-the-context"
	)
	secrets := []string{byKey, bulky, "eyJhbGciOiJIUzI1NiJ9", "4111 1111 1111 1111", "jane.doe@example.com", "dbpassword", "order.internal-payload"}
	n := 0
	line := func(event, more string) []byte {
		n++
		return fmt.Appendf(nil, `{"event":%q,"occurred_at":"2026-06-01T12:00:00.%03dZ","service":"shop","payload":{"task_id":1,"task_name":"process_order"%s}}`, event, n, more)
	}
	step := `,"step_id":7,"step_name":"charge"`
	failure := `,"error_class":"Gateway::Refused","error_message":"Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.e30.abcdefghijk refused card 4111 1111 1111 1111 of jane.doe@example.com",` +
		`"backtrace":["app/charge.rb:1 postgres://app:dbpassword@db/shop"],"api_token":"hunter2-by-key"`
	lines := [][]byte{
		line("task.start_requested", `,"step_count":1,"task_context":{"note":"in-the-context"}`), line("workflow.task_started", ""),
		line("workflow.steps_execution_started", `,"step_count":1`), line("step.execution_requested", step+`,"step_inputs":{"x":"in-the-context"}`),
		line("step.before_handle", step), line("order.charged", step+`,"password":"hunter2-by-key","nested":{"private_key":"hunter2-by-key"}`),
		line("order.internal", `,"what":"order.internal-payload"`), line("step.failed", step+failure), line("step.failed", step+failure),
		line("workflow.steps_execution_completed", ""),
	}
	c.sendNDJSON(1, [][][]byte{lines})
	await(t, time.Minute, "the open task", func() bool { return len(c.liveTasks("state=open")) == 1 }, func() any { return c.livePage("/api/v1/tasks") })
	look := func() {
		t.Helper()
		key := c.liveTasks("")[0]
		paths := []string{"/", "/tasks", "/tasks/" + key, "/workflows", "/routes", "/collector", "/api/v1/overview", "/api/v1/tasks", "/api/v1/tasks/" + key, "/api/v1/routes"}
		for _, span := range spanIDs(t, c.livePage("/api/v1/tasks/"+key)) {
			paths = append(paths, "/tasks/"+key+"?span="+span)
		}
		all := ""
		for _, path := range paths {
			text := c.livePage(path)
			all += text
			for _, secret := range secrets {
				assert.NotContains(t, text, secret, path)
			}
		}
		assert.Contains(t, all, "Gateway::Refused", "what is no secret is there")
		assert.Contains(t, all, "order.charged")
		assert.Contains(t, all, "[FILTERED]")
		for _, secret := range secrets {
			assert.Empty(t, c.liveTasks("q="+strings.ReplaceAll(secret, " ", "%20")), "nor is it found")
		}
	}
	look()
	c.sendNDJSON(1, [][][]byte{{line("workflow.task_finalization_started", ""), line("task.failed", `,"error_message":"of jane.doe@example.com"`), line("workflow.task_finalization_completed", `,"final_status":"error"`)}})
	await(t, 2*time.Minute, "the task's end", func() bool { return len(c.liveTasks("state=failure")) == 1 }, func() any { return c.livePage("/api/v1/tasks") })
	look()
}

func spanIDs(t *testing.T, answer string) (ids []string) {
	t.Helper()
	var task struct {
		Runs []struct {
			Spans []struct {
				ID string `json:"span_id"`
			} `json:"spans"`
		} `json:"runs"`
	}
	require.NoError(t, json.Unmarshal([]byte(answer), &task))
	for _, run := range task.Runs {
		for _, span := range run.Spans {
			ids = append(ids, span.ID)
		}
	}
	require.NotEmpty(t, ids)
	return ids
}

// TestTheCommandLineAsksTheLivePages checks that tasks lists the held tasks, and that tree --from draws them as tree does
// from the file.
func TestTheCommandLineAsksTheLivePages(t *testing.T) {
	t.Parallel()
	sink := newSink(t)
	c := start(t, sink)
	cli, err := builtCLI()
	require.NoError(t, err)
	command := func(args ...string) string {
		out, err := exec.Command(cli, args...).CombinedOutput()
		require.NoError(t, err, "%s: %s", args, out)
		return string(out)
	}
	const file = "streamtest/testdata/mixed.ndjson"
	command("send", "--endpoint", "http://"+c.events+"/v1/events", file)
	from := "http://" + c.pages
	await(t, time.Minute, "all tasks", func() bool {
		return strings.Contains(command("tasks", "--from", from, "--state", "finished", "--limit", "3"), "3 of 40,")
	}, func() any { return command("tasks", "--from", from) })
	for _, id := range []string{"5", "12", "15"} {
		require.Equal(t, command("tree", "--task", id, file), command("tree", "--from", from, id), "task %s", id)
	}
	require.Equal(t, 40, strings.Count(command("tasks", "--from", from, "--json", "--limit", "100"), "\n"))
	require.Contains(t, command("tasks", "--from", from, "--search", "update_inventory", "--state", "failure"), "PaymentGateway::TimeoutError")
	out, err := exec.Command(cli, "tree", "--from", from, "no-such-task").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), `holds no task "no-such-task"`)
	out, err = exec.Command(cli, "tasks", "--from", from, "--state", "nonsense").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "there is no such state")
}

// TestLivePagesBehindAuthentication checks that with an authenticator no page, API response, image or stream is served
// without credentials.
func TestLivePagesBehindAuthentication(t *testing.T) {
	t.Parallel()
	sink := newSink(t)
	c := start(t, sink, `
extensions:
  basicauth/pages: {htpasswd: {inline: "viewer:opensesame"}}
  tasker_pages: {auth: {authenticator: basicauth/pages}}
service: {extensions: [otlp_limits, healthcheckv2, basicauth/pages, tasker_pages]}
`)
	for _, path := range []string{"/", "/tasks", "/static/style.css", "/api/v1/tasks", "/live?page=/"} {
		response, err := http.Get("http://" + c.pages + path)
		require.NoError(t, err)
		response.Body.Close()
		require.Equal(t, http.StatusUnauthorized, response.StatusCode, path)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+c.pages+"/", http.NoBody)
	require.NoError(t, err)
	request.SetBasicAuth("viewer", "opensesame")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
}
