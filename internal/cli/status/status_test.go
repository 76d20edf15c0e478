// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/ownmetrics"
)

// at is the time of the tests.
var at = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// before returns a time before at, in the format of a metric.
func before(d time.Duration) string { return fmt.Sprintf("%f", float64(at.Add(-d).UnixNano())/1e9) }

func memoryOnly() string {
	return `# TYPE otelcol_process_uptime counter
otelcol_process_uptime 3723.5
# TYPE otelcol_process_memory_rss gauge
otelcol_process_memory_rss 5.8e7
# TYPE otelcol_processor_event_router_known_events gauge
otelcol_processor_event_router_known_events 30
# TYPE otelcol_processor_span_hierarchy_open_tasks gauge
otelcol_processor_span_hierarchy_open_tasks 2
# TYPE otelcol_processor_span_hierarchy_held_events gauge
otelcol_processor_span_hierarchy_held_events 31
# TYPE otelcol_processor_span_hierarchy_events_dropped counter
otelcol_processor_span_hierarchy_events_dropped{reason="stray"} 6
otelcol_processor_span_hierarchy_events_dropped{reason="late"} 0
# TYPE otelcol_processor_event_router_kept counter
otelcol_processor_event_router_kept 90
# TYPE otelcol_connector_span_to_metrics_series gauge
otelcol_connector_span_to_metrics_series{otel_scope_name="x"} 130
# TYPE otelcol_connector_span_to_metrics_last_flush gauge
otelcol_connector_span_to_metrics_last_flush ` + before(2*time.Second) + `
# TYPE otelcol_exporter_tasker_csv_last_write gauge
otelcol_exporter_tasker_csv_last_write{signal="metrics"} ` + before(time.Hour) + `
otelcol_exporter_tasker_csv_last_write{signal="traces"} ` + before(3*time.Minute) + `
# TYPE otelcol_exporter_queue_size gauge
otelcol_exporter_queue_size{exporter="otlp",data_type="traces"} 7
# TYPE otelcol_exporter_queue_capacity gauge
otelcol_exporter_queue_capacity{exporter="otlp",data_type="traces"} 1000
# TYPE otelcol_exporter_sent_spans counter
otelcol_exporter_sent_spans{exporter="otlp",server_address="tempo"} 40
# TYPE otelcol_exporter_last_success gauge
otelcol_exporter_last_success{exporter="otlp",data_type="traces"} ` + before(4*time.Second) + `
# TYPE target_info gauge
target_info{service_instance_id="i-1",service_name="otelcol-tasker",service_version="0.1.0"} 1
`
}

// withStorage adds a storage to each stateful component. The names have the suffixes of the collector's reader.
func withStorage(failing int) string {
	text := memoryOnly()
	for _, prefix := range []string{"processor_event_router_", "processor_span_hierarchy_", "connector_span_to_metrics_"} {
		text += fmt.Sprintf(`# TYPE otelcol_%[1]sstorage_failing gauge
otelcol_%[1]sstorage_failing %[3]d
# TYPE otelcol_%[1]sstorage_bytes gauge
otelcol_%[1]sstorage_bytes 2048
# TYPE otelcol_%[1]sstorage_failures counter
otelcol_%[1]sstorage_failures_total 3
# TYPE otelcol_%[1]sstorage_last_commit_seconds gauge
otelcol_%[1]sstorage_last_commit_seconds %[2]s
`, prefix, before(90*time.Second), failing)
	}
	return text
}

const healthy = `{"healthy":true,"status":"StatusOK","components":{"extensions":{"healthy":true,"status":"StatusOK"},
"pipeline:traces":{"healthy":true,"status":"StatusOK","components":{"exporter:debug":{"healthy":true,"status":"StatusOK"}}}}}`

const unhealthy = `{"healthy":false,"status":"StatusRecoverableError","components":{"pipeline:traces":{"healthy":false,
"status":"StatusRecoverableError","components":{"exporter:otlp":{"healthy":false,"status":"StatusRecoverableError","error":"no route to host"}}}}}`

