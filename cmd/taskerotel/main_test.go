// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/cmd/internal/buildversion"
	"github.com/tasker-otel/otelcol-tasker/internal/wire"
)

const testdata = "../../tests/streamtest/testdata/"

// result is the result of a command line.
type result struct {
	status   int
	out, err string
}

func execute(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var out, problems bytes.Buffer
	status := run(t.Context(), args, streams{strings.NewReader(stdin), &out, &problems, func(string) string { return "" }})
	return result{status, out.String(), problems.String()}
}

func TestUsage(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no such command":  {[]string{"sned"}, `unknown command "sned"; did you mean send?`},
		"no such flag":     {[]string{"send", "--bogus", "-"}, "unknown flag: --bogus"},
		"send nothing":     {[]string{"send"}, "pass at least one file"},
		"send stdin twice": {[]string{"send", "-", "-"}, "can be read only once"},
		"send no file":     {[]string{"send", "no-such-file"}, "no such file"},
		"send a folder":    {[]string{"send", "."}, "is a directory"},
		"send to nowhere":  {[]string{"send", "--endpoint", "there", "-"}, `--endpoint: "there"`},
		"bad header":       {[]string{"send", "--header", "sEcReT", "-"}, "write each one as key=value"},
		"bad number":       {[]string{"send", "--batch-size", "many", "-"}, "--batch-size"},
		"tree of nothing":  {[]string{"tree"}, "pass at least one file"},
		"tree color":       {[]string{"tree", "--color", "blue", "-"}, `--color: "blue"`},
		"tree limit":       {[]string{"tree", "--limit", "-1", "-"}, "--limit: -1 is negative"},
		"tree depth":       {[]string{"tree", "--depth", "-1", "-"}, "--depth: -1 is negative"},
		"tree width":       {[]string{"tree", "--width", "-1", "-"}, "--width: -1 is negative"},
		"ids of nothing":   {[]string{"ids", "--service", "shop"}, "pass at least one task id"},
		"ids of no task":   {[]string{"ids", "--service", "shop", "42", ""}, "a task id is empty"},
		"ids of nobody":    {[]string{"ids", "1"}, "--service: is missing"},
		"router of what":   {[]string{"routes", "--router", "event_router/eu"}, "pass its file with --config"},
		"version of what":  {[]string{"version", "please"}, "unexpected argument"},
	} {
		t.Run(name, func(t *testing.T) {
			got := execute(t, "", test.args...)
			assert.Equal(t, exitUsage, got.status)
			assert.Contains(t, got.err, test.want)
			assert.Contains(t, got.err, "--help")
			assert.NotContains(t, got.err, "sEcReT", "a header may be a secret")
			assert.Empty(t, got.out)
		})
	}
}

func TestHelp(t *testing.T) {
	assert.Contains(t, execute(t, "").out, "Available Commands")
	for _, known := range newRoot(streams{}).Commands() {
		command := known.Name()
		got := execute(t, "", command, "--help")
		assert.Equal(t, exitOK, got.status)
		for line := range strings.Lines(got.out) {
			assert.LessOrEqual(t, utf8.RuneCountInString(line)-1, 120, line)
		}
		assert.Contains(t, got.out, "taskerotel "+command)
		assert.Equal(t, command != "version", strings.Contains(got.out, "Examples:"), command)
	}
}

// receiver accepts events as a tasker_events receiver does.
func receiver(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "a=b", r.Header.Get("X-Test"))
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		_, report := wire.NewDecoder(wire.Settings{}).Decode(body, wire.FormatNDJSON)
		assert.NoError(t, json.NewEncoder(w).Encode(map[string]any{"accepted": report.Accepted, "refused": report.Refusals}))
	}))
	t.Cleanup(server.Close)
	return server
}

func TestSend(t *testing.T) {
	server := receiver(t)
	got := execute(t, "", "send", "--endpoint", server.URL, "--header", "X-Test=a=b", "--batch-size", "7",
		testdata+"order_processing.ndjson", testdata+"real/retry.ndjson")
	assert.Equal(t, exitOK, got.status, got.err)
	lines := 0
	for _, name := range []string{"order_processing", "real/retry"} {
		text, err := os.ReadFile(testdata + name + ".ndjson")
		require.NoError(t, err)
		lines += bytes.Count(text, []byte{'\n'})
	}
	assert.Contains(t, got.out, fmt.Sprintf("accepted     %d of %[1]d events\n", lines))
	assert.Empty(t, got.err, "no progress where there is no terminal")
}

func TestSendRefused(t *testing.T) {
	server := receiver(t)
	got := execute(t, `{"event":"task.completed","payload":{"task_id":1}}`+"\n"+`{"event":"task.completed"}`,
		"send", "--endpoint", server.URL, "--header", "X-Test=a=b", "-")
	assert.Equal(t, exitFailed, got.status)
	assert.Contains(t, got.out, "accepted     1 of 2 events\nrefused      1\n  stdin:2: payload: payload is missing or not an object (")
}

