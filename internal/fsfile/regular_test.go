// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !windows

package fsfile

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOpen(t *testing.T) {
	directory := t.TempDir()
	path := func(name string) string { return filepath.Join(directory, name) }
	victim := path("victim")
	require.NoError(t, os.WriteFile(victim, []byte("precious"), 0o600))
	require.NoError(t, os.Symlink(victim, path("link")))
	require.NoError(t, os.Symlink(path("nowhere"), path("dangling")))
	require.NoError(t, os.Symlink(directory, path("loop")))
	require.NoError(t, syscall.Mkfifo(path("pipe"), 0o600))
	require.NoError(t, os.Mkdir(path("directory"), 0o700))
	socket, err := net.Listen("unix", path("socket"))
	require.NoError(t, err)
	defer socket.Close() //nolint:errcheck // a test

	for name, kind := range map[string]string{
		path("link"): "a symbolic link", path("dangling"): "a symbolic link", path("loop"): "a symbolic link",
		path("pipe"): "a pipe", path("directory"): "a directory", path("socket"): "a socket", os.DevNull: "a device",
	} {
		for _, flag := range []int{os.O_RDONLY, os.O_WRONLY | os.O_CREATE | os.O_TRUNC, os.O_RDWR | os.O_APPEND} {
			_, err := Open(name, flag, 0o600)
			var wrong *NotRegularError
			require.ErrorAs(t, err, &wrong, name)
			require.ErrorContains(t, err, name+" is "+kind)
		}
	}
	content, err := os.ReadFile(victim)
	require.NoError(t, err)
	require.Equal(t, "precious", string(content))
	require.NoFileExists(t, path("nowhere"))

	file, err := Open(path("new"), os.O_RDWR|os.O_CREATE, 0o600)
	require.NoError(t, err)
	_, err = file.WriteString("text")
	require.NoError(t, err)
	require.NoError(t, file.Close())
	file, err = Open(path("loop")+"/new", os.O_RDONLY, 0)
	require.NoError(t, err, "only the end of a path may not be a link")
	require.NoError(t, file.Close())
	_, err = Open(path("missing"), os.O_RDONLY, 0)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A file replaced after the check is not opened either.
func TestWhatChangesInBetween(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(path, 0o600))
	file, err := os.OpenFile(path, os.O_RDONLY|flags, 0)
	require.NoError(t, err, "it does not wait")
	require.NoError(t, file.Close())
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(path, link))
	_, err = os.OpenFile(link, os.O_RDONLY|flags, 0)
	require.ErrorIs(t, err, syscall.ELOOP)
}
