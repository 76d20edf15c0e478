// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package fsfile

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// pathEnv is set in the process that TestKilledHolder kills.
const pathEnv = "FILELOCK_TEST_PATH"

func TestTakeLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	first, err := TakeLock(t.Context(), path, "process 1", 0)
	require.NoError(t, err)
	for _, timeout := range []time.Duration{0, time.Millisecond} {
		_, err = TakeLock(t.Context(), path, "process 2", timeout)
		require.ErrorIs(t, err, ErrLocked)
		require.ErrorContains(t, err, "is held by process 1")
	}
	released := make(chan error)
	go func() { released <- first.Release() }()
	second, err := TakeLock(t.Context(), path, "process 3", time.Minute)
	require.NoError(t, err)
	require.NoError(t, <-released)
	require.NoError(t, second.Release())

	_, err = TakeLock(t.Context(), filepath.Join(t.TempDir(), "missing", "x.lock"), "", 0)
	require.ErrorContains(t, err, "can't be locked")
}

// TestOnlyFilesAreLocked: anything else at the path is neither written to nor waited for.
func TestOnlyFilesAreLocked(t *testing.T) {
	directory := t.TempDir()
	victim := filepath.Join(directory, "victim")
	require.NoError(t, os.WriteFile(victim, []byte("precious"), 0o600))
	link := filepath.Join(directory, "x.lock")
	require.NoError(t, os.Symlink(victim, link))
	for path, kind := range map[string]string{link: "a symbolic link", directory: "a directory", os.DevNull: "a device"} {
		_, err := TakeLock(t.Context(), path, "me", 0)
		require.ErrorContains(t, err, path+" can't be locked")
		require.ErrorContains(t, err, kind)
	}
	content, err := os.ReadFile(victim)
	require.NoError(t, err)
	require.Equal(t, "precious", string(content))
}

// TestKilledHolder: a lock ends with its process, and the leftover file does not matter.
func TestKilledHolder(t *testing.T) {
	if path := os.Getenv(pathEnv); path != "" {
		_, err := TakeLock(t.Context(), path, "the killed one", 0)
		fmt.Println("took", err)
		select {}
	}
	path := filepath.Join(t.TempDir(), "x.lock")
	holder := exec.Command(os.Args[0], "-test.run=^TestKilledHolder$")
	holder.Env = append(os.Environ(), pathEnv+"="+path)
	out, err := holder.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, holder.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "took <nil>\n", line)
	_, err = TakeLock(t.Context(), path, "me", 0)
	require.ErrorContains(t, err, "the killed one")
	require.NoError(t, holder.Process.Kill())
	require.Error(t, holder.Wait())
	lock, err := TakeLock(t.Context(), path, "me", 0)
	require.NoError(t, err)
	require.NoError(t, lock.Release())
}
