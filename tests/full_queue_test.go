// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// TestFullQueue: while a destination is away and the queue to it is full, the other exporters of the pipeline get no span
// twice; a stop does not wait for the destination; and when it is back everything arrives and every number is exact.
func TestFullQueue(t *testing.T) {
	t.Parallel()
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 150, Seed: 95, Failures: true, SpacingMS: 10})
	small := filepath.Join(t.TempDir(), "small.yaml")
	require.NoError(t, os.WriteFile(small, []byte("exporters: {otlp_http/traces: {sending_queue: {queue_size: 1}}}\n"), 0o600))
	tempo := newTempo(t)
	tempo.answers.Store(http.StatusServiceUnavailable)
	c := startShipped(t, settings{files: []string{"../deploy/otelcol/standalone.yaml", small}}.with(
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+tempo.url+tracesPath, "TASKER_RECORDS_EXPORTER=debug/records"))
	pending := func() float64 { return c.ownMetric("otelcol_processor_span_hierarchy_pending_spans", "") }
	half := len(lines) / 2
	c.send(lines[:half])
	await(t, time.Minute, "spans that wait for the queue", func() bool {
		return pending() > 0 && c.ownMetric("otelcol_exporter_queue_size", "otlp_http/traces") >= 1
	}, func() any { return pending() })
	c.send(lines[half:])
	assert.Zero(t, c.ownMetric("otelcol_processor_span_hierarchy_send_retries", ""), "spans were offered again")
	assert.Zero(t, c.ownMetric("otelcol_connector_span_to_metrics_skipped", "duplicate"), "spans came again")
	code, named := c.status(t)
	assert.Contains(t, []int{0, 10}, code, named) // 10 when the destination has been away for a minute

	require.Zero(t, c.stop(), "while the queue is full")
	tempo.answers.Store(0)
	c.restart()
	awaitTasks(t, tempo.sink, len(truth))
	want, metrics := expected(t, lines, truth), measured()
	for name := range metrics {
		if !strings.HasPrefix(name, "tasker_task_executions") && !strings.HasPrefix(name, "tasker_step_executions") {
			delete(metrics, name)
		}
	}
	for key := range want {
		if name, _, _ := strings.Cut(key, "{"); metrics[name] == nil {
			delete(want, key)
		}
	}
	var differ []string
	await(t, time.Minute, "exact metrics", func() bool {
		differ = want.differences(collect(c.samples(openMetrics), metrics))
		return len(differ) == 0
	}, func() any { return strings.Join(differ[:min(10, len(differ))], "\n") })
	assert.Zero(t, c.stop())
	equal(t, streamtest.Compare(truth, unique(t, tempo.all())))
}
