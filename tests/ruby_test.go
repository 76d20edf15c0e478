// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

const mixedStream = "streamtest/testdata/mixed.ndjson"

// rubyReplay starts the replay of the mixed stream through the bridge.
func rubyReplay(t *testing.T, ruby, address string, more ...string) (*exec.Cmd, *output) {
	t.Helper()
	args := append([]string{"testdata/replay.rb", mixedStream, "http://" + address + "/v1/events"}, more...)
	cmd, printed := exec.Command(ruby, args...), &output{}
	cmd.Stdout, cmd.Stderr = printed, printed
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // fails if it has ended
	return cmd, printed
}

// bridgeStats are the totals of the statistics that the processes of a replay print.
type bridgeStats struct {
	Sent, Requests, Retries, Waiting int
	Dropped                          map[string]int
}

func statsOf(t *testing.T, printed string) (total bridgeStats, processes int) {
	t.Helper()
	for line := range strings.Lines(printed) {
		text, is := strings.CutPrefix(line, "stats ")
		if !is {
			continue
		}
		var one bridgeStats
		require.NoError(t, json.Unmarshal([]byte(text), &one), line)
		require.Empty(t, one.Dropped, printed)
		total.Sent += one.Sent
		total.Requests += one.Requests
		total.Retries += one.Retries
		total.Waiting += one.Waiting
		processes++
	}
	return total, processes
}

// TestRubyBridge checks that the events of an application with the bridge, in one process or in forked workers, become the
// true trees. The processes end right after their last event.
func TestRubyBridge(t *testing.T) {
	t.Parallel()
	ruby := peer(t, "ruby")
	for name, workers := range map[string][]string{"one process": nil, "forked workers": {"3"}} {
		t.Run(name, func(t *testing.T) {
			lines, truth, err := streamtest.Load(streamtest.Mixed)
			require.NoError(t, err)
			sink := newSink(t)
			c := start(t, sink)
			replay, printed := rubyReplay(t, ruby, c.events, workers...)
			require.NoError(t, replay.Wait(), printed.String())
			stats, processes := statsOf(t, printed.String())
			assert.Equal(t, len(lines), stats.Sent, printed.String())
			assert.Zero(t, stats.Waiting)
			if workers != nil {
				assert.Equal(t, 4, processes)
			}
			awaitTasks(t, sink, len(truth))
			assert.Zero(t, c.stop())
			equal(t, streamtest.Compare(truth, sink.all()))
		})
	}
}

// TestRubyBridgeWaitsForTheCollector checks that no event is lost that was fired while the collector was unavailable,
// although the application ends meanwhile.
func TestRubyBridgeWaitsForTheCollector(t *testing.T) {
	ruby := peer(t, "ruby")
	lines, truth, err := streamtest.Load(streamtest.Mixed)
	require.NoError(t, err)
	address := freeAddresses(t, 1)[0]
	replay, printed := rubyReplay(t, ruby, address)
	await(t, 30*time.Second, "failed request", func() bool {
		text := printed.String()
		return strings.Contains(text, "published") && strings.Contains(text, "cannot be reached")
	}, func() any { return printed.String() })

	sink := newSink(t)
	c := start(t, sink, fmt.Sprintf("receivers: {tasker_events: {endpoint: %q}}", address))
	require.NoError(t, replay.Wait(), printed.String())
	stats, _ := statsOf(t, printed.String())
	assert.Equal(t, len(lines), stats.Sent, printed.String())
	assert.Positive(t, stats.Retries)
	awaitTasks(t, sink, len(truth))
	assert.Zero(t, c.stop())
	equal(t, streamtest.Compare(truth, sink.all()))
}

// TestRubyBridgeOutlastsKills kills and restarts the collector while the application runs: every tree and every metric
// equals the truth.
func TestRubyBridgeOutlastsKills(t *testing.T) {
	ruby := peer(t, "ruby")
	lines, truth, err := streamtest.Load(streamtest.Mixed)
	require.NoError(t, err)
	sink := newSink(t)
	c := start(t, sink, append(durable(t), queueOnDisk)...)
	t.Setenv("REPLAY_PAUSE", "0.3")
	replay, printed := rubyReplay(t, ruby, c.events)
	for _, mark := range []string{"fired 500\n", "fired 1500\n", "fired 2500\n", "fired 3000\n"} {
		await(t, 60*time.Second, mark, func() bool { return strings.Contains(printed.String(), mark) },
			func() any { return printed.String() })
		c.kill()
	}
	require.NoError(t, replay.Wait(), printed.String())
	stats, _ := statsOf(t, printed.String())
	assert.Equal(t, len(lines), stats.Sent, printed.String())
	awaitEqual(t, "every tree", func() []string { return treeDifferences(t, sink, truth) })
	want, metrics := expected(t, lines, truth), measured()
	awaitEqual(t, "exact metrics", func() []string { return want.differences(collect(c.samples(plainText), metrics)) })
	assert.Zero(t, c.stop())
}

// TestRubyBridgeUnits runs the bridge's own tests.
func TestRubyBridgeUnits(t *testing.T) {
	t.Parallel()
	ruby := peer(t, "ruby")
	if err := exec.Command(ruby, "-e", `require "minitest"`).Run(); err != nil {
		t.Skip("needs a peer: minitest is not installed (scripts/install-peers.sh)")
	}
	tests, err := filepath.Glob("../examples/ruby/test/*_test.rb")
	require.NoError(t, err)
	require.NotEmpty(t, tests)
	for _, test := range tests {
		answer, err := exec.Command(ruby, test).CombinedOutput()
		assert.NoError(t, err, "%s: %s", test, answer)
	}
}
