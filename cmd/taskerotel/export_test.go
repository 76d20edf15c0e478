// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

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

	"github.com/tasker-otel/otelcol-tasker/internal/fsfile"
)

func TestExportUsage(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "targets")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for flags, want := range map[[2]string]string{
		{"--format", "xml"}:           `--format: "xml" is not known; use "prometheus"`,
		{"--target", "ftp://a"}:       "not an HTTP address",
		{"--targets-file", empty}:     "contains no target",
		{"--gauge", "x=median"}:       `--gauge: "x=median" is not NAME=POLICY`,
		{"--report", "xml"}:           `--report: "xml" is not known; use "text", "json" or "none"`,
		{"--delimiter", ";;"}:         `--delimiter: ";;" is not one character`,
		{"--header", "secret"}:        "write each one as key=value",
		{"--retries", "-1"}:           "--retries: -1 is negative",
		{"--ca-file", "no-such-file"}: "--ca-file",
		{"--config", "no-such-file"}:  "--config: reading the configuration",
	} {
		got := execute(t, "", "export", flags[0], flags[1])
		assert.Equal(t, exitUsage, got.status, flags)
		assert.Contains(t, got.err, want)
	}
	got := execute(t, "", "export", "--format", "xml", "--report", "xml", "--gauge", "x")
	assert.Contains(t, got.err, "--gauge")
	assert.Contains(t, got.err, "--report", "all at once")
}

// TestExportEnvironment checks that flags take precedence over the variables of Tasker's rake tasks.
func TestExportEnvironment(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "# TYPE x_total counter\nx_total 5\n")
	}))
	defer server.Close()
	export := func(environment map[string]string, more ...string) result {
		var out, problems bytes.Buffer
		status := run(t.Context(), append([]string{"export", "--target", server.URL}, more...),
			streams{strings.NewReader(""), &out, &problems, func(key string) string { return environment[key] }})
		return result{status, out.String(), problems.String()}
	}
	got := export(map[string]string{"METRICS_FORMAT": "json", "VERBOSE": "true"})
	assert.Equal(t, exitOK, got.status, got.err)
	assert.True(t, json.Valid([]byte(got.out)), got.out)
	assert.Contains(t, got.err, "target "+server.URL+"/metrics: 1 series, 1 attempts\n")

	got = export(map[string]string{"METRICS_FORMAT": "json", "VERBOSE": "1"}, "--format", "csv", "--verbose=false")
	assert.Equal(t, exitOK, got.status, got.err)
	assert.Contains(t, got.out, "x_total")
	assert.False(t, json.Valid([]byte(got.out)), "the flag prevails")
	assert.NotContains(t, got.err, "target ")

	got = export(map[string]string{"VERBOSE": "true"}, "--target", "http://127.0.0.1:1", "--retries", "1", "--backoff", "1ms")
	assert.Equal(t, exitUnreachable, got.status)
	assert.Regexp(t, `target http://127.0.0.1:1/metrics: .*refused.* \(attempts: 2\)`, got.err)

	for variable, want := range map[string]string{"METRICS_FORMAT": `METRICS_FORMAT: "xml" is not known; use "prometheus", "openmetrics", "json" or "csv"`,
		"VERBOSE": `VERBOSE: "xml" is not a switch; use true or false`} {
		got = export(map[string]string{variable: "xml"})
		assert.Equal(t, exitUsage, got.status)
		assert.Contains(t, got.err, want)
	}
}

