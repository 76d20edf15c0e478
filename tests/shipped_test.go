// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// nextHost counts the loopback addresses of shipped configurations: their ports are fixed, so each collector listens on a
// separate address.
var nextHost atomic.Int64

// newHost returns an unused loopback address, provided that no two processes count alike.
func newHost(t *testing.T) string {
	t.Helper()
	n := nextHost.Add(1)
	host := fmt.Sprintf("127.%d.%d.%d", 1+os.Getpid()/250%250, 1+os.Getpid()%250, n)
	listener, err := net.Listen("tcp", host+":4319")
	if err != nil {
		t.Skipf("needs addresses in 127.0.0.0/8: %v", err)
	}
	require.NoError(t, listener.Close())
	return host
}

// shipped is a collector that runs a deployment unchanged.
type shipped struct {
	*collector
	host, data string
	client     *http.Client
	scheme     string
}

// startShipped runs the unchanged configurations of a deployment. The environment sets addresses, directories and names.
func startShipped(t *testing.T, s settings) *shipped {
	t.Helper()
	host := newHost(t)
	c := &shipped{
		collector: &collector{
			tb: t, events: host + ":4319", otlp: host + ":4317", otlpHTTP: host + ":4318", scrape: host + ":8889", health: host + ":13133",
		},
		host: host, data: t.TempDir(), scheme: "http",
	}
	s = s.with("TASKER_HOST="+host, "TASKER_DATA="+c.data, "TASKER_INSTANCE="+strings.ReplaceAll(t.Name(), "/", "-"), "TASKER_TOKEN=secret")
	transport := &http.Transport{MaxIdleConnsPerHost: connections, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(transport.CloseIdleConnections)
	c.client = &http.Client{Transport: bearer{"secret", transport}, Timeout: 30 * time.Second}
	var arguments []string
	for _, file := range s.files {
		path, err := filepath.Abs(file)
		require.NoError(t, err)
		arguments = append(arguments, "--config", path)
		if filepath.Base(file) == "tls.yaml" {
			c.scheme = "https"
			s = s.with("TASKER_TLS=" + certificate(t))
		}
	}
	command := exec.Command(binary, arguments...)
	command.Dir = c.data // for ./data in config.yaml
	command.Env = os.Environ()
	for name, value := range s.environment {
		command.Env = append(command.Env, name+"="+value)
	}
	c.launchAs(command)
	return c
}

// restart restarts the stopped collector.
func (c *shipped) restart() {
	c.tb.Helper()
	again := exec.Command(c.cmd.Path, c.cmd.Args[1:]...)
	again.Dir, again.Env = c.cmd.Dir, c.cmd.Env
	c.collector = &collector{
		tb: c.tb, events: c.events, otlp: c.otlp, otlpHTTP: c.otlpHTTP, scrape: c.scrape, health: c.health,
	}
	c.launchAs(again)
}

// send posts a stream as applications do: over several connections, in any order, and partly repeated.
func (c *shipped) send(lines [][]byte) {
	c.tb.Helper()
	var senders errgroup.Group
	senders.SetLimit(connections)
	for _, batch := range shuffledBatches(lines, 81) {
		senders.Go(func() error {
			return postOne(c.client, c.scheme+"://"+c.events+"/v1/events", "application/x-ndjson", bytes.Join(batch, []byte("\n")))
		})
	}
	require.NoError(c.tb, senders.Wait())
}

// status returns the exit status of `taskerotel status`, and the exporters that it names.
func (c *shipped) status(t *testing.T) (code int, named string) {
	t.Helper()
	code, _, named = commandLine(t).run("status", "--telemetry", "http://"+c.host+":8888/metrics", "--health", "http://"+c.health+"/health/status")
	return code, named
}

// ownMetric returns the sum of an internal metric over the series whose labels contain a text.
func (c *shipped) ownMetric(name, label string) float64 {
	own := &collector{tb: c.tb, scrape: c.host + ":8888"}
	sum := 0.0
	for _, s := range own.samples("") {
		if s.name == name && strings.Contains(fmt.Sprint(s.labels), label) {
			sum += s.value
		}
	}
	return sum
}

// wantRecords returns the number of records of a stream in a shipped configuration: one per start, failed attempt, failed
// task and backoff.
func wantRecords(t *testing.T, lines [][]byte, truth []streamtest.Task) int {
	t.Helper()
	counts, err := streamtest.CountEvents(lines)
	require.NoError(t, err)
	sum := len(truth) + counts[lifecycle.ObservabilityStepBackoff]
	for i := range truth {
		if truth[i].Status == streamtest.OutcomeError {
			sum++
		}
		for _, a := range truth[i].Attempts() {
			if a.Status == streamtest.OutcomeError {
				sum++
			}
		}
	}
	return sum
}

// recordsIn counts the records in a collector's log: each has a line with this attribute once.
func recordsIn(log string) int { return strings.Count(log, " "+lifecycle.AttrEntityType+"=") }

// TestShipped starts each deployment as shipped, with destinations that respond like the products it names. Everything
// acknowledged arrives at its destination, and status is healthy.
func TestShipped(t *testing.T) {
	t.Parallel()
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 60, Seed: 80, Failures: true})
	standalone := settings{files: []string{"../deploy/otelcol/standalone.yaml"}}
	defaults := settings{files: []string{"../config.yaml"}}
	sendOn := settings{files: []string{"../config.yaml", "../examples/send-on.yaml"}}
	started := map[string]bool{}
	for name, c := range map[string]struct {
		settings func(t *testing.T) settings
		// traces and records are the destinations; nil is the collector's log.
		traces, records func(testing.TB) *product
		// both is one destination for both.
		both func(testing.TB) *product
	}{
		"compose": {settings: func(t *testing.T) settings { return composed(t, "compose.yaml") }},
		"compose with Tempo and Loki": {
			settings: func(t *testing.T) settings { return composed(t, "compose.yaml", "compose.traces.yaml") },
			traces:   newTempo, records: newLoki,
		},
		"kubernetes": {settings: kubernetes, traces: newTempo},
		"systemd":    {settings: func(t *testing.T) settings { return systemd(t) }},
		"systemd with Tempo and Loki": {settings: func(t *testing.T) settings {
			return systemd(t, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT")
		}, traces: newTempo, records: newLoki},
		"standalone to one backend":    {settings: func(*testing.T) settings { return standalone }, both: newBackend},
		"standalone to a slow backend": {settings: func(*testing.T) settings { return standalone }, both: newSlowBackend},
		"standalone to Tempo and Loki": {settings: func(*testing.T) settings { return standalone }, traces: newTempo, records: newLoki},
		"standalone over TLS, with token": {settings: func(*testing.T) settings {
			return settings{files: append(standalone.files, "../deploy/otelcol/secure.yaml", "../deploy/otelcol/tls.yaml")}
		}, both: newBackend},
		"default": {settings: func(*testing.T) settings { return defaults }},
		"default, durable": {
			settings: func(*testing.T) settings { return settings{files: append(defaults.files, "../examples/durable.yaml")} },
		},
		"default, sent on to one backend":    {settings: func(*testing.T) settings { return sendOn }, both: newBackend},
		"default, sent on to Tempo and Loki": {settings: func(*testing.T) settings { return sendOn }, traces: newTempo, records: newLoki},
		"standalone with tail sampling": {settings: func(*testing.T) settings {
			return settings{files: append(slices.Clone(standalone.files), "../examples/tail-sampling.yaml")}.with("TASKER_SAMPLING_PERCENTAGE=100")
		}, traces: newTempo, records: newLoki},
		"default, sent on to Tempo alone": {
			settings: func(*testing.T) settings { return sendOn.with("TASKER_RECORDS_EXPORTER=debug/records") }, traces: newTempo,
		},
	} {
		for _, file := range c.settings(t).files {
			started[file] = true
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := c.settings(t)
			var traces, records *product
			// The addresses that deployments ship, and variables for those that users must set.
			if c.traces != nil {
				traces = c.traces(t)
				s = s.addressed(map[string]string{
					"http://tempo:4318": traces.url, "http://tempo.monitoring.svc:4318": traces.url, "http://localhost:4328": traces.url,
				})
				if s.environment["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] == "" {
					s = s.with("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=" + traces.url + tracesPath)
				}
			}
			if c.records != nil {
				records = c.records(t)
				s = s.addressed(map[string]string{"http://loki:3100": records.url, "http://localhost:3100": records.url})
				if s.environment["OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"] == "" {
					s = s.with("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=" + records.url + lokiLogsPath)
				}
			}
			if c.both != nil {
				traces = c.both(t)
				records = traces
				s = s.with("OTEL_EXPORTER_OTLP_ENDPOINT=" + traces.url)
			}
			collector := startShipped(t, s)
			collector.send(lines)
			collector.awaitOutputs(t, traces, records, truth, wantRecords(t, lines, truth))
			code, named := collector.status(t)
			assert.Zero(t, code, named)
			assert.Empty(t, named)
			assert.Zero(t, collector.stop())
		})
	}
	for _, pattern := range []string{"../config.yaml", "../examples/*.yaml", "../deploy/otelcol/*.yaml"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			// These are started by TestTwoTiers and TestJSONRecords.
			elsewhere := []string{"kustomization.yaml", "agent.yaml", "gateway.yaml", "json-records.yaml"}
			if !slices.Contains(elsewhere, filepath.Base(file)) {
				assert.True(t, started[file], "%s is started by no test", file)
			}
		}
	}
}

