// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// telemetryOn enables the internal telemetry.
const telemetryOn = `
service:
  telemetry:
    metrics:
      level: normal
      readers:
        - pull: {exporter: {prometheus: {host: %s, port: %s}}}
`

// storageOn stores all state in a directory.
const storageOn = `
extensions:
  file_storage: {directory: %q, create_directory: true}
processors:
  event_router: {storage: file_storage}
  span_hierarchy: {storage: file_storage}
connectors:
  routed_events: {storage: file_storage}
  span_to_metrics: {storage: file_storage}
service:
  extensions: [otlp_limits, healthcheckv2, file_storage]
`

// TestStatusAndSync checks the command line's status of a running collector, with and without storage.
func TestStatusAndSync(t *testing.T) {
	t.Parallel()
	tool := commandLine(t)
	free := freeAddresses(t, 1)
	host, port, err := net.SplitHostPort(free[0])
	require.NoError(t, err)
	telemetry := fmt.Sprintf(telemetryOn, host, port)
	sink := newSink(t)
	type state struct {
		Component string
		Storage   bool
		Bytes     int64
	}
	var status struct {
		Version string
		Health  struct {
			Healthy   bool
			Pipelines []struct{ Name string }
		}
		State []state
		Work  struct {
			OpenTasks int `json:"open_tasks"`
		}
		Losses    []struct{ Metric string }
		LastFlush *time.Time `json:"last_flush"`
	}
	read := func(c *collector) {
		code, out, problems := tool.run("status", "--json", "--telemetry", free[0], "--health", "http://"+c.health+"/health/status")
		require.Zero(t, code, "%s%s", out, problems)
		require.NoError(t, json.Unmarshal([]byte(out), &status))
	}

	c := start(t, sink, telemetry)
	read(c)
	assert.Contains(t, versionOf(t, binary), " "+status.Version+" (")
	assert.True(t, status.Health.Healthy)
	assert.Len(t, status.Health.Pipelines, 5)
	for _, s := range status.State {
		assert.False(t, s.Storage, s.Component)
	}
	code, _, problems := tool.run("sync", "--telemetry", free[0])
	assert.Equal(t, 8, code)
	assert.Contains(t, problems, "event_router, span_hierarchy, span_to_metrics, routed_events keep their state in memory only")
	assert.Zero(t, c.stop())

	directory := t.TempDir()
	c = start(t, sink, telemetry, fmt.Sprintf(storageOn, directory))
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 20, Seed: 41})
	half := len(lines) / 2
	c.sendNDJSON(1, streamtest.Batches(lines[:half], batchLines))
	read(c)
	assert.Positive(t, status.Work.OpenTasks, "tasks of which a half came")
	require.Len(t, status.State, 4)
	for _, s := range status.State {
		assert.True(t, s.Storage, s.Component)
	}
	c.sendNDJSON(1, streamtest.Batches(lines[half:], batchLines))
	awaitTasks(t, sink, len(truth))
	await(t, 20*time.Second, "no open task, and a flush", func() bool {
		read(c)
		return status.Work.OpenTasks == 0 && status.LastFlush != nil
	}, func() any { return status })

	began := time.Now()
	code, out, problems := tool.run("sync", "--json", "--telemetry", free[0], "--directory", directory)
	require.Zero(t, code, problems)
	var durability struct {
		AsOf  time.Time `json:"as_of"`
		Files int       `json:"files_flushed"`
		State []state
	}
	require.NoError(t, json.Unmarshal([]byte(out), &durability))
	assert.False(t, durability.AsOf.Before(began))
	assert.Positive(t, durability.Files)
	for _, s := range durability.State {
		assert.Positive(t, s.Bytes, s.Component)
	}

	assert.Zero(t, c.stop())
	code, _, problems = tool.run("status", "--telemetry", free[0], "--retries", "0")
	assert.Equal(t, 3, code)
	assert.Contains(t, problems, "the collector could not be queried")
}
