// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// restartElsewhere starts the deployment at another address, with the volume of the killed process.
func (c *shipped) restartElsewhere(t *testing.T) *shipped {
	t.Helper()
	host := newHost(t)
	other := &shipped{collector: &collector{
		tb: t, events: host + ":4319", otlp: host + ":4317", otlpHTTP: host + ":4318", scrape: host + ":8889", health: host + ":13133",
	}, host: host, data: c.data, client: c.client, scheme: c.scheme}
	command := exec.Command(c.cmd.Path, c.cmd.Args[1:]...)
	command.Dir, command.Env = c.cmd.Dir, append(c.cmd.Env, "TASKER_HOST="+host)
	other.launchAs(command)
	return other
}

// shareOf returns the instance of a task among n, as the Ruby bridge computes it.
func shareOf(t *testing.T, line []byte, n int) int {
	t.Helper()
	item, err := streamtest.Parse(line)
	require.NoError(t, err)
	return int(crc32.ChecksumIEEE([]byte(strconv.FormatInt(item.Payload.TaskID, 10)))) % n
}

// TestTakeover kills one of two instances that share the tasks. Another process takes over its volume at another address,
// and unacknowledged requests are resent. Every tree exists once, and every metric equals the truth.
func TestTakeover(t *testing.T) {
	t.Parallel()
	sink := newSink(t)
	to := filepath.Join(t.TempDir(), "sink.yaml")
	require.NoError(t, os.WriteFile(to, fmt.Appendf(nil, `
exporters: {otlp_grpc/sink: {endpoint: %q, tls: {insecure: true}, sending_queue: {storage: file_storage}}}
connectors: {span_to_metrics: {metrics_flush_interval: 500ms}}
service: {pipelines: {traces: {exporters: [otlp_grpc/sink, span_to_metrics, routed_events]}}}
`, sink.address), 0o600))
	files := settings{files: []string{"../deploy/otelcol/standalone.yaml", to}}.with("TASKER_RECORDS_EXPORTER=debug/records")
	instances := []*shipped{startShipped(t, files), startShipped(t, files)}

	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 200, Seed: 61, Failures: true, SpacingMS: 20})
	send := func(part [][]byte) {
		shares := make([][][]byte, len(instances))
		for _, line := range part {
			share := shareOf(t, line, len(instances))
			shares[share] = append(shares[share], line)
		}
		for i, share := range shares {
			require.NotEmpty(t, share)
			require.NoError(t, postOne(instances[i].client, "http://"+instances[i].events+"/v1/events", "application/x-ndjson", bytes.Join(share, []byte("\n"))))
		}
	}
	const batch = 500
	half := len(lines) / 2 / batch * batch
	for from := 0; from < half; from += batch {
		send(lines[from : from+batch])
	}
	require.NoError(t, instances[0].cmd.Process.Signal(syscall.SIGKILL))
	<-instances[0].exited
	instances[0] = instances[0].restartElsewhere(t)
	for from := half - batch; from < len(lines); from += batch { // the last batch again: its response may have been lost
		send(lines[from:min(from+batch, len(lines))])
	}

	awaitEqual(t, "every tree", func() []string { return treeDifferences(t, sink, truth) })
	want := map[string]float64{}
	for _, task := range truth {
		want["tasker_task_executions_total"]++
		want["tasker_step_executions_total"] += float64(len(task.Attempts()))
	}
	var got map[string]float64
	await(t, time.Minute, "exact sums over the instances", func() bool {
		got = map[string]float64{}
		for _, instance := range instances {
			for _, s := range instance.samples(plainText) {
				if _, counted := want[s.name]; counted {
					got[s.name] += s.value
				}
			}
		}
		return assert.ObjectsAreEqual(want, got)
	}, func() any { return fmt.Sprint(want, got) })
	for _, instance := range instances {
		assert.Zero(t, instance.stop())
	}
}