// awaitOutputs waits for all spans and records, and compares the spans with the truth. Logged ones are only counted.
func (c *shipped) awaitOutputs(t *testing.T, traces, records *product, truth []streamtest.Task, wantRecords int) {
	t.Helper()
	if traces != nil {
		awaitTasks(t, traces.sink, len(truth))
	} else {
		await(t, time.Minute, "traces in the log", func() bool {
			return c.ownMetric("otelcol_processor_span_hierarchy_open_tasks", "") == 0 && c.ownMetric("otelcol_exporter_sent_spans", "debug") > 0
		}, func() any { return c.output.tail() })
		assert.Contains(t, c.output.String(), "\tTraces\t")
	}
	got := func() int {
		if records == nil {
			return recordsIn(c.output.String())
		}
		return len(records.allRecords())
	}
	await(t, time.Minute, "records", func() bool { return got() >= wantRecords }, func() any { return got() })
	assert.Equal(t, wantRecords, got(), "records")
	if records != nil {
		once, again := facts(t, records.allRecords())
		assert.Zero(t, again)
		equal(t, streamtest.CompareRecords(truth, once, shippedFacts()...))
	}
	if traces == nil {
		return
	}
	equal(t, streamtest.Compare(truth, unique(t, traces.all())))
	assert.Zero(t, traces.unknown.Load(), "requests for a path that it has not")
	if records != nil {
		assert.Zero(t, records.unknown.Load(), "requests for a path that it has not")
	}
}

