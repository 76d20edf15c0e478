// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

const (
	// soakRate is the number of events per second.
	soakRate = 2000
	// soakTasks is the number of tasks that begin at once.
	soakTasks = 25
	// soakSamples is the number of memory samples.
	soakSamples = 20
	// soakGrowth is the factor by which the memory of the last third may exceed that of the second.
	soakGrowth = 1.2
)

// soakBounds are limits that the load reaches within a minute or two, until when memory grows.
const soakBounds = `
processors:
  event_router: {deduplicate: {max_entries: 100000}}
  span_hierarchy: {remembered_tasks: 5000}
connectors:
  span_to_metrics: {metrics_flush_interval: 5s, deduplicate: {max_entries: 100000}, active_max_ids: 10000}
`

// TestSoak runs the collector at a steady load for the duration in TASKER_SOAK ("10m"; make soak), and prints its memory,
// which must not grow after the warm-up.
func TestSoak(t *testing.T) {
	if os.Getenv("TASKER_SOAK") == "" {
		t.Skip("TASKER_SOAK is not set: make soak runs it for ten minutes")
	}
	length, err := time.ParseDuration(os.Getenv("TASKER_SOAK"))
	require.NoError(t, err)
	sink := newSink(t)
	sink.countOnly = true
	c := start(t, sink, soakBounds)

	var (
		began  = time.Now()
		sent   int
		memory []int
	)
	for next := int64(1); time.Since(began) < length; next += soakTasks {
		lines, _ := streamtest.Generate(streamtest.Options{Tasks: soakTasks, Seed: uint64(next), Failures: true, FirstID: next})
		for _, batch := range streamtest.Batches(lines, batchLines) {
			c.post(1, "http://"+c.events+"/v1/events", "application/x-ndjson", [][]byte{bytes.Join(batch, []byte("\n"))})
			sent += len(batch)
			time.Sleep(time.Until(began.Add(time.Duration(sent) * time.Second / soakRate)))
		}
		if now := time.Since(began); now > length/soakSamples*time.Duration(len(memory)+1) {
			memory = append(memory, c.residentKB())
			t.Logf("%6s  %9d events  %9d spans  CPU %6s  RSS %4d MB", now.Round(time.Second), sent, sink.spanCount(), c.cpuTime().Round(time.Second), memory[len(memory)-1]>>10)
		}
	}
	require.Zero(t, c.stop())
	require.Greater(t, sink.spanCount(), sent/4, "too few spans for what was sent")
	third := len(memory) / 3
	require.Less(t, float64(mean(memory[2*third:])), soakGrowth*float64(mean(memory[third:2*third])), "KB: %d", memory)
}

// residentKB returns the memory of the running process.
func (c *collector) residentKB() int {
	c.tb.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	require.NoError(c.tb, err)
	_, after, found := strings.Cut(string(status), "VmRSS:")
	require.True(c.tb, found)
	kb, err := strconv.Atoi(strings.Fields(after)[0])
	require.NoError(c.tb, err)
	return kb
}

func mean(values []int) int {
	sum := 0
	for _, v := range values {
		sum += v
	}
	return sum / max(1, len(values))
}
