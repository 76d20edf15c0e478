// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/tasker-otel/otelcol-tasker/receiver/taskerevents/internal/metadata"
)

// BenchmarkServe measures a request from the end of its headers to its answer, without the network.
func BenchmarkServe(b *testing.B) {
	body, err := os.ReadFile("../../tests/streamtest/testdata/mixed.ndjson")
	require.NoError(b, err)
	events := bytes.Count(body, []byte{'\n'})
	r, err := newReceiver(createDefaultConfig().(*Config), receivertest.NewNopSettings(metadata.Type), consumertest.NewNop())
	require.NoError(b, err)
	handler := r.handler()
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		request := httptest.NewRequest(http.MethodPost, defaultPath, bytes.NewReader(body))
		request.Header.Set("Content-Type", "application/x-ndjson")
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, request)
		if recorder.Code != http.StatusOK {
			b.Fatal(recorder.Body)
		}
	}
	total := float64(b.N) * float64(events)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/total, "ns/event")
	b.ReportMetric(total/b.Elapsed().Seconds(), "events/s")
}
