// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// defaultConfig is the default configuration, used with the addresses of a test.
const defaultConfig = "../config.yaml"

// collector is a running process.
type collector struct {
	tb     testing.TB
	cmd    *exec.Cmd
	output *output
	exited chan struct{} // closed when the process has ended
	ended  sync.Once

	events, otlp, otlpHTTP, scrape, health, pages string // addresses
	csv                                           string // path of the table

	environment []string // additional variables of the process
}

// output collects the output of the process.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// tail returns the last lines.
func (o *output) tail() string {
	lines := strings.Split(strings.TrimSpace(o.String()), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

// Ports outside of the systems' ephemeral ranges: no connection of another process takes one before its collector listens.
const firstPort, lastPort = 12_000, 32_000

// nextPort counts the ports that were tried. It starts at random, because other test runs may be active.
var nextPort atomic.Int64

// freeAddresses returns n free local addresses that no other test uses.
func freeAddresses(tb testing.TB, n int) []string {
	tb.Helper()
	var addresses []string
	for tries := 0; len(addresses) < n; tries++ {
		require.Less(tb, tries, 1000, "no free port")
		address := fmt.Sprintf("127.0.0.1:%d", firstPort+nextPort.Add(1)%(lastPort-firstPort))
		if listener, err := net.Listen("tcp", address); err == nil {
			require.NoError(tb, listener.Close())
			addresses = append(addresses, address)
		}
	}
	return addresses
}

// flushInterval is the flush interval of metrics in tests.
const flushInterval = 500 * time.Millisecond

// override is merged over config.yaml: free ports, a sink for spans, short waits, no sampling. Lists replace lists.
const override = `
receivers:
  tasker_events: {endpoint: %[1]s}
  otlp:
    protocols:
      grpc: {endpoint: %[2]s}
      http: {endpoint: %[3]s}
processors:
  event_router:
    default_signals: [traces, metrics]
    routes:
      - {event: database.query_executed, sampling_rate: 1}
  span_hierarchy: {reorder_window: 4s} # the default is 2s; on a busy machine a connection may stand still for longer
connectors:
  span_to_metrics: {metrics_flush_interval: %[8]s}
exporters:
  prometheus: {endpoint: %[4]s}
  otlp_grpc/sink:
    endpoint: %[5]s
    tls: {insecure: true}
  tasker_csv: {path: %[6]s}
extensions:
  healthcheckv2: {http: {endpoint: %[7]s}}
  tasker_pages: {endpoint: %[9]s, own_metrics: ""}
service:
  telemetry:
    metrics: {level: none, readers: []}
  pipelines:
    traces: {exporters: [otlp_grpc/sink, span_to_metrics, routed_events]}
    logs/records: {exporters: [otlp_grpc/sink]}
`

// start runs the collector with config.yaml and further configurations, and sends its spans to the sink.
func start(tb testing.TB, sink *sink, more ...string) *collector {
	tb.Helper()
	free := freeAddresses(tb, 6)
	c := &collector{tb: tb, events: free[0], otlp: free[1], otlpHTTP: free[2], scrape: free[3], health: free[4], pages: free[5],
		csv: filepath.Join(tb.TempDir(), "table.csv")}
	configs := append([]string{fmt.Sprintf(override, free[0], free[1], free[2], free[3], sink.address, c.csv, free[4], flushInterval, free[5])}, more...)
	args := []string{"--config", defaultConfig}
	for i, text := range configs {
		path := filepath.Join(tb.TempDir(), fmt.Sprintf("override-%d.yaml", i))
		require.NoError(tb, os.WriteFile(path, []byte(text), 0o600))
		args = append(args, "--config", path)
	}
	c.launch(args...)
	return c
}

// launch starts the process and waits until its health check reports that it runs.
func (c *collector) launch(args ...string) {
	c.tb.Helper()
	command := exec.Command(binary, args...)
	command.Env = append(os.Environ(), c.environment...)
	c.launchAs(command)
}

// launchAs starts a collector with another command.
func (c *collector) launchAs(command *exec.Cmd) {
	c.tb.Helper()
	c.output, c.exited, c.ended = &output{}, make(chan struct{}), sync.Once{}
	c.cmd = command
	c.cmd.Stdout, c.cmd.Stderr = c.output, c.output
	require.NoError(c.tb, c.cmd.Start())
	go func() {
		_ = c.cmd.Wait() // the exit code is read from ProcessState
		close(c.exited)
	}()
	c.tb.Cleanup(func() {
		_ = c.cmd.Process.Kill() // fails if it has ended
		<-c.exited
		if c.tb.Failed() {
			c.tb.Logf("the collector's last lines:\n%s", c.output.tail())
		}
	})
	await(c.tb, 30*time.Second, "healthy collector", func() bool {
		select {
		case <-c.exited:
			c.tb.Fatalf("the collector ended at once: %s\n%s", c.cmd.ProcessState, c.output.tail())
		default:
		}
		response, err := http.Get("http://" + c.health + "/health/status")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	}, func() any { return c.output.tail() })
	// The collector is healthy before it handles signals. Until then SIGTERM kills it.
	await(c.tb, 30*time.Second, "settled collector", c.settled(), func() any { return c.output.tail() })
}

// settled returns a condition: each current thread of the process has slept since, so that its main goroutine has
// proceeded. Without /proc it is true immediately.
func (c *collector) settled() func() bool {
	busy, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", c.cmd.Process.Pid))
	return func() bool {
		busy = slices.DeleteFunc(busy, func(thread string) bool {
			stat, err := os.ReadFile(thread)
			// proc(5): the state follows the name in parentheses. A thread without a file has ended.
			_, state, _ := bytes.Cut(stat, []byte(") "))
			return err != nil || bytes.HasPrefix(state, []byte("S"))
		})
		return len(busy) == 0
	}
}

// stop stops the process as an operator does, and returns its exit code.
func (c *collector) stop() int {
	c.tb.Helper()
	c.ended.Do(func() { require.NoError(c.tb, c.cmd.Process.Signal(syscall.SIGTERM)) })
	select {
	case <-c.exited:
	case <-time.After(60 * time.Second):
		c.tb.Fatalf("the collector did not stop in a minute:\n%s", c.output.tail())
	}
	return c.cmd.ProcessState.ExitCode()
}
