// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// stateful is a collector with all state in one directory, which the command line can query.
type stateful struct {
	*collector
	directory string
	tool      cli
	telemetry string
}

func startStateful(t *testing.T, sink *sink, directory string, more ...string) *stateful {
	t.Helper()
	free := freeAddresses(t, 1)
	host, port, err := net.SplitHostPort(free[0])
	require.NoError(t, err)
	example, err := os.ReadFile("../examples/durable.yaml")
	require.NoError(t, err)
	configs := append([]string{string(example), fmt.Sprintf(telemetryOn, host, port), queueOnDisk, fmt.Sprintf(`
extensions: {file_storage: {directory: %q, fsync: false, compaction: {directory: %q}}}
`, directory, directory)}, more...)
	return &stateful{start(t, sink, configs...), directory, commandLine(t), free[0]}
}

func (s *stateful) status() (int, string) {
	code, out, problems := s.tool.run("status", "--telemetry", s.telemetry, "--health", "http://"+s.health+"/health/status")
	return code, out + problems
}

func (s *stateful) sync() (int, string) {
	code, out, problems := s.tool.run("sync", "--telemetry", s.telemetry, "--directory", s.directory)
	return code, out + problems
}

// stores returns the components' files, without their markers.
func (s *stateful) stores() []string {
	s.tb.Helper()
	entries, err := os.ReadDir(s.directory)
	require.NoError(s.tb, err)
	var names []string
	for _, entry := range entries {
		if name := entry.Name(); !strings.Contains(name, ".") {
			names = append(names, name)
		}
	}
	return names
}

// restore restores a copy of a directory.
func restore(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, os.RemoveAll(to))
	require.NoError(t, os.CopyFS(to, os.DirFS(from)))
}

// TestAttackHarmedFiles: whatever is done to the files of a stopped collector, of its components and of its exporters'
// queues, the next start succeeds, and the log, the metrics, status and sync name each file whose content is lost.
func TestAttackHarmedFiles(t *testing.T) {
	t.Parallel()
	lines, _ := streamtest.Generate(streamtest.Options{Tasks: 20, Seed: 71})
	sink := newSink(t)
	sink.refuses.Store(true)
	// Emit immediately, so that the queues' files have no free pages after their content.
	c := startStateful(t, sink, filepath.Join(t.TempDir(), "state"), "processors: {span_hierarchy: {emit: whole}}")
	c.sendNDJSON(1, streamtest.Batches(lines[:len(lines)-10], batchLines))
	await(t, time.Minute, "spans in the exporter's queue", func() bool {
		_, found := c.sample("otelcol_exporter_queue_size{", "traces")
		return found
	}, func() any { return c.output.tail() })
	require.Zero(t, c.stop())
	sink.refuses.Store(false)
	names := c.stores()
	require.Contains(t, strings.Join(names, " "), "exporter_otlp_grpc_sink_traces")
	require.Len(t, names, 6, "%v", names)
	saved := filepath.Join(t.TempDir(), "saved")
	restore(t, c.directory, saved)

	garbage := bytes.Repeat([]byte("garbage"), 20_000)
	for _, harm := range []struct {
		name, reason string
		do           func(path string, data []byte) error
	}{
		{"garbage at the head", "damaged", func(path string, data []byte) error {
			copy(data, garbage[:2*os.Getpagesize()])
			return os.WriteFile(path, data, 0o600)
		}},
		{"garbage behind the head", "damaged", func(path string, data []byte) error {
			copy(data[2*os.Getpagesize():], garbage)
			return os.WriteFile(path, data, 0o600)
		}},
		{"cut", "damaged", func(path string, _ []byte) error { return os.Truncate(path, int64(2*os.Getpagesize()+1)) }},
		{"empty", "empty", func(path string, _ []byte) error { return os.Truncate(path, 0) }},
		{"missing", "missing", func(path string, _ []byte) error { return os.Remove(path) }},
		{"something else", "damaged", func(path string, _ []byte) error { return os.WriteFile(path, garbage, 0o600) }},
	} {
		restore(t, saved, c.directory)
		for _, name := range names {
			path := filepath.Join(c.directory, name)
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, harm.do(path, data))
		}
		c.launch(c.cmd.Args[1:]...)
		code, said := c.status()
		assert.Equal(t, 10, code, "%s: %s", harm.name, said)
		syncCode, syncSaid := c.sync()
		assert.Equal(t, 9, syncCode, "%s: %s", harm.name, syncSaid)
		for _, name := range names {
			want := name + ": content lost since startup: " + harm.reason + " (1)"
			assert.Contains(t, said, want, harm.name)
			assert.Contains(t, syncSaid, want, harm.name)
		}
		assert.Equal(t, len(names), strings.Count(c.output.String(), "The stored state of a component was lost"), harm.name)
		require.Zero(t, c.stop(), harm.name)

		c.launch(c.cmd.Args[1:]...)
		code, said = c.status()
		assert.Zero(t, code, "after %s: %s", harm.name, said)
		code, said = c.sync()
		assert.Zero(t, code, "after %s: %s", harm.name, said)
		require.Zero(t, c.stop(), harm.name)
	}
}

// sample finds a line of the internal metrics by prefix and substring.
func (s *stateful) sample(begin, has string) (string, bool) {
	s.tb.Helper()
	response, err := http.Get("http://" + s.telemetry + "/metrics")
	require.NoError(s.tb, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(s.tb, err)
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, begin) && strings.Contains(line, has) && !strings.HasSuffix(strings.TrimSpace(line), " 0") {
			return line, true
		}
	}
	return "", false
}