func TestExportStatuses(t *testing.T) {
	value, down := 5, false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down || r.URL.Path == "/down" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = fmt.Fprintf(w, "# TYPE x_total counter\nx_total %d\n# TYPE g gauge\ng{instance=%q} 2\n", value, r.URL.Path)
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "metrics.csv")
	export := func(more ...string) result {
		return execute(t, "", append([]string{"export", "--format", "csv", "--delimiter", `\t`, "-o", file, "--target", server.URL + "/a"}, more...)...)
	}
	got := export("--target", server.URL+"/b", "--gauge", "g=max")
	assert.Equal(t, exitOK, got.status, got.err)
	assert.Contains(t, got.out, "written: 2 series of 2 metrics from 2 of 2 targets to "+file)
	table, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(table), "\tg\tgauge\t2\t")
	assert.Contains(t, string(table), "\tx_total\tcounter\t10\t")

	value = 1
	got = export("--strict", "--report", "json")
	assert.Equal(t, exitWarned, got.status)
	var report struct {
		Status   string
		ExitCode int `json:"exit_code"`
		Warnings []struct{ Code string }
	}
	require.NoError(t, json.Unmarshal([]byte(got.out), &report))
	assert.Equal(t, exitWarned, report.ExitCode)
	assert.Equal(t, "counter_backwards", report.Warnings[0].Code)

	got = export("--target", server.URL+"/down")
	assert.Equal(t, exitUnreachable, got.status)
	assert.Empty(t, got.out)
	assert.Contains(t, got.err, "unreachable: 1 of 2 targets could not be read, nothing was written: "+server.URL+"/down: answered 404")
	got = export("--target", server.URL+"/down", "--allow-partial", "--report", "none")
	assert.Equal(t, result{status: exitIncomplete}, got)

	lock, err := fsfile.TakeLock(t.Context(), file+".lock", "the other one", 0)
	require.NoError(t, err)
	got = export()
	assert.Equal(t, exitLocked, got.status)
	assert.Contains(t, got.err, "locked: another export writes "+file)
	got = export("--report", "json")
	assert.Contains(t, got.out, `"status":"locked"`, "a machine finds it where it finds the others")
	require.NoError(t, lock.Release())

	got = execute(t, "", "export", "--target", server.URL, "-o", t.TempDir())
	assert.Equal(t, exitFailed, got.status)
	assert.Contains(t, got.err, "is a directory")

	targets := filepath.Join(t.TempDir(), "targets")
	require.NoError(t, os.WriteFile(targets, []byte(server.URL+"/a\n"+server.URL+"/b\n"), 0o600))
	got = execute(t, "", "export", "--targets-file", targets)
	assert.Equal(t, exitOK, got.status)
	assert.Contains(t, got.out, "\ng 4\n", "the metrics")
	assert.Contains(t, got.err, "from 2 of 2 targets to -", "the report is apart from them")
	got = execute(t, "", "export", "--targets-file", targets, "--target", server.URL+"/c")
	assert.Contains(t, got.out, "\ng 6\n")
}

// TestExportKnowsTheExpiry checks that the expiration of series is read from the configuration.
func TestExportKnowsTheExpiry(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "# TYPE x_total counter\nx_total 1\n")
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "metrics.prom")
	export := func(more ...string) result {
		return execute(t, "", append([]string{"export", "-o", file, "--target", server.URL}, more...)...)
	}
	require.Zero(t, export().status)
	state, err := os.ReadFile(file + ".state")
	require.NoError(t, err)
	var written map[string]any
	require.NoError(t, json.Unmarshal(state, &written))
	written["exported_at"] = time.Now().Add(-2 * time.Hour)
	state, err = json.Marshal(written)
	require.NoError(t, err)
	longAgo := func() { require.NoError(t, os.WriteFile(file+".state", state, 0o600)) }

	longAgo()
	assert.NotContains(t, export("--config", "../../config.yaml").out, "warning", "it is remembered for a day")
	longAgo()
	got := export("--config", "../../config.yaml", "--config", configFile(t, "exporters: {prometheus: {metric_expiration: 1h}}"), "--strict")
	assert.Equal(t, exitWarned, got.status)
	assert.Regexp(t, `the last export was 2h0m\d+s ago, but a collector removes a series after 1h0m0s`, got.out)

	longAgo()
	assert.Contains(t, export("--config", "../../config.yaml", "--series-expiry", "90m").out, "after 1h30m0s", "the flag prevails")
}