// collector returns a fake collector.
func collector(t *testing.T, telemetry string, code int, health string) Settings {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health/status" {
			assert.True(t, r.URL.Query().Has("verbose"))
			w.WriteHeader(code)
			_, _ = fmt.Fprint(w, health)
			return
		}
		_, _ = fmt.Fprint(w, telemetry)
	}))
	t.Cleanup(server.Close)
	s := DefaultSettings()
	s.Scrape.Retries = 0
	s.Telemetry, s.Health = server.URL+"/metrics", server.URL+"/health/status"
	s.Now = func() time.Time { return at }
	return s
}

func TestRead(t *testing.T) {
	s, err := Read(t.Context(), collector(t, memoryOnly(), 200, healthy))
	require.NoError(t, err)
	assert.True(t, s.Healthy())
	assert.Equal(t, "0.1.0", s.Version)
	assert.Equal(t, "i-1", s.Instance)
	assert.Equal(t, at.Add(-3723500*time.Millisecond), s.StartedAt)
	assert.Equal(t, Work{OpenTasks: 2, HeldEvents: 31, KnownEvents: 30, Series: 130}, s.Work)
	assert.Equal(t, []Loss{{"processor_span_hierarchy_events_dropped", map[string]string{"reason": "stray"}, 6}}, s.Losses)
	require.Len(t, s.Exporters, 1)
	assert.Equal(t, ownmetrics.Exporter{Exporter: "otlp", Signal: "traces", Sent: 40, QueueSize: 7, QueueCapacity: 1000, LastSuccess: s.Exporters[0].LastSuccess},
		s.Exporters[0].Exporter)
	assert.WithinDuration(t, at.Add(-3*time.Minute), s.LastTableWrite, time.Millisecond)
	require.Len(t, s.State, 3)
	for _, state := range s.State {
		assert.False(t, state.Storage)
	}

	var text, line bytes.Buffer
	require.NoError(t, s.Write(&text))
	for _, want := range []string{
		"otelcol-tasker 0.1.0, up 1h2m, OK", "instance i-1, memory 55.3 MiB", "traces      OK",
		"span_hierarchy (open tasks)  memory only", "a stop emits open tasks as incomplete, a crash loses them",
		"2, with 31 events in 0 B", "flush of metrics  2s ago", "write of a table  3m0s ago", "otlp      traces  40    0       7 of 1000  4s ago",
		"processor_span_hierarchy_events_dropped  reason=stray  6",
	} {
		assert.Contains(t, text.String(), want)
	}
	require.NoError(t, json.NewEncoder(&line).Encode(s))
	assert.Contains(t, line.String(), `"open_tasks":2`)
}

func TestUnhealthy(t *testing.T) {
	s, err := Read(t.Context(), collector(t, withStorage(0), 503, unhealthy))
	require.NoError(t, err)
	assert.False(t, s.Healthy())
	assert.Equal(t, []Pipeline{{"traces", false, "RecoverableError", []string{"exporter:otlp: no route to host"}}}, s.Health.Pipelines)
	var text bytes.Buffer
	require.NoError(t, s.Write(&text))
	assert.Contains(t, text.String(), "RecoverableError; exporter:otlp: no route to host")
	assert.Contains(t, text.String(), "storage  2.0 KiB  1m30s ago    a stop, a crash and kill -9")

	s, err = Read(t.Context(), collector(t, withStorage(1), 200, healthy))
	require.NoError(t, err)
	assert.False(t, s.Healthy(), "state that can't be written is no health")
	text.Reset()
	require.NoError(t, s.Write(&text))
	assert.Contains(t, text.String(), "LATEST WRITE FAILED")
}

func TestNotAsked(t *testing.T) {
	settings := collector(t, memoryOnly(), 404, "")
	s, err := Read(t.Context(), settings)
	require.NoError(t, err)
	assert.Nil(t, s.Health)
	assert.Contains(t, s.HealthError, "404")
	settings.Health = settings.Telemetry
	s, err = Read(t.Context(), settings)
	require.NoError(t, err)
	assert.Contains(t, s.HealthError, "does not respond with the status of healthcheckv2")
	settings.Health = ""
	s, err = Read(t.Context(), settings)
	require.NoError(t, err)
	assert.Empty(t, s.HealthError)

	var unreachable *UnreachableError
	_, err = Read(t.Context(), collector(t, "# TYPE tasker_events_total counter\ntasker_events_total 1\n", 200, healthy))
	require.ErrorAs(t, err, &unreachable)
	require.ErrorContains(t, err, "not that of the exporter prometheus")
	_, err = Read(t.Context(), collector(t, "<html>", 200, healthy))
	require.ErrorAs(t, err, &unreachable)
	settings.Telemetry = "http://127.0.0.1:1"
	_, err = Read(t.Context(), settings)
	require.ErrorAs(t, err, &unreachable)

	for _, wrong := range []string{"ftp://x", "dns+http://collectors:8888"} { // the second is for several collectors
		settings.Telemetry = wrong
		_, err = Read(t.Context(), settings)
		require.ErrorContains(t, err, "--telemetry: ")
	}
	settings = collector(t, memoryOnly(), 200, healthy)
	settings.Health = "localhost"
	s, err = Read(t.Context(), settings)
	require.NoError(t, err)
	assert.Contains(t, s.HealthError, "--health")
}

