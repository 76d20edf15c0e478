// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Losses and lagging exporters are explained, with a remedy.
func TestLossesAndExportersAreExplained(t *testing.T) {
	refused, sent := 0, 100
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, err := fmt.Fprintf(w, `# TYPE otelcol_receiver_tasker_events_refused_items_total counter
otelcol_receiver_tasker_events_refused_items_total{reason="too_large",service_name="x",otel_scope_name="y"} %d
# TYPE otelcol_processor_event_router_dropped_total counter
otelcol_processor_event_router_dropped_total{reason="duplicate"} 7
# TYPE otelcol_exporter_sent_spans_total counter
otelcol_exporter_sent_spans_total{exporter="otlp_http"} %d
otelcol_exporter_sent_spans_total{exporter="debug"} 5
# TYPE otelcol_exporter_queue_size gauge
otelcol_exporter_queue_size{exporter="otlp_http",data_type="traces"} 12
# TYPE otelcol_exporter_queue_capacity gauge
otelcol_exporter_queue_capacity{exporter="otlp_http",data_type="traces"} 1000
# TYPE otelcol_exporter_last_success_seconds gauge
otelcol_exporter_last_success_seconds{exporter="otlp_http",data_type="traces"} %d
`, refused, sent, now.Add(-4*time.Minute).Unix())
		assert.NoError(t, err)
	}))
	defer server.Close()
	s := newSite(t, func(c *Config) { c.OwnMetrics = server.URL })
	s.pages.now = func() time.Time { return now }
	text := s.page("/collector")
	require.Contains(t, text, "12 requests wait, and nothing has been sent for 4"+narrow+"m")
	require.Contains(t, text, "12 of 1,000")
	require.Contains(t, text, "Nothing: senders retry.")
	require.NotContains(t, text, "items that are not events")
	require.Contains(t, s.page("/"), "<b>otlp_http</b> (traces) 12 requests wait")

	now, refused = now.Add(time.Minute), 3
	require.Contains(t, s.page("/collector"), "items that are not events were refused")
	require.Contains(t, s.page("/"), "3 in 15 min: items that are not events were refused.")
	now = now.Add(20 * time.Minute)
	s.page("/")
	require.NotContains(t, s.page("/"), "3 in 15 min", "it is over")

	server.Close()
	now = now.Add(time.Minute)
	require.Contains(t, s.page("/collector"), "are not known")
	require.Contains(t, newSite(t, nil).page("/collector"), "set &#39;own_metrics&#39;")
}

func TestAnswersThatAreNoMetricsAreNamed(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusTeapot) }))
	defer server.Close()
	s := newSite(t, func(c *Config) { c.OwnMetrics = server.URL })
	require.Contains(t, s.page("/collector"), "answers 418")
}
