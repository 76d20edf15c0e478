// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// uptime is the uptime of the collector in these tests.
const uptime = "# TYPE otelcol_process_uptime counter\notelcol_process_uptime 7200\n"

func counter(name, labels string, value int) string {
	return fmt.Sprintf("# TYPE otelcol_exporter_%[1]s counter\notelcol_exporter_%[1]s{%[2]s} %[3]d\n", name, labels, value)
}

func gauge(name, labels, value string) string {
	return fmt.Sprintf("# TYPE otelcol_exporter_%[1]s gauge\notelcol_exporter_%[1]s{%[2]s} %[3]s\n", name, labels, value)
}

// exportersOf queries a collector that serves each of the texts once, and then the last one.
func exportersOf(t *testing.T, texts ...string) *Status {
	t.Helper()
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, uptime+texts[min(asked, len(texts)-1)])
		asked++
	}))
	t.Cleanup(server.Close)
	settings := DefaultSettings()
	settings.Scrape.Retries, settings.SecondReading = 0, time.Millisecond
	settings.Telemetry, settings.Health, settings.Now = server.URL, "", func() time.Time { return at }
	s, err := Read(t.Context(), settings)
	require.NoError(t, err)
	assert.Equal(t, len(texts), asked, "readings")
	return s
}

// TestFailingExporters checks that an exporter is failing from a failure to its next success, and never without work.
func TestFailingExporters(t *testing.T) {
	const loki, tempo = `exporter="otlp_http",server_address="loki"`, `exporter="otlp_http",data_type="traces"`
	failure := func(d time.Duration) string {
		return gauge("last_failure", `exporter="otlp_http",data_type="logs"`, before(d))
	}
	success := func(d time.Duration) string {
		return gauge("last_success", `exporter="otlp_http",data_type="logs"`, before(d))
	}
	failed := counter("send_failed_log_records", loki, 84)
	sent := counter("sent_log_records", loki, 16)
	queued := gauge("queue_size", tempo, "3")
	sentTraces := counter("sent_spans", `exporter="otlp_http",server_address="tempo"`, 5)
	for name, c := range map[string]struct {
		readings []string
		want     []string
	}{
		"never succeeded": {[]string{failed + failure(time.Hour)},
			[]string{"otlp_http (logs): 84 of 84 items were dropped, and nothing has been sent since"}},
		"failed after a success": {[]string{failed + sent + success(time.Hour) + failure(time.Minute)},
			[]string{"otlp_http (logs): 84 of 100 items were dropped, and nothing has been sent since"}},
		"recovered":      {[]string{failed + sent + success(time.Minute) + failure(time.Hour)}, nil},
		"a full queue":   {[]string{counter("enqueue_failed_log_records", loki, 2) + sent + success(time.Hour) + failure(time.Minute)}, []string{"otlp_http (logs): 2 of 18 items were dropped, and nothing has been sent since"}},
		"no times":       {[]string{failed}, []string{"otlp_http (logs): 84 of 84 items were dropped, and nothing has been sent since"}},
		"no times, sent": {[]string{failed + sent}, nil},
		"idle":           {[]string{sent + success(time.Hour) + gauge("queue_size", tempo, "0") + gauge("in_flight_requests", tempo, "0")}, nil},
		"retries forever": {[]string{queued, queued},
			[]string{"otlp_http (traces): 3 requests are waiting, and nothing has been sent for more than a minute"}},
		"in flight, without a queue": {[]string{gauge("in_flight_requests", tempo, "1"), gauge("in_flight_requests", tempo, "2")},
			[]string{"otlp_http (traces): 2 requests are waiting, and nothing has been sent for more than a minute"}},
		"busy":                         {[]string{queued + gauge("last_success", tempo, before(time.Second))}, nil},
		"busy again after a quiet day": {[]string{queued + sentTraces, queued + strings.Replace(sentTraces, " 5", " 6", 1)}, nil},
		"the queue emptied":            {[]string{queued, gauge("queue_size", tempo, "0")}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := exportersOf(t, c.readings...)
			assert.Equal(t, c.want, s.FailingExporters())
			assert.Equal(t, c.want == nil, s.Healthy())
			var text bytes.Buffer
			require.NoError(t, s.Write(&text))
			assert.Equal(t, c.want != nil, strings.Contains(text.String(), "FAILING"))
		})
	}
}
