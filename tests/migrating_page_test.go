// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

const migratingPage = "../docs/migrating.md"

// planned is what a user can configure or run according to Tasker's plan. Each needs a row on the page.
var planned = strings.Fields(`
	structured_logging_enabled correlation_id_header log_level log_format metrics_enabled metrics_endpoint metrics_format
	metrics_auth_required performance_monitoring_enabled slow_query_threshold_seconds memory_threshold_mb
	bottleneck_analysis_enabled event_sampling_rate filtered_events max_stored_samples metrics_retention_hours
	retention_window export_safety_margin sync_interval cross_container_coordination atomic_operations distributed_export
	export_targets register_exporter METRICS_FORMAT VERBOSE RAILS_ENV
	tasker:export_metrics[prometheus] tasker:export_metrics[json] tasker:export_metrics[csv] tasker:export_metrics_now[prometheus]
	tasker:sync_metrics tasker:metrics_status`)

// TestMigratingPageIsComplete checks that everything a user can configure or run according to the plan has a counterpart,
// or a reason why it needs none.
func TestMigratingPageIsComplete(t *testing.T) {
	rows := migratingRows(t)
	for _, name := range planned {
		found := false
		for _, row := range rows {
			found = found || strings.Contains(row.of, "`"+name+"`")
		}
		assert.True(t, found, "no line for %s", name)
	}
}

// TestMigratingConfiguration runs the configuration of the page and checks that each of its settings has the described
// effect.
func TestMigratingConfiguration(t *testing.T) {
	t.Setenv("METRICS_PASSWORD", "secret")
	block, err := os.ReadFile(blockOf(t, migratingPage, "basicauth/metrics"))
	require.NoError(t, err)
	sink := newSink(t)
	c := start(t, sink, string(block), `
processors:
  event_router:
    routes:
      - {event: database.query_executed, sampling_rate: 1}
      - {event: step.failed, signals: [traces, metrics, logs]}
      - {event: task.start_requested, signals: [traces, metrics, logs]}
`)

	const tasks = 60
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: tasks, Seed: 16, Failures: true, Planned: true})
	c.sendNDJSON(1, streamtest.Batches(lines, batchLines))
	// Each task has a query above the threshold and one below; every second one has memory growth above its threshold.
	var slow [][]byte
	for _, task := range truth {
		for i, measured := range []string{`"duration": 0.3`, `"duration": 0.2`} {
			slow = append(slow, fmt.Appendf(nil, `{"event": "database.query_executed", "service": "shop", "occurred_at": %q,
				"payload": {"task_id": %d, "sql": "SELECT %d", %s}}`, time.Unix(0, task.End-1e6).UTC().Format(time.RFC3339Nano), task.TaskID, i, measured))
		}
		grown := 250 - 100*(task.TaskID%2)
		slow = append(slow, fmt.Appendf(nil, `{"event": "performance.slow_operation", "service": "shop", "occurred_at": %q,
			"payload": {"task_id": %d, "operation": "grow", "memory_delta_mb": %d.0}}`, time.Unix(0, task.End-1e6).UTC().Format(time.RFC3339Nano), task.TaskID, grown))
	}
	for i, line := range slow {
		slow[i] = []byte(strings.ReplaceAll(string(line), "\n", " "))
	}
	c.sendNDJSON(1, streamtest.Batches(slow, batchLines))

	scrape := func(user string) (int, string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+c.scrape+"/metrics", http.NoBody)
		require.NoError(t, err)
		if user != "" {
			request.SetBasicAuth(user, "secret")
		}
		answer, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		return answer.StatusCode, string(body)
	}
	for user, want := range map[string]int{"": http.StatusUnauthorized, "someone": http.StatusUnauthorized, "prometheus": http.StatusOK} {
		status, _ := scrape(user)
		assert.Equal(t, want, status, "metrics_auth_required, as %q", user)
	}
	await(t, 30*time.Second, "counted events", func() bool {
		_, body := scrape("prometheus")
		return strings.Contains(body, `tasker_events_total{event="performance.slow_operation"`) && strings.Contains(body, `event="step.completed"`)
	}, func() any { return c.output.tail() })
	_, body := scrape("prometheus")
	assert.NotContains(t, body, `event="step.before_handle"`, "filtered_events")
	assert.Zero(t, c.stop())

	sampled, slowQueries, spikes := map[int64]bool{}, 0, 0
	for _, span := range sink.all() {
		events := map[string]int{}
		for _, event := range span.Events {
			events[event.Name]++
		}
		spikes += events["performance.memory_spike"]
		switch span.Name {
		case "tasker.task.execution":
			id, is := span.Attributes["tasker.task_id"].(int64)
			assert.True(t, is)
			sampled[id] = true
		case "tasker.database.query":
			isSlow := span.End-span.Start > 250e6
			assert.Equal(t, isSlow, events["performance.slow_sql_query"] == 1, "slow_query_threshold_seconds: %d ns", span.End-span.Start)
			if isSlow {
				slowQueries++
			}
		}
	}
	assert.Positive(t, slowQueries)
	assert.Greater(t, len(sampled), tasks/4, "event_sampling_rate")
	assert.Less(t, len(sampled), tasks*3/4, "event_sampling_rate")
	grew := 0
	for id := range sampled {
		if id%2 == 0 {
			grew++
		}
	}
	assert.Equal(t, grew, spikes, "memory_threshold_mb")
	records := sink.allRecords()
	require.NotEmpty(t, records)
	for _, r := range records {
		assert.True(t, strings.HasPrefix(r.Body, "{"), "log_format: %s", r.Body)
		assert.NotEqual(t, "task.start_requested", r.Event, "log_level: it is information")
	}
}

