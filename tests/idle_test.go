// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package e2e

import (
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// idleConnections is the number of idle connections, if the system allows as many.
const idleConnections = 10_000

// TestIdleConnections checks that ten thousand idle connections need little memory, do not block others, and are closed.
func TestIdleConnections(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("needs /proc to count the connections of a process: ", err)
	}
	// The runtime has raised the soft limit to the hard one, here and in the collector.
	var limit unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	const others = 500                                      // other files and connections
	many := int(min(idleConnections, (limit.Max-others)/2)) // a receiver uses at most half of the files
	if many < idleConnections {
		t.Logf("%d connections, because a process may have %d files", many, limit.Max)
	}

	lines, truth, err := streamtest.Load(streamtest.Mixed)
	require.NoError(t, err)
	sink := newSink(t)
	c := start(t, sink, "receivers: {tasker_events: {read_header_timeout: 8s}}")
	before := c.memory("VmRSS")

	idle := make([]net.Conn, many)
	for i := range idle {
		idle[i], err = net.Dial("tcp", c.events)
		require.NoError(t, err, "connection %d", i)
		defer idle[i].Close()
	}
	await(t, 20*time.Second, "accepted connections", func() bool { return c.files() >= many }, func() any { return c.files() })
	c.sendNDJSON(connections, shuffledBatches(lines, 61))
	t.Logf("%d idle connections: %d KiB each", many, (c.memory("VmRSS")-before)>>10/int64(many))
	awaitTasks(t, sink, len(truth))
	await(t, time.Minute, "closed connections", func() bool { return c.files() < others }, func() any {
		return fmt.Sprintf("%d files are open", c.files())
	})
	assert.Zero(t, c.stop())
	equal(t, streamtest.Compare(truth, sink.all()))
}

// files returns the number of open files and connections of the process.
func (c *collector) files() int {
	c.tb.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", c.cmd.Process.Pid))
	require.NoError(c.tb, err)
	return len(entries)
}
