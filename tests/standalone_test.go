// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// standaloneOverride sets the addresses of a test in the shipped configuration, and sends its spans to the sink.
const standaloneOverride = `
receivers:
  tasker_events: {endpoint: EVENTS}
  otlp: {protocols: {grpc: {endpoint: GRPC}, http: {endpoint: HTTP}}}
processors:
  event_router:
    default_signals: [traces, metrics]
    routes: [{event: database.query_executed, sampling_rate: 1}]
connectors:
  span_to_metrics: {metrics_flush_interval: 500ms}
exporters:
  prometheus: {endpoint: SCRAPE}
  otlp_grpc/sink:
    endpoint: SINK
    tls: {insecure: true}
    sending_queue: {storage: file_storage}
    retry_on_failure: {max_elapsed_time: 0s}
extensions:
  healthcheckv2: {http: {endpoint: HEALTH}}
service:
  telemetry: {metrics: {level: none, readers: []}}
  pipelines:
    traces: {exporters: [otlp_grpc/sink, span_to_metrics, routed_events]}
    logs/records: {exporters: [otlp_grpc/sink]}
`

// newStandalone returns a collector that is not started yet, and the configuration to merge over the shipped one.
func newStandalone(t *testing.T, sink *sink) (c *collector, override string) {
	free := freeAddresses(t, 5)
	c = &collector{tb: t, events: free[0], otlp: free[1], scrape: free[3], health: free[4]}
	return c, strings.NewReplacer("EVENTS", free[0], "GRPC", free[1], "HTTP", free[2], "SCRAPE", free[3], "HEALTH", free[4],
		"SINK", sink.address).Replace(standaloneOverride)
}

// bearer adds a token to each request.
type bearer struct {
	token string
	next  http.RoundTripper
}

func (b bearer) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(request)
}

// TestStandalone checks that the shipped configuration for one collector accepts events over TLS from senders with the
// token only, and that neither a crash nor a stop in the middle changes a tree or a metric.
func TestStandalone(t *testing.T) {
	t.Parallel()
	certificates := certificate(t)
	sink := newSink(t)
	c, text := newStandalone(t, sink)
	c.environment = []string{"TASKER_DATA=" + t.TempDir(), "TASKER_INSTANCE=one", "TASKER_TOKEN=secret", "TASKER_TLS=" + certificates}
	path := filepath.Join(t.TempDir(), "override.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	arguments := []string{"--config", path}
	for _, name := range []string{"tls", "secure", "standalone"} {
		arguments = append([]string{"--config", "../deploy/otelcol/" + name + ".yaml"}, arguments...)
	}
	c.launch(arguments...)

	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, MaxIdleConnsPerHost: connections}
	defer transport.CloseIdleConnections()
	stranger := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	sender := &http.Client{Transport: bearer{"secret", transport}, Timeout: 30 * time.Second}
	url := "https://" + c.events + "/v1/events"
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 200, Seed: 51, Failures: true, Planned: true})
	// Events separated by a restart are late by less than reorder_window.
	batches := streamtest.Resend(streamtest.Batches(streamtest.Shuffle(lines, 10*batchLines, 52), batchLines), resendEvery)
	send := func(batches [][][]byte) {
		var senders errgroup.Group
		senders.SetLimit(connections)
		for _, batch := range batches {
			senders.Go(func() error { return postOne(sender, url, "application/x-ndjson", bytes.Join(batch, []byte("\n"))) })
		}
		require.NoError(t, senders.Wait())
	}
	assert.ErrorContains(t, postOne(stranger, url, "application/x-ndjson", batches[0][0]), "401")
	plain := &http.Client{Timeout: 30 * time.Second}
	assert.Error(t, postOne(plain, "http://"+c.events+"/v1/events", "application/x-ndjson", batches[0][0]), "without TLS")

	third := len(batches) / 3
	send(batches[:third])
	c.kill()
	send(batches[third : 2*third])
	assert.Zero(t, c.stop())
	c = &collector{tb: t, events: c.events, otlp: c.otlp, scrape: c.scrape, health: c.health, environment: c.environment}
	c.launch(arguments...)
	send(batches[2*third:])
	// The command line resends a part of the stream, with the given certificate.
	_, port, err := net.SplitHostPort(c.events)
	require.NoError(t, err)
	again := filepath.Join(t.TempDir(), "again.ndjson")
	require.NoError(t, os.WriteFile(again, bytes.Join(batches[0], []byte("\n")), 0o600))
	tool, command := commandLine(t), []string{"send", "--endpoint", "https://localhost:" + port + "/v1/events",
		"--header", "Authorization=Bearer secret", "--retries", "0", again}
	code, out, _ := tool.run(command...)
	assert.Equal(t, 1, code)
	assert.Contains(t, out, "trust its issuer with --ca-file")
	code, out, _ = tool.run(append(command, "--ca-file", filepath.Join(certificates, "tls.crt"))...)
	assert.Zero(t, code, out)
	awaitTasks(t, sink, len(truth))

	want := expected(t, lines, truth)
	awaitEqual(t, "exact metrics", func() []string { return want.differences(collect(c.samples(openMetrics), measured())) })
	for _, s := range c.samples(openMetrics) {
		if s.name == "tasker_task_executions_total" {
			assert.Equal(t, "one", s.labels["instance"])
		}
	}
	assert.Zero(t, c.stop())
	equal(t, streamtest.Compare(truth, unique(t, sink.all())))
	once, _ := facts(t, sink.allRecords())
	equal(t, streamtest.CompareRecords(truth, once, shippedFacts()...))
}