// TestAttackDirectoryRemoved: the directory is removed repeatedly while the collector is running. Nothing acknowledged is
// lost, even if the process is killed.
func TestAttackDirectoryRemoved(t *testing.T) {
	t.Parallel()
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 60, Seed: 72, Failures: true})
	batches := streamtest.Batches(lines, batchLines)
	sink := newSink(t)
	c := startStateful(t, sink, filepath.Join(t.TempDir(), "state"), patient)
	part := len(batches) / 4
	for round := range 4 {
		until := (round + 1) * part
		if round == 3 {
			until = len(batches)
		}
		c.sendNDJSON(1, batches[round*part:until])
		if round == 3 {
			break
		}
		// The collector may write a file into the directory while it is being removed.
		await(t, time.Minute, "removed directory", func() bool { return os.RemoveAll(c.directory) == nil }, func() any { return c.directory })
		await(t, time.Minute, "files that are back", func() bool { code, _ := c.sync(); return code == 0 }, func() any {
			_, said := c.sync()
			return said
		})
		if round == 1 {
			c.kill()
		}
	}
	awaitTasks(t, sink, len(truth))
	awaitEqual(t, "every tree", func() []string { return treeDifferences(t, sink, truth) })
	_, found := c.sample("otelcol_extension_file_storage_restored", "span_hierarchy")
	assert.True(t, found)
	assert.Zero(t, c.stop())
}

// TestAttackTwoProcesses: a second collector on the same directory does not start, and reports why.
func TestAttackTwoProcesses(t *testing.T) {
	t.Parallel()
	sink := newSink(t)
	directory := filepath.Join(t.TempDir(), "state")
	first := startStateful(t, sink, directory)
	args := first.cmd.Args[1:]
	free := freeAddresses(t, 7)
	ports := filepath.Join(t.TempDir(), "ports.yaml")
	host, port, err := net.SplitHostPort(free[5])
	require.NoError(t, err)
	text := fmt.Sprintf(override, free[0], free[1], free[2], free[3], sink.address, filepath.Join(t.TempDir(), "table.csv"), free[4], flushInterval, free[6])
	require.NoError(t, os.WriteFile(ports, []byte(text), 0o600))
	telemetry := filepath.Join(t.TempDir(), "telemetry.yaml")
	require.NoError(t, os.WriteFile(telemetry, fmt.Appendf(nil, telemetryOn, host, port), 0o600))
	out, err := exec.Command(binary, append(args, "--config", ports, "--config", telemetry)...).CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Contains(t, string(out), "is in use by another process")
	assert.Contains(t, string(out), fmt.Sprintf("process %d had it last", first.cmd.Process.Pid))
	code, said := first.sync()
	assert.Zero(t, code, said)
	assert.Zero(t, first.stop())
}

// TestAttackPipeInPlaceOfAFile: it is rejected immediately, with its name.
func TestAttackPipeInPlaceOfAFile(t *testing.T) {
	t.Parallel()
	directory := filepath.Join(t.TempDir(), "state")
	c := startStateful(t, newSink(t), directory)
	require.Zero(t, c.stop())
	for _, name := range c.stores() {
		path := filepath.Join(directory, name)
		info, err := os.Stat(path)
		require.NoError(t, err)
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.Remove(path))
		require.NoError(t, syscall.Mkfifo(path, 0o600))
		out, err := exec.Command(binary, c.cmd.Args[1:]...).CombinedOutput()
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit, name)
		assert.Contains(t, string(out), name+" is a pipe: give a file, or remove what stands there")
		require.NoError(t, os.Remove(path))
		require.NoError(t, os.WriteFile(path, data, info.Mode()&fs.ModePerm))
	}
}

// TestAttackStartOnAFullDisk: the collector starts, reports what it cannot do, refuses what it cannot store, and continues
// when there is space; with existing state and without.
func TestAttackStartOnAFullDisk(t *testing.T) {
	t.Parallel()
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 30, Seed: 73})
	batches := streamtest.Batches(lines, batchLines)
	half := len(batches) / 2
	for _, name := range []string{"new", "with state"} {
		t.Run(name, func(t *testing.T) {
			disk := smallDisk(t, 16)
			sink := newSink(t)
			first := batches
			var empty func()
			if name == "new" {
				empty = fill(t, disk)
			}
			c := startStateful(t, sink, disk, patient)
			if name != "new" {
				c.sendNDJSON(1, batches[:half])
				first = batches[half:]
				require.Zero(t, c.stop())
				empty = fill(t, disk)
				c.launch(c.cmd.Args[1:]...)
			}
			client, done := newClient(1)
			defer done()
			refused := 0
			for _, batch := range first {
				err := postOnce(client, "http://"+c.events+"/v1/events", "application/x-ndjson", bytes.Join(batch, []byte("\n")))
				if err != nil {
					require.ErrorIs(t, err, errComeBack)
					refused++
				}
			}
			require.Positive(t, refused)
			code, said := c.status()
			assert.Equal(t, 10, code, said)
			code, said = c.sync()
			assert.Equal(t, 9, code, said)
			assert.Contains(t, c.output.String(), "no space left on device")

			empty()
			c.sendNDJSON(connections, first)
			awaitTasks(t, sink, len(truth))
			await(t, time.Minute, "writes that succeed", func() bool { code, _ := c.sync(); return code == 0 }, func() any { _, said := c.sync(); return said })
			code, said = c.status()
			assert.Zero(t, code, said)
			assert.Zero(t, c.stop())
			equal(t, streamtest.Compare(truth, unique(t, sink.all())))
		})
	}
}