func TestTree(t *testing.T) {
	got := execute(t, "", "tree", "--width", "90", testdata+"order_processing.ndjson")
	assert.Equal(t, exitOK, got.status, got.err)
	assert.Contains(t, got.out, "✓ process_order 1 · success")
	assert.Contains(t, got.out, "   │  └─ process_payment ★")
	assert.NotContains(t, got.out, "\x1b", "no colour where there is no terminal")
	assert.Empty(t, got.err)
	assert.Contains(t, execute(t, "", "tree", "--color", "always", testdata+"order_processing.ndjson").out, "\x1b[32m✓")
}

func TestTreeShowsTheFirstTasks(t *testing.T) {
	got := execute(t, "", "tree", "--limit", "3", "--depth", "1", "--ascii", testdata+"mixed.ndjson")
	assert.Equal(t, exitOK, got.status)
	assert.Equal(t, 3, strings.Count(got.out, "trace "))
	assert.Contains(t, got.out, "37 more not shown: raise --limit (now 3), or select one with --task.")
	var starts []string
	for line := range strings.Lines(got.out) {
		if i := strings.Index(line, "2026-06-01 "); i >= 0 {
			starts = append(starts, line[i:])
		}
	}
	assert.IsNonDecreasing(t, starts)

	all := execute(t, "", "tree", "--limit", "0", "--depth", "1", testdata+"mixed.ndjson")
	assert.Equal(t, 40, strings.Count(all.out, "trace "))
	assert.NotContains(t, all.out, "more not shown")
}

func TestTreeJSON(t *testing.T) {
	got := execute(t, "", "tree", "--json", testdata+"mixed.ndjson")
	assert.Equal(t, exitOK, got.status)
	tasks := 0
	for line := range strings.Lines(got.out) {
		var task struct {
			TraceID string `json:"trace_id"`
			Spans   []struct{ Name string }
		}
		require.NoError(t, json.Unmarshal([]byte(line), &task))
		assert.Len(t, task.TraceID, 32)
		assert.Equal(t, "tasker.task.execution", task.Spans[0].Name)
		tasks++
	}
	assert.Equal(t, 40, tasks)
	assert.Equal(t, 2, strings.Count(execute(t, "", "tree", "--json", "--limit", "2", testdata+"mixed.ndjson").out, "\n"))
}

func TestTreeOfATask(t *testing.T) {
	got := execute(t, "", "tree", "--task", "15", "--task", "5", testdata+"mixed.ndjson")
	assert.Equal(t, exitOK, got.status)
	assert.Contains(t, got.out, "user_registration 15")
	assert.Equal(t, 2, strings.Count(got.out, "trace "))

	got = execute(t, "", "tree", "--task", "4711", testdata+"mixed.ndjson")
	assert.Equal(t, exitFailed, got.status)
	assert.Equal(t, "taskerotel tree: none of the 3545 events belongs to a task with the id [\"4711\"]\n", got.err)
}

func TestTreeNamesWhatItRefuses(t *testing.T) {
	text, err := os.ReadFile(testdata + "order_processing.ndjson")
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "events.ndjson")
	require.NoError(t, os.WriteFile(path, append(text, "nonsense\n{}\n"...), 0o600))
	got := execute(t, "", "tree", path)
	assert.Equal(t, exitFailed, got.status)
	assert.Contains(t, got.out, "✓ process_order 1", "what was taken is shown")
	assert.Contains(t, got.err, "refused "+path+`:73: "nonsense" is not a JSON object (`)
	assert.Contains(t, got.err, "refused "+path+":74: event: event is missing (")

	got = execute(t, strings.Repeat("{}\n", 50), "tree", "-")
	assert.Contains(t, got.err, "… and 30 more refused\n")
	assert.Contains(t, got.err, "none of the 0 events belongs to a task")
}

func TestIDs(t *testing.T) {
	got := execute(t, "", "ids", "--service", "shop", "1")
	assert.Equal(t, result{out: "TASK_ID  TRACE_ID                          SPAN_ID\n" +
		"1        2d32bdfecd0b620b11e3cce7926ec9db  5d77c73a2109492a\n"}, got)

	got = execute(t, "", "ids", "--service", "shop", "--namespace", "eu", "--json", "1")
	var ids map[string]string
	require.NoError(t, json.Unmarshal([]byte(got.out), &ids))
	assert.NotEqual(t, "2d32bdfecd0b620b11e3cce7926ec9db", ids["trace_id"])

	// The IDs are those of the assembled tree.
	tree := execute(t, "", "tree", "--json", testdata+"order_processing.ndjson")
	assert.Contains(t, tree.out, `"trace_id":"2d32bdfecd0b620b11e3cce7926ec9db"`)
	assert.Contains(t, tree.out, `"spans":[{"span_id":"5d77c73a2109492a","name":"tasker.task.execution"`)
}

func TestVersion(t *testing.T) {
	got := execute(t, "", "version")
	assert.Equal(t, exitOK, got.status)
	assert.True(t, strings.HasPrefix(got.out, "taskerotel "+buildversion.Read().Version+" ("), got.out)
	assert.Equal(t, got, execute(t, "", "--version"))
}
