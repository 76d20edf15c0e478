package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
