// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// slowBody is a body that is sent in parts over time.
type slowBody struct {
	ctx   context.Context
	parts [][]byte
	pause time.Duration
}

func (d *slowBody) Read(p []byte) (int, error) {
	if len(d.parts) == 0 {
		return 0, io.EOF
	}
	timer := time.NewTimer(d.pause)
	defer timer.Stop()
	select {
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	case <-timer.C:
	}
	n := copy(p, d.parts[0])
	if d.parts[0] = d.parts[0][n:]; len(d.parts[0]) == 0 {
		d.parts = d.parts[1:]
	}
	return n, nil
}

// TestAttackRequestSlowerThanTheAnswer: bodies that take longer than the shipped write timeout, and longer than the read
// timeout.
func TestAttackRequestSlowerThanTheAnswer(t *testing.T) {
	if os.Getenv("TASKER_ATTACK") == "" {
		t.Skip("TASKER_ATTACK is not set: make attack sends for longer than a minute")
	}
	t.Parallel()
	sink := newSink(t)
	c := start(t, sink)
	lines, _ := streamtest.Generate(streamtest.Options{Tasks: 1, Seed: 71})
	ld, err := streamtest.ToLogs(lines, "")
	require.NoError(t, err)
	otlp, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	require.NoError(t, err)
	for name, test := range map[string]struct {
		url, contentType string
		body             []byte
		seconds, status  int
	}{
		"events":          {"http://" + c.events + "/v1/events", "application/x-ndjson", bytes.Join(lines, []byte("\n")), 40, http.StatusOK},
		"events, stalled": {"http://" + c.events + "/v1/events", "application/x-ndjson", bytes.Join(lines, []byte("\n")), 600, http.StatusRequestTimeout},
		"otlp":            {"http://" + c.otlpHTTP + "/v1/logs", "application/x-protobuf", otlp, 40, http.StatusOK},
		"otlp, stalled":   {"http://" + c.otlpHTTP + "/v1/logs", "application/x-protobuf", otlp, 600, http.StatusRequestTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			half := len(test.body) / 2
			body := &slowBody{ctx, [][]byte{test.body[:half], test.body[half:]}, time.Duration(test.seconds) * time.Second / 2}
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, test.url, body)
			require.NoError(t, err)
			request.ContentLength = int64(len(test.body))
			request.Header.Set("Content-Type", test.contentType)
			response, err := http.DefaultTransport.RoundTrip(request)
			require.NoError(t, err, "the sender hears what became of it")
			defer response.Body.Close()
			assert.Equal(t, test.status, response.StatusCode)
		})
	}
}
