// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// smallDisk mounts a memory file system of that size.
func smallDisk(t *testing.T, megabytes int) string {
	t.Helper()
	directory := t.TempDir()
	err := syscall.Mount("tasker", directory, "tmpfs", 0, fmt.Sprintf("size=%dm", megabytes))
	if errors.Is(err, os.ErrPermission) {
		t.Skip("needs the right to mount a tmpfs: run it as root")
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(directory, syscall.MNT_DETACH)) })
	return directory
}

// fill fills a disk. The returned function frees it.
func fill(t *testing.T, directory string) (empty func()) {
	t.Helper()
	path := filepath.Join(directory, "filler")
	file, err := os.Create(path)
	require.NoError(t, err)
	for chunk := make([]byte, 4096); err == nil; {
		_, err = file.Write(chunk)
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, file.Close())
	return func() { require.NoError(t, os.Remove(path)) }
}

// TestFullDisk checks that a collector with a full disk refuses events with a retryable error and reports that. When there
// is space again it continues, and retried events count once.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	tool := commandLine(t)
	directory := smallDisk(t, 8)
	free := freeAddresses(t, 1)
	host, port, err := net.SplitHostPort(free[0])
	require.NoError(t, err)
	sink := newSink(t)
	c := start(t, sink, fmt.Sprintf(telemetryOn, host, port), fmt.Sprintf(storageOn, directory))
	sync := func() (int, string) {
		code, out, problems := tool.run("sync", "--telemetry", free[0], "--directory", directory)
		return code, out + problems
	}
	status := func() (int, string) {
		code, out, problems := tool.run("status", "--telemetry", free[0], "--health", "http://"+c.health+"/health/status")
		return code, out + problems
	}

	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 60, Seed: 43})
	batches := streamtest.Batches(lines, batchLines)
	third := len(batches) / 3
	c.sendNDJSON(1, batches[:third])
	code, said := sync()
	require.Zero(t, code, said)

	empty := fill(t, directory)
	client, done := newClient(1)
	defer done()
	refused := 0
	for _, batch := range batches[third : 2*third] {
		err := postOnce(client, "http://"+c.events+"/v1/events", "application/x-ndjson", bytes.Join(batch, []byte("\n")))
		if err != nil {
			require.ErrorIs(t, err, errComeBack)
			refused++
		}
	}
	require.Positive(t, refused, "requests that no disk could take")
	code, said = sync()
	assert.Equal(t, 9, code, said)
	assert.Contains(t, said, "see the collector's log and its disk")
	code, said = status()
	assert.Equal(t, 10, code, said)
	assert.Contains(t, said, "LATEST WRITE FAILED")
	assert.Contains(t, said, "the state can't be written to the storage", "the health check names the component")
	assert.Contains(t, c.output.String(), "no space left on device")

	empty()
	c.sendNDJSON(connections, batches[third:])
	awaitTasks(t, sink, len(truth))
	await(t, 20*time.Second, "writes that succeed", func() bool { code, _ := sync(); return code == 0 }, func() any { _, said := sync(); return said })
	code, said = status()
	assert.Zero(t, code, said)
	assert.NotContains(t, said, "the state can't be written")
	assert.Zero(t, c.stop())
	equal(t, streamtest.Compare(truth, sink.all()))
}
