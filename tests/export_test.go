// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// TestExport checks that the merged metrics of two collectors with different tasks equal the truth, and that an unavailable
// collector is reported.
func TestExport(t *testing.T) {
	t.Parallel()
	tool := commandLine(t)
	sink := newSink(t)
	first, second := start(t, sink), start(t, sink)
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 60, Seed: 21, Failures: true, Planned: true})
	others, otherTruth := streamtest.Generate(streamtest.Options{Tasks: 80, Seed: 22, FirstID: 10_000, Failures: true})
	first.sendNDJSON(connections, shuffledBatches(lines, 21))
	second.sendNDJSON(connections, shuffledBatches(others, 22))
	awaitTasks(t, sink, len(truth)+len(otherTruth))

	want := expected(t, append(lines, others...), append(truth, otherTruth...))
	file := filepath.Join(t.TempDir(), "metrics.prom")
	targets := []string{"export", "-o", file, "--target", "http://" + first.scrape + "/metrics", "--target", second.scrape}
	awaitEqual(t, "exact merged metrics", func() []string {
		status, out, problems := tool.run(targets...)
		require.Zero(t, status, "%s%s", out, problems)
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		samples, err := parseSamples(text, plainText)
		require.NoError(t, err)
		return want.differences(collect(samples, measured()))
	})

	t.Run("histograms by bucket", func(t *testing.T) {
		// The buckets of the merged histogram are the sums of the buckets.
		sum := numbers{}
		buckets := map[string][]string{"tasker_step_duration_seconds_bucket": {"task_name", "step_name", "status", "le"}}
		for _, c := range []*collector{first, second} {
			for key, value := range collect(c.samples(plainText), buckets) {
				sum[key] += value
			}
		}
		require.NotEmpty(t, sum)
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		samples, err := parseSamples(text, plainText)
		require.NoError(t, err)
		assert.Empty(t, sum.differences(collect(samples, buckets)))
		for _, s := range samples {
			assert.NotContains(t, s.labels, "instance")
		}
	})
	t.Run("csv", func(t *testing.T) {
		table := filepath.Join(t.TempDir(), "metrics.csv")
		status, out, problems := tool.run(append(targets, "-o", table, "--format", "csv")...)
		require.Zero(t, status, "%s%s", out, problems)
		content, err := os.ReadFile(table)
		require.NoError(t, err)
		rows, err := csv.NewReader(strings.NewReader(string(content))).ReadAll()
		require.NoError(t, err)
		executions := 0.0
		for _, row := range rows[1:] {
			if row[1] == "tasker_task_executions_total" {
				value, err := strconv.ParseFloat(row[3], 64)
				require.NoError(t, err)
				executions += value
			}
		}
		assert.Equal(t, float64(len(truth)+len(otherTruth)), executions)
	})
	t.Run("json", func(t *testing.T) {
		status, out, _ := tool.run("export", "--format", "json", "--target", first.scrape)
		require.Zero(t, status)
		var set struct {
			Metrics []struct {
				Name   string
				Series []struct{ Value float64 }
			}
		}
		require.NoError(t, json.Unmarshal([]byte(out), &set))
		executions := 0.0
		for _, metric := range set.Metrics {
			if metric.Name == "tasker_task_executions_total" {
				for _, series := range metric.Series {
					executions += series.Value
				}
			}
		}
		assert.Equal(t, float64(len(truth)), executions)
	})

	assert.Zero(t, second.stop())
	before, err := os.ReadFile(file)
	require.NoError(t, err)
	status, _, out := tool.run(append(targets, "--backoff", "1ms", "--retries", "1")...)
	assert.Equal(t, 3, status)
	assert.Contains(t, out, "unreachable: 1 of 2 targets could not be read, nothing was written: http://"+second.scrape+"/metrics")
	assert.Contains(t, out, "connection refused (attempts: 2)")
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after))

	status, out, _ = tool.run(append(targets, "--backoff", "1ms", "--retries", "1", "--allow-partial")...)
	assert.Equal(t, 4, status)
	assert.Contains(t, out, "warning counter_backwards: ")
	assert.Contains(t, out, "instances of the last export are gone")
}
