// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package e2e

import (
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestAttackFilesTakenByIdleConnections: more connections than the process may have open files, over gRPC and HTTP, that
// send nothing, or nothing more. Senders of events are served again after otlp_limits has closed them.
func TestAttackFilesTakenByIdleConnections(t *testing.T) {
	if os.Getenv("TASKER_ATTACK") == "" {
		t.Skip("TASKER_ATTACK is not set: make attack waits until the collector closes the connections")
	}
	t.Parallel()
	const files, attackers = 256, 400
	grpc := func(c *collector) string { return c.otlp }
	http1 := func(c *collector) string { return c.otlpHTTP }
	for name, attack := range map[string]struct {
		on   func(*collector) string
		says string
	}{
		"silent gRPC": {grpc, ""},
		// The preface, and empty settings.
		"idle gRPC":   {grpc, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\x00\x00\x00\x04\x00\x00\x00\x00\x00"},
		"silent HTTP": {http1, ""},
		"idle HTTP":   {http1, "GET /v1/traces HTTP/1.1\r\nHost: localhost\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sink := newSink(t)
			c := start(t, sink)
			require.NoError(t, unix.Prlimit(c.cmd.Process.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: files, Max: files}, nil))
			for range attackers {
				connection, err := net.DialTimeout("tcp", attack.on(c), time.Minute)
				require.NoError(t, err)
				defer connection.Close()
				_, _ = connection.Write([]byte(attack.says)) // it may be closed already
			}
			began := time.Now()
			const event = `{"event":"task.completed","payload":{"task_id":1}}`
			client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
			await(t, 3*time.Minute, "an event that is taken", func() bool {
				return postOnce(client, "http://"+c.events+"/v1/events", "application/json", []byte(event)) == nil
			}, func() any { return c.files() })
			t.Logf("finding: taken %v after %d %s connections to a process of %d files", time.Since(began).Round(time.Second), attackers, name, files)
			await(t, time.Minute, "a line about the connections that were closed", func() bool {
				return strings.Contains(c.output.String(), "Silent connections were closed")
			}, func() any { return c.files() })
			require.Zero(t, c.stop())
		})
	}
}