// TestShippedTiers does the same for agent and gateway, with a broker between them.
func TestShippedTiers(t *testing.T) {
	t.Parallel()
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 60, Seed: 82, Failures: true})
	brokers := "KAFKA_BROKERS=" + startBroker(t).address
	tempo, loki := newTempo(t), newLoki(t)
	gateway := startShipped(t, settings{files: []string{"../deploy/otelcol/gateway.yaml"}}.with(brokers,
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+tempo.url+tracesPath, "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT="+loki.url+lokiLogsPath))
	agent := startShipped(t, settings{files: []string{"../deploy/otelcol/agent.yaml", "../deploy/otelcol/secure.yaml"}}.with(brokers))
	agent.send(lines)
	gateway.awaitOutputs(t, tempo, loki, truth, wantRecords(t, lines, truth))
	for _, c := range []*shipped{agent, gateway} {
		code, named := c.status(t)
		assert.Zero(t, code, named)
		assert.Zero(t, c.stop())
	}
}

// TestShippedSaysWhatIsLost checks that a destination that rejects a signal, or that is unavailable, is named by status and
// counted in the alerts' metrics, and that nothing else is lost.
func TestShippedSaysWhatIsLost(t *testing.T) {
	t.Parallel()
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 40, Seed: 83, Failures: true})
	records := wantRecords(t, lines, truth)
	standalone := settings{files: []string{"../deploy/otelcol/standalone.yaml"}}
	const failedSpans, failedRecords = "otelcol_exporter_send_failed_spans", "otelcol_exporter_send_failed_log_records"

	t.Run("one endpoint, and it is Tempo", func(t *testing.T) {
		t.Parallel()
		tempo := newTempo(t)
		c := startShipped(t, standalone.with("OTEL_EXPORTER_OTLP_ENDPOINT="+tempo.url))
		c.send(lines)
		awaitTasks(t, tempo.sink, len(truth))
		await(t, time.Minute, "count of all lost records", func() bool { return c.ownMetric(failedRecords, "otlp_http/records") == float64(records) },
			func() any { return c.ownMetric(failedRecords, "otlp_http/records") })
		code, named := c.status(t)
		assert.Equal(t, 10, code)
		assert.Contains(t, named, "exporter otlp_http/records (logs): ")
		assert.NotContains(t, named, "otlp_http/traces")
		equal(t, streamtest.Compare(truth, unique(t, tempo.all())))
		assert.Zero(t, c.ownMetric(failedSpans, ""))
		assert.Zero(t, c.stop())
	})

	t.Run("a server that knows no OTLP", func(t *testing.T) {
		t.Parallel()
		c := startShipped(t, standalone.with("OTEL_EXPORTER_OTLP_ENDPOINT="+newPlainWebServer(t).url))
		c.send(lines)
		await(t, time.Minute, "count of everything lost", func() bool {
			return c.ownMetric(failedRecords, "otlp_http/records") == float64(records) &&
				c.ownMetric("otelcol_processor_span_hierarchy_open_tasks", "") == 0 &&
				c.ownMetric(failedSpans, "otlp_http/traces") == c.ownMetric("otelcol_processor_span_hierarchy_spans", "")
		}, func() any { return c.ownMetric(failedSpans, "otlp_http/traces") })
		code, named := c.status(t)
		assert.Equal(t, 10, code)
		assert.Contains(t, named, "exporter otlp_http/records (logs): ")
		assert.Contains(t, named, "exporter otlp_http/traces (traces): ")
		assert.Zero(t, c.stop())
	})

	t.Run("a destination that recovers", func(t *testing.T) {
		t.Parallel()
		more, moreTruth := streamtest.Generate(streamtest.Options{Tasks: 20, Seed: 84, Failures: true, FirstID: 10_000})
		tempo, loki := newTempo(t), newLoki(t)
		loki.answers.Store(http.StatusNotFound)
		c := startShipped(t, standalone.with("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+tempo.url+tracesPath,
			"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT="+loki.url+lokiLogsPath))
		c.send(lines)
		await(t, time.Minute, "count of the lost", func() bool { return c.ownMetric(failedRecords, "") == float64(records) }, func() any { return c.ownMetric(failedRecords, "") })
		code, _ := c.status(t)
		assert.Equal(t, 10, code)
		loki.answers.Store(0)
		c.send(more)
		awaitTasks(t, tempo.sink, len(truth)+len(moreTruth))
		others := wantRecords(t, more, moreTruth)
		await(t, time.Minute, "the other records", func() bool { return len(loki.allRecords()) == others }, func() any { return len(loki.allRecords()) })
		code, named := c.status(t)
		assert.Zero(t, code, "it has succeeded since: %s", named)
		assert.Zero(t, c.stop())
	})

	t.Run("a destination that is away", func(t *testing.T) {
		t.Parallel()
		tempo, loki := newTempo(t), newLoki(t)
		loki.answers.Store(http.StatusServiceUnavailable)
		c := startShipped(t, standalone.with("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="+tempo.url+tracesPath,
			"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT="+loki.url+lokiLogsPath))
		c.send(lines)
		awaitTasks(t, tempo.sink, len(truth))
		assert.Positive(t, c.ownMetric("otelcol_exporter_queue_size", "otlp_http/records"), "what waits is what the alert looks at")
		loki.answers.Store(0)
		await(t, time.Minute, "all records", func() bool { return len(loki.allRecords()) == records }, func() any { return len(loki.allRecords()) })
		assert.Zero(t, c.stop())
	})
}
