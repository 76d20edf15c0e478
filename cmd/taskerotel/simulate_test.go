// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSimulateExpect(t *testing.T) {
	path := filepath.Join(t.TempDir(), "expectations.yaml")
	expect := func(text, events string) result {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return execute(t, events, "simulate", "--expect", path, "-")
	}
	const event = "{\"event\":\"step.completed\",\"payload\":{\"task_id\":1}}\n"
	got := expect("events: {accepted: 1}\nspans: [{where: {level: '1'}, count: 1}]", event)
	assert.Equal(t, exitOK, got.status, got.err)
	assert.Equal(t, "as expected: 1 event accepted, 0 refused\n", got.out)

	got = expect("spans: [{where: {level: '1'}, count: 2}]", event)
	assert.Equal(t, exitFailed, got.status)
	assert.Equal(t, "spans[0].count level=1\n  expected  2\n  found     1\n1 expectation not met\n", got.out)

	assert.Equal(t, exitFailed, expect("events: {accepted: 1}", event+"nonsense\n").status, "nobody expects a refused event")
	assert.Equal(t, exitOK, expect("events: {refused: 1}", event+"nonsense\n").status)
	assert.Equal(t, exitUsage, expect("spans: [{count: many}]", event).status)
}

func TestSimulate(t *testing.T) {
	events, err := filepath.Glob(testdata + "*.ndjson")
	require.NoError(t, err)
	require.NotEmpty(t, events)
	directory := filepath.Join(t.TempDir(), "result")
	got := execute(t, "", "simulate", "--config", "../../config.yaml", "-o", directory, events[0])
	require.Equal(t, exitOK, got.status, got.err)
	for _, want := range []string{"events accepted, 0 refused", "tasker.task.execution ", "tasker.task.executions ", "connector_span_to_metrics_skipped"} {
		assert.Contains(t, got.out, want)
	}
	for _, name := range []string{"traces.csv", "metrics.csv"} {
		assert.FileExists(t, filepath.Join(directory, name))
	}
	again := execute(t, "", "simulate", "-o", directory, events[0])
	assert.Equal(t, exitUsage, again.status)
	assert.Contains(t, again.err, "is not empty")

	got = execute(t, "{\"event\":\"step.completed\",\"payload\":{\"task_id\":1}}\nnonsense\n", "simulate", "--json", "-")
	assert.Equal(t, exitFailed, got.status)
	assert.Contains(t, got.err, "is not a JSON object")
	var result struct {
		Accepted int `json:"accepted_events"`
		Refused  int `json:"refused_events"`
		Losses   []any
	}
	require.NoError(t, json.Unmarshal([]byte(got.out), &result))
	assert.Equal(t, 1, result.Accepted)
	assert.Equal(t, 1, result.Refused)

	wrong := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(wrong, []byte("processors: {span_hierarchy: {shards: -1}}"), 0o600))
	got = execute(t, "", "simulate", "--config", wrong, events[0])
	assert.Equal(t, exitFailed, got.status)
	assert.Contains(t, got.err, "processors::span_hierarchy")
	assert.Equal(t, exitUsage, execute(t, "", "simulate").status)
}

// Names from applications are not written to the terminal unescaped.
func TestAttackSimulateIsSafeToRead(t *testing.T) {
	event := `{"event":"order.\u001b[2J\u009bx","payload":{"task_id":1,"step_name":"a\\n\u001b]0;owned\u0007"}}` + "\n" +
		`{"event":"task.completed","payload":{"task_id":1,"task_name":"a\u001b[2Jb\nforged  9"}}` + "\n"
	got := execute(t, event, "simulate", "--config", configFile(t, "processors: {event_router: {default_signals: [traces, metrics, logs]}}"), "-")
	assert.NotRegexp(t, `[\x00-\x08\x0b-\x1f\x7f-\x9f]`, strings.ReplaceAll(got.out, "\u0085", "!"))
	assert.NotRegexp(t, `(?m)^forged`, got.out)
}
