// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// TestFullQueue checks that, while a destination is unavailable and its queue is full, the other exporters of the pipeline
// receive no duplicate spans; that a stop does not wait for the destination; and that everything arrives exactly when it is
// available again.
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
	assert.Contains(t, []int{0, 10}, code, named) // 10 after the destination was unavailable for a minute

	require.Zero(t, c.stop(), "while the queue is full")
	tempo.answers.Store(0)
	c.restart()
	awaitTasks(t, tempo.sink, len(truth))
	want, metrics := expected(t, lines, truth), measured()
	maps.DeleteFunc(metrics, func(name string, _ []string) bool {
		return name != "tasker_task_executions_total" && name != "tasker_step_executions_total"
	})
	want.keep(metrics)
	awaitEqual(t, "exact metrics", func() []string { return want.differences(collect(c.samples(openMetrics), metrics)) })
	assert.Zero(t, c.stop())
	equal(t, streamtest.Compare(truth, unique(t, tempo.all())))
}

// TestFullQueueOfRecords checks that, while the destination of records is unavailable and its queue is full, events are
// refused after a while and retried by their senders; the destination of traces receives no duplicate spans, and another
// one of records no duplicate records. A stop does not wait, and no acknowledged event is lost.
func TestFullQueueOfRecords(t *testing.T) {
	t.Parallel()
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 120, Seed: 96, Failures: true, SpacingMS: 10})
	tempo, loki, second := newTempo(t), newLoki(t), newLoki(t)
	// Refused events arrive late, so ended spans wait longer for missing events.
	small := filepath.Join(t.TempDir(), "small.yaml")
	require.NoError(t, os.WriteFile(small, []byte(`
processors: {span_hierarchy: {settle_timeout: 10m, reorder_window: 5s}}
exporters: {otlp_http/records: {sending_queue: {queue_size: 1}}}
`), 0o600))
	recipe := blockOf(t, recipesPage, "connectors:\n  routed_events/second:")
	c := startShipped(t, settings{files: []string{"../deploy/otelcol/standalone.yaml", recipe, small}}.with(
		"SECOND_RECORDS_ENDPOINT="+second.url+lokiLogsPath,
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+tempo.url+tracesPath, "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT="+loki.url+lokiLogsPath))

	c.send(lines[:len(lines)/2])
	// The order of a pipeline's consumers is undefined: possibly all traces wait for the records' queue.
	await(t, time.Minute, "spans before the destination of records is away", func() bool { return tempo.spanCount() > 0 }, func() any { return tempo.spanCount() })
	loki.answers.Store(http.StatusServiceUnavailable)
	var senders sync.WaitGroup
	var refused, unsent atomic.Int64
	url := "http://" + c.events + "/v1/events"
	for _, part := range halves(streamtest.Resend(streamtest.Batches(lines[len(lines)/2:], batchLines), resendEvery)) {
		senders.Go(func() {
			for _, batch := range part {
				body := bytes.Join(batch, []byte("\n"))
				err := postOnce(c.client, url, "application/x-ndjson", body)
				for deadline := time.Now().Add(3 * time.Minute); err != nil && time.Now().Before(deadline); {
					if errors.Is(err, errComeBack) {
						refused.Add(1)
					}
					time.Sleep(100 * time.Millisecond) // a sender's pause
					err = postOnce(c.client, url, "application/x-ndjson", body)
				}
				if err != nil {
					unsent.Add(1)
				}
			}
		})
	}
	pending := func() float64 { return c.ownMetric("otelcol_processor_span_hierarchy_pending_spans", "") }
	await(t, 2*time.Minute, "events that are refused again and again, and spans that wait", func() bool {
		return refused.Load() >= 4 && pending() > 0
	}, func() any { return fmt.Sprint(refused.Load(), " refused, ", pending(), " pending") })
	require.Zero(t, loki.unknown.Load())
	require.Len(t, unique(t, tempo.all()), len(tempo.all()), "spans that came again")
	assert.Zero(t, c.ownMetric("otelcol_processor_span_hierarchy_send_retries", ""), "spans were offered again")
	_, again := facts(t, second.allRecords())
	assert.Zero(t, again, "records that the other destination got again")

	require.Zero(t, c.stop(), "while requests wait for the queue")
	loki.answers.Store(0)
	c.restart()
	senders.Wait()
	require.Zero(t, unsent.Load())
	awaitTasks(t, tempo.sink, len(truth))
	for _, destination := range []*product{loki, second} {
		assert.Zero(t, awaitRecords(t, destination.sink, truth, shippedFacts()...), "records that came again")
	}
	assert.Zero(t, c.stop())
	equal(t, streamtest.Compare(truth, unique(t, tempo.all())))
}

// halves splits a list in two.
func halves[T any](all []T) [][]T { return [][]T{all[:len(all)/2], all[len(all)/2:]} }