// TestMigratingPush checks that the metrics arrive where the page pushes them: by OTLP, by remote write and at a
// Pushgateway.
func TestMigratingPush(t *testing.T) {
	bash, _ := peer(t, "bash"), peer(t, "curl")
	var otlp, remote, gateway atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case len(body) == 0:
		case r.URL.Path == "/otlp":
			otlp.Add(1)
		case r.URL.Path == "/write" && r.Header.Get("X-Prometheus-Remote-Write-Version") != "":
			remote.Add(1)
			w.WriteHeader(http.StatusNoContent)
		case r.URL.Path == "/metrics/job/tasker" && strings.Contains(string(body), "tasker_step_executions_total"):
			gateway.Add(1)
		}
	}))
	t.Cleanup(server.Close)
	// The intervals of the page are a minute; here the size threshold triggers sending.
	block, err := os.ReadFile(blockOf(t, migratingPage, "prometheus_remote_write"))
	require.NoError(t, err)
	t.Setenv("PUSH_ENDPOINT", server.URL+"/otlp")
	t.Setenv("REMOTE_WRITE_ENDPOINT", server.URL+"/write")
	c := start(t, newSink(t), string(block), "connectors: {span_to_metrics: {metrics_flush_interval: 500ms}}",
		"exporters: {otlp_http/metrics: {sending_queue: {batch: {min_size: 20}}}}")
	lines, _ := streamtest.Generate(streamtest.Options{Tasks: 3, Seed: 18})
	c.sendNDJSON(1, streamtest.Batches(lines, batchLines))
	await(t, time.Minute, "pushed metrics", func() bool { return otlp.Load() > 0 && remote.Load() > 0 },
		func() any { return fmt.Sprint(otlp.Load(), remote.Load(), c.output.tail()) })

	await(t, time.Minute, "finished tasks", func() bool {
		body, _ := c.scrapeText(plainText)
		return strings.Contains(string(body), "tasker_step_executions_total")
	}, func() any { return c.output.tail() })

	page, err := os.ReadFile(migratingPage)
	require.NoError(t, err)
	command := regexp.MustCompile(`(?m)^taskerotel export --format prometheus \| .*$`).FindString(string(page))
	require.NotEmpty(t, command)
	cli, err := builtCLI()
	require.NoError(t, err)
	command = strings.Replace(command, "taskerotel export", cli+" export --target http://"+c.scrape+"/metrics", 1)
	run := exec.Command(bash, "-o", "pipefail", "-c", command)
	run.Env = append(os.Environ(), "PUSHGATEWAY="+server.URL)
	out, err := run.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, int64(1), gateway.Load())
	assert.Zero(t, c.stop())
}
