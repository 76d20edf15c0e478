// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStatusAndSync(t *testing.T) {
	kept, failing, health := "", 0, `{"healthy":true,"status":"StatusOK"}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" {
			_, _ = fmt.Fprint(w, health)
			return
		}
		_, _ = fmt.Fprint(w, "# TYPE otelcol_processor_span_hierarchy_open_tasks gauge\notelcol_processor_span_hierarchy_open_tasks 4\n")
		if kept != "" {
			_, _ = fmt.Fprintf(w, "# TYPE %[1]s gauge\n%[1]s %[2]d\n", kept, failing)
		}
	}))
	defer server.Close()
	show := func(more ...string) result {
		return execute(t, "", append([]string{"status", "--telemetry", server.URL, "--health", server.URL + "/health"}, more...)...)
	}
	sync := func(more ...string) result {
		return execute(t, "", append([]string{"sync", "--telemetry", server.URL}, more...)...)
	}

	got := show("--json")
	assert.Equal(t, exitOK, got.status, got.err)
	assert.True(t, json.Valid([]byte(got.out)))
	got = show()
	assert.Contains(t, got.out, "4, with 0 events")
	got = sync()
	assert.Equal(t, exitMemoryOnly, got.status)
	assert.Contains(t, got.err, "span_hierarchy keep their state in memory only: give them storage")
	assert.Equal(t, exitOK, sync("--allow-memory").status)

	kept = "otelcol_processor_span_hierarchy_storage_failing"
	assert.Equal(t, exitOK, sync().status)
	assert.Equal(t, exitOK, sync("--directory", t.TempDir(), "--json").status)
	got = sync("--directory", "no-such-directory")
	assert.Equal(t, exitFailed, got.status)
	assert.Contains(t, got.err, "no-such-directory was not flushed")
	failing = 1
	got = sync()
	assert.Equal(t, exitNotStored, got.status)
	assert.Contains(t, got.err, "the latest write of span_hierarchy failed")
	assert.Equal(t, exitUnhealthy, show().status)
	failing, health = 0, `{"healthy":false,"status":"StatusPermanentError"}`
	assert.Equal(t, exitUnhealthy, show().status)
	health = "nonsense"
	assert.Equal(t, exitUnreachable, show().status)

	got = execute(t, "", "sync", "--telemetry", "http://127.0.0.1:1", "--retries", "0")
	assert.Equal(t, exitUnreachable, got.status)
	assert.Contains(t, got.err, "the collector could not be queried")
	assert.Contains(t, got.err, "check that it is running")
	assert.Empty(t, got.out)
	got = execute(t, "", "status", "--telemetry", "http://127.0.0.1:1", "--retries", "0", "--json")
	var said struct{ Error string }
	require.NoError(t, json.Unmarshal([]byte(got.out), &said))
	assert.Contains(t, said.Error, "connection refused")
	for _, command := range []string{"sync", "status"} {
		require.Equal(t, exitUsage, execute(t, "", command, "--telemetry", "ftp://x").status)
		require.Equal(t, exitUsage, execute(t, "", command, "--header", "x").status)
		require.Equal(t, exitUsage, execute(t, "", command, "extra").status)
	}
}