func TestLastExport(t *testing.T) {
	settings := collector(t, memoryOnly(), 200, healthy)
	settings.Exported = filepath.Join(t.TempDir(), "metrics.csv")
	s, err := Read(t.Context(), settings)
	require.NoError(t, err)
	assert.Zero(t, s.LastExport)
	assert.Equal(t, "never, to "+settings.Exported, s.ExportError, "a wrong name must not look like a good one")
	require.NoError(t, os.WriteFile(settings.Exported+".state", []byte(`{"version":1,"exported_at":"2026-06-01T11:55:00Z"}`), 0o600))
	s, err = Read(t.Context(), settings)
	require.NoError(t, err)
	var text bytes.Buffer
	require.NoError(t, s.Write(&text))
	assert.Contains(t, text.String(), "export            5m0s ago")
	require.NoError(t, os.WriteFile(settings.Exported+".state", []byte(`{`), 0o600))
	s, err = Read(t.Context(), settings)
	require.NoError(t, err)
	assert.Contains(t, s.ExportError, "damaged")
}

func TestDurability(t *testing.T) {
	directory := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(directory, "below"), 0o755))
	for _, name := range []string{"a", "below/b"} {
		require.NoError(t, os.WriteFile(filepath.Join(directory, name), []byte("state"), 0o600))
	}
	d, err := CheckDurability(t.Context(), collector(t, withStorage(0), 200, healthy), []string{directory})
	require.NoError(t, err)
	assert.Empty(t, d.Failing())
	assert.Empty(t, d.MemoryOnly())
	assert.Equal(t, 2, d.Files)
	assert.Equal(t, at, d.AsOf)
	var text bytes.Buffer
	require.NoError(t, d.Write(&text))
	assert.Equal(t, 3, strings.Count(text.String(), "everything acknowledged is stored as of 2026-06-01T12:00:00Z (2.0 KiB, last write 2026-06-01T11:58:30Z)"))
	assert.Contains(t, text.String(), "2 files flushed")

	d, err = CheckDurability(t.Context(), collector(t, withStorage(1), 200, healthy), nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"event_router", "span_hierarchy", "span_to_metrics"}, d.Failing())
	text.Reset()
	require.NoError(t, d.Write(&text))
	assert.Contains(t, text.String(), "the latest write failed (3 in total): data received since 2026-06-01T11:58:30Z is not acknowledged and not stored")

	d, err = CheckDurability(t.Context(), collector(t, memoryOnly(), 200, healthy), nil)
	require.NoError(t, err)
	assert.Len(t, d.MemoryOnly(), 3)

	_, err = CheckDurability(t.Context(), collector(t, "# TYPE otelcol_process_uptime counter\notelcol_process_uptime 1\n", 200, healthy), nil)
	require.ErrorIs(t, err, ErrStateless)
	_, err = CheckDurability(t.Context(), collector(t, withStorage(0), 200, healthy), []string{filepath.Join(directory, "missing")})
	require.ErrorContains(t, err, "was not flushed to disk")
}

func TestUnits(t *testing.T) {
	for s, want := range map[float64]string{-1: "0s", 0.25: "300ms", 59: "59s", 61: "1m1s", 3723: "1h2m", 200_000: "2d7h"} {
		assert.Equal(t, want, seconds(s))
	}
	for n, want := range map[int64]string{5: "5 B", 1536: "1.5 KiB", 3 << 20: "3.0 MiB", 5 << 30: "5.0 GiB"} {
		assert.Equal(t, want, size(n))
	}
}
