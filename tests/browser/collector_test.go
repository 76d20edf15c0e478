// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const streams = "../streamtest/testdata/"

// override sets the addresses of a test's collector; everything else is from config.yaml.
const override = `
receivers:
  tasker_events: {endpoint: %[1]s}
  otlp: {protocols: {grpc: {endpoint: %[2]s}, http: {endpoint: %[3]s}}}
exporters:
  prometheus: {endpoint: %[4]s}
  tasker_csv: {path: %[5]s}
extensions:
  healthcheckv2: {http: {endpoint: %[6]s}}
  tasker_pages:
    endpoint: %[7]s
    own_metrics: http://127.0.0.1:%[8]s/metrics
    links: [{name: Trace in Tempo, url: "https://tempo.example.com/trace/{trace_id}"}]
service:
  telemetry:
    metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: %[8]s}}}}]}
`

// collector is a running collector, with the command line that sends to it.
type collector struct {
	t             testing.TB
	events, pages string
}

func program(t testing.TB, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		t.Skipf("needs a peer: %s names no built program (make test-peers)", variable)
	}
	return path
}

// freeAddresses returns different free addresses.
func freeAddresses(t testing.TB, n int) (free []string) {
	t.Helper()
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer listener.Close()
		free = append(free, listener.Addr().String())
	}
	return free
}

func start(t testing.TB) *collector {
	t.Helper()
	binary := program(t, "TASKER_BIN")
	free := freeAddresses(t, 7)
	_, port, err := net.SplitHostPort(free[6])
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "override.yaml")
	text := fmt.Sprintf(override, free[0], free[1], free[2], free[3], filepath.Join(t.TempDir(), "table.csv"), free[4], free[5], port)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	log, err := os.Create(filepath.Join(t.TempDir(), "collector.log"))
	require.NoError(t, err)
	command := exec.Command(binary, "--config", "../../config.yaml", "--config", file)
	command.Stdout, command.Stderr = log, log
	command.Env = append(os.Environ(), "TASKER_ZPAGES=127.0.0.1:0")
	return launch(t, command, free, log)
}

func launch(t testing.TB, command *exec.Cmd, addresses []string, log *os.File) *collector {
	t.Helper()
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("the collector's log:\n%s", text[max(0, len(text)-1500):])
		}
	})
	c := &collector{t, "http://" + addresses[0] + "/v1/events", "http://" + addresses[5]}
	c.await("a healthy collector", func() bool {
		answer, err := http.Get("http://" + addresses[4] + "/health/status")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	return c
}

func (c *collector) await(what string, ok func() bool) {
	c.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !ok() {
		require.False(c.t, time.Now().After(deadline), "no %s in a minute", what)
		time.Sleep(50 * time.Millisecond)
	}
}

// send sends files with the command line.
func (c *collector) send(args ...string) {
	c.t.Helper()
	out, err := exec.Command(program(c.t, "TASKER_CLI"), append([]string{"send", "--endpoint", c.events}, args...)...).CombinedOutput()
	require.NoError(c.t, err, string(out))
}

// sendLines sends lines.
func (c *collector) sendLines(lines ...string) {
	c.t.Helper()
	file := filepath.Join(c.t.TempDir(), "lines.ndjson")
	require.NoError(c.t, os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600))
	c.send(file)
}

// stream returns the lines of a stream, with another service.
func stream(t testing.TB, name, service string) []string {
	t.Helper()
	text, err := os.ReadFile(streams + name + ".ndjson")
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(strings.ReplaceAll(string(text), `"service":"shop"`, `"service":"`+service+`"`)), "\n")
}

// truth is the truth of a stream.
type truth []struct {
	Name   string `json:"task_name"`
	Status string `json:"status"`
}

func truthOf(t testing.TB, name string) truth {
	t.Helper()
	text, err := os.ReadFile(streams + name + ".truth.json")
	require.NoError(t, err)
	var of truth
	require.NoError(t, json.Unmarshal(text, &of))
	require.NotEmpty(t, of)
	return of
}

// ask queries the API.
func (c *collector) ask(path string, into any) {
	c.t.Helper()
	answer, err := http.Get(c.pages + path)
	require.NoError(c.t, err)
	defer answer.Body.Close()
	require.Equal(c.t, http.StatusOK, answer.StatusCode, path)
	require.NoError(c.t, json.NewDecoder(answer.Body).Decode(into))
}

// streamFile writes lines to a file and returns its path.
func streamFile(t testing.TB, lines []string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "stream.ndjson")
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600))
	return file
}
