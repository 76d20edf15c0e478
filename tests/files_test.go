// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package e2e

import (
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestAttackFilesTakenByIdleConnections: more connections than the process may have files, over gRPC, that ask for nothing.
// Senders of events are served again when they are closed, which is soon.
func TestAttackFilesTakenByIdleConnections(t *testing.T) {
	if os.Getenv("TASKER_ATTACK") == "" {
		t.Skip("TASKER_ATTACK is not set: make attack waits until the collector closes the connections")
	}
	t.Parallel()
	const files, attackers = 256, 400
	for name, says := range map[string]string{
		"silent": "",
		"idle":   "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\x00\x00\x00\x04\x00\x00\x00\x00\x00", // the preface, and empty settings
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sink := newSink(t)
			c := start(t, sink)
			require.NoError(t, unix.Prlimit(c.cmd.Process.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: files, Max: files}, nil))
			for range attackers {
				connection, err := net.DialTimeout("tcp", c.otlp, time.Minute)
				require.NoError(t, err)
				defer connection.Close()
				_, err = connection.Write([]byte(says))
				require.NoError(t, err)
			}
			began := time.Now()
			const event = `{"event":"task.completed","payload":{"task_id":1}}`
			client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
			await(t, 3*time.Minute, "an event that is taken", func() bool {
				return postOnce(client, "http://"+c.events+"/v1/events", "application/json", []byte(event)) == nil
			}, func() any { return c.files() })
			t.Logf("finding: taken %v after %d %s connections to a process of %d files", time.Since(began).Round(time.Second), attackers, name, files)
			require.Zero(t, c.stop())
		})
	}
}
