// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/eventfile"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

func simulate(t *testing.T, cfg Config, lines [][]byte) *Result {
	t.Helper()
	source := eventfile.NewSource([]string{eventfile.Stdin}, bytes.NewReader(bytes.Join(lines, []byte("\n"))))
	result, err := Run(t.Context(), source, Settings{Config: cfg, Directory: t.TempDir(), Log: zap.NewNop()})
	require.NoError(t, err)
	return result
}

func (r *Result) spansNamed(name string) Spans {
	for _, s := range r.Spans {
		if s.Name == name {
			return s
		}
	}
	return Spans{}
}

func (r *Result) sum(t *testing.T, metric string) (total float64) {
	t.Helper()
	for _, row := range r.Metrics {
		if row.Name == metric {
			value, err := strconv.ParseFloat(row.Value, 64)
			require.NoError(t, err)
			total += value
		}
	}
	return total
}

// TestTruth: what a simulation shows is what happened.
func TestTruth(t *testing.T) {
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 50, Seed: 51, Failures: true})
	result := simulate(t, DefaultConfig(), lines)
	assert.Equal(t, len(lines), result.Accepted)
	assert.Zero(t, result.Refused)
	attempts, failed := 0, 0
	for i := range truth {
		if truth[i].Status == streamtest.OutcomeError {
			failed++
		}
		for _, o := range truth[i].Orchestrations {
			for _, b := range o.Batches {
				attempts += len(b.Steps)
			}
		}
	}
	tasks := result.spansNamed(lifecycle.SpanTask)
	assert.Equal(t, len(truth), tasks.Spans)
	assert.Equal(t, failed, tasks.Status["failure"])
	assert.Zero(t, tasks.Incomplete)
	assert.Equal(t, attempts, result.spansNamed(lifecycle.SpanStep).Spans)
	assert.Equal(t, float64(len(truth)), result.sum(t, "tasker.task.executions"))
	assert.Equal(t, float64(attempts), result.sum(t, "tasker.step.executions"))
}

// TestSettingsCount: a configuration decides, and what it drops is shown with the reason.
func TestSettingsCount(t *testing.T) {
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 10, Seed: 52})
	conf := confmap.NewFromStringMap(map[string]any{
		"processors": map[string]any{
			"eventrouter": map[string]any{ // the name that it had before
				"storage":         "file_storage",
				"default_signals": []any{"metrics"},
				"filtered_events": []any{"task.*"},
			},
			"span_hierarchy/deep": map[string]any{"storage": "file_storage"},
			"batch":               map[string]any{},
		},
		"connectors": map[string]any{
			"span_to_metrics": map[string]any{"storage": "file_storage"},
		},
	})
	cfg, err := ReadConfig(conf)
	require.NoError(t, err)
	assert.Nil(t, cfg.Router.Storage)
	assert.Nil(t, cfg.Hierarchy.Storage)
	assert.Nil(t, cfg.Metrics.StorageID)
	result := simulate(t, cfg, lines)
	dropped := int64(0)
	for _, loss := range result.Losses {
		if loss.Metric == "processor_event_router_dropped" && loss.Labels["reason"] == "filtered" {
			dropped = loss.Count
		}
	}
	assert.Greater(t, dropped, int64(len(truth)))
	for _, row := range result.Metrics {
		assert.NotEqual(t, "task.completed", row.Labels["event"], "it was filtered")
	}
	open := simulate(t, DefaultConfig(), lines[:5])
	assert.Positive(t, open.spansNamed(lifecycle.SpanTask).Incomplete, "no event reports their end")
}

func TestConfigMistakes(t *testing.T) {
	conf := confmap.NewFromStringMap(map[string]any{
		"processors": map[string]any{
			"event_router":     map[string]any{"routes": []any{map[string]any{"event": "a", "sampling_rate": 7}}},
			"span_hierarchy/a": nil, "span_hierarchy/b": nil,
		},
		"connectors": map[string]any{"span_to_metrics": map[string]any{"no_such_key": 1}},
	})
	_, err := ReadConfig(conf)
	for _, want := range []string{
		"processors::event_router", "several of the type span_hierarchy (span_hierarchy/a, span_hierarchy/b)", "connectors::span_to_metrics", "no_such_key",
	} {
		assert.ErrorContains(t, err, want)
	}
}

// TestShippedConfig: the default configuration of the collector can be simulated.
func TestShippedConfig(t *testing.T) {
	conf, err := confmaptest.LoadConf(filepath.Join("..", "..", "..", "config.yaml"))
	require.NoError(t, err)
	cfg, err := ReadConfig(conf)
	require.NoError(t, err)
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 5, Seed: 53})
	result := simulate(t, cfg, lines)
	assert.Equal(t, float64(len(truth)), result.sum(t, "tasker.task.executions"))
	assert.NotEmpty(t, result.Records)
}

// TestTables: the directory has the tables, and nothing else, of which the summary has the sums.
func TestTables(t *testing.T) {
	lines, _ := streamtest.Generate(streamtest.Options{Tasks: 5, Seed: 54, Failures: true})
	run := func(directory string) (*Result, error) {
		source := eventfile.NewSource([]string{eventfile.Stdin}, bytes.NewReader(bytes.Join(lines, []byte("\n"))))
		return Run(t.Context(), source, Settings{Config: DefaultConfig(), Directory: directory, Log: zap.NewNop()})
	}
	directory := filepath.Join(t.TempDir(), "new", "result")
	result, err := run(directory)
	require.NoError(t, err)
	spans, records := 0, 0
	for _, s := range result.Spans {
		spans += s.Spans
	}
	for _, r := range result.Records {
		records += r.Count
	}
	found := map[string]int{}
	files, err := os.ReadDir(directory)
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(directory, file.Name()))
		require.NoError(t, err)
		rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
		require.NoError(t, err)
		found[file.Name()] = len(rows) - 1
	}
	assert.Equal(t, map[string]int{"traces.csv": spans, "logs.csv": records, "metrics.csv": len(result.Metrics)}, found)

	_, err = run(directory)
	require.ErrorIs(t, err, os.ErrExist, "tables are not written over")
	_, err = run(filepath.Join(directory, "traces.csv"))
	require.Error(t, err, "a file is not a directory")
}
