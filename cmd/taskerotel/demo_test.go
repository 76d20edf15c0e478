// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tasker-otel/otelcol-tasker/internal/wire"
)

// TestDemo plays until interrupted: its events are accepted and have current times.
func TestDemo(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	began := time.Now()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		records, report := wire.NewDecoder(wire.Settings{}).Decode(body, wire.FormatNDJSON)
		assert.Empty(t, report.Refusals)
		for _, resource := range records.ResourceLogs().All() {
			for _, scope := range resource.ScopeLogs().All() {
				for _, record := range scope.LogRecords().All() {
					at := record.Timestamp().AsTime()
					assert.False(t, at.Before(began.Add(-time.Second)) || at.After(time.Now().Add(time.Second)), "%s", at)
				}
			}
		}
		assert.NoError(t, json.NewEncoder(w).Encode(map[string]any{"accepted": report.Accepted, "refused": report.Refusals}))
		interrupt()
	}))
	defer server.Close()
	var out, problems strings.Builder
	status := run(ctx, []string{"demo", "--rate", "6000", "--endpoint", server.URL}, streams{strings.NewReader(""), &out, &problems, func(string) string { return "" }})
	assert.Equal(t, exitOK, status, problems.String())
	assert.Contains(t, out.String(), "accepted ")
	assert.Contains(t, problems.String(), "playing days of 1h0m0s at "+server.URL)

	got := execute(t, "", "demo", "--day", "1s", "--rate", "0", "--service", "", "--for", "-1s")
	assert.Equal(t, exitUsage, got.status)
	for _, want := range []string{"--day: 1s is too small", "--rate: 0 is out of range", `--service: "" is not a name`, "--for: -1s is negative"} {
		assert.Contains(t, got.err, want)
	}
}
