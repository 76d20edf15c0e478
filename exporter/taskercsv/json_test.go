// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskercsv

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/csvtable/csvtext"
)

// asJSON configures JSON lines.
func asJSON(cfg *Config) {
	cfg.Format = csvtext.RowsJSON
	cfg.Path = strings.TrimSuffix(cfg.Path, ".csv") + ".jsonl"
}

// readObjects reads a file of JSON lines.
func readObjects(t *testing.T, path string) []map[string]any {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	var objects []map[string]any
	for line := range strings.Lines(string(content)) {
		var object map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &object), line)
		objects = append(objects, object)
	}
	return objects
}

// TestRecordsAsJSON checks that texts are complete, numbers are numbers, and unknown values are omitted.
func TestRecordsAsJSON(t *testing.T) {
	b := startBoth(t, asJSON)
	require.NoError(t, b.traces.ConsumeTraces(t.Context(), failedStep()))
	require.NoError(t, b.logs.ConsumeLogs(t.Context(), failedEvent()))
	const trace = "01000000000000000000000000000000"
	assert.Equal(t, []map[string]any{{
		"trace_id": trace, "span_id": "0200000000000000", "parent_span_id": "0300000000000000", "level": 4.0, "name": "tasker.step.execution",
		"task_id": 42.0, "task_name": "order_processing", "step_name": "charge, \"card\"\nnow", "attempt": 2.0,
		"start": "2026-03-01T12:00:01.000000000Z", "end": "2026-03-01T12:00:02.500000000Z", "duration_seconds": 1.5,
		"status": "failure", "error_type": "Timeout::Error", "error_message": "=cmd|' /C calc'!A0", "service.name": "shop",
	}}, readObjects(t, b.cfg.path(signalTraces)))
	assert.Equal(t, []map[string]any{{
		"timestamp": "2026-03-01T12:00:09.000000000Z", "event": "step.failed", "severity": "ERROR", "body": "Step charge_card failed",
		"trace_id": trace, "step_name": "charge_card", "attempt": 3.0, "correlation_id": "tsk_1", "service.name": "shop",
		"attributes": map[string]any{"tasker.retry_limit": 5.0},
	}}, readObjects(t, b.cfg.path(signalLogs)))
}

// TestMetricsAsJSON checks that each object has the cells of the CSV row.
func TestMetricsAsJSON(t *testing.T) {
	for _, mode := range []Mode{ModeSnapshot, ModeAppend} {
		change := func(cfg *Config) { cfg.Mode, cfg.Histograms, cfg.FormulaGuard = mode, "buckets", false }
		table := start(t, change)
		lines := start(t, func(cfg *Config) {
			change(cfg)
			asJSON(cfg)
		})
		for _, e := range []*running{table, lines} {
			require.NoError(t, e.ConsumeMetrics(t.Context(), everyType()))
		}
		rows := table.read(t)
		objects := readObjects(t, lines.path)
		require.Len(t, objects, len(rows)-1)
		for i, row := range rows[1:] {
			want := map[string]any{}
			for j, cell := range row {
				column := rows[0][j]
				var number float64
				switch {
				case cell == "":
				case (column == "value" || column == "le" || column == "quantile") && json.Unmarshal([]byte(cell), &number) == nil:
					want[column] = number
				default:
					want[column] = cell
				}
			}
			assert.Equal(t, want, objects[i])
		}
	}
}

// TestChosenColumnsAsJSON checks that an object has only the configured keys, in order, and the other labels as an object.
func TestChosenColumnsAsJSON(t *testing.T) {
	e := start(t, func(cfg *Config) {
		asJSON(cfg)
		cfg.Columns = []string{"value", "name", "labels", "nothing"}
	})
	require.NoError(t, e.ConsumeMetrics(t.Context(), counter(7, 1)))
	content, err := os.ReadFile(e.path)
	require.NoError(t, err)
	assert.Equal(t, `{"value":7,"name":"tasker.task.executions","labels":{"status":"success","task_name":"order_processing"}}`+"\n", string(content))
	old, err := filepath.Glob(filepath.Join(filepath.Dir(e.path), "*-*"))
	require.NoError(t, err)
	assert.Empty(t, old)
}
