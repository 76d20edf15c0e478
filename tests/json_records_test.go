// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// jsonLine is a line of a file of records.
type jsonLine struct {
	Timestamp  time.Time      `json:"timestamp"`
	Event      string         `json:"event"`
	Severity   string         `json:"severity"`
	Body       string         `json:"body"`
	TraceID    string         `json:"trace_id"`
	SpanID     string         `json:"span_id"`
	StepID     int64          `json:"step_id"`
	Attempt    int64          `json:"attempt"`
	Service    string         `json:"service.name"`
	Attributes map[string]any `json:"attributes"`
}

// record returns the record of the line.
func (l jsonLine) record(t *testing.T) streamtest.Record {
	t.Helper()
	r := streamtest.Record{
		Event: l.Event, At: l.Timestamp.UnixNano(), Severity: l.Severity, Body: l.Body, Service: l.Service, Attributes: l.Attributes,
	}
	_, err := hex.Decode(r.TraceID[:], []byte(l.TraceID))
	require.NoError(t, err)
	_, err = hex.Decode(r.SpanID[:], []byte(l.SpanID))
	require.NoError(t, err)
	r.Attributes[lifecycle.AttrStepID] = l.StepID
	r.Attributes[lifecycle.AttrAttemptNumber] = l.Attempt
	return r
}

// linesIn reads the lines of the files of records, rotated ones and the current one, without an incomplete last line.
func linesIn(t *testing.T, files ...string) (records []streamtest.Record) {
	t.Helper()
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		for line := range strings.Lines(string(content)) {
			if !strings.HasSuffix(line, "\n") {
				continue
			}
			var l jsonLine
			require.NoError(t, json.Unmarshal([]byte(line), &l), line)
			records = append(records, l.record(t))
		}
	}
	return records
}

// TestJSONRecords checks that with examples/json-records.yaml each fact is a line that equals the truth, across a rotation;
// with examples/durable.yaml also if the process is killed while tasks are open.
func TestJSONRecords(t *testing.T) {
	t.Parallel()
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 400, Seed: 67, Failures: true})
	for name, files := range map[string][]string{
		"default": {"../config.yaml", "../examples/json-records.yaml"},
		"killed":  {"../config.yaml", "../examples/durable.yaml", "../examples/json-records.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The stream is shuffled completely: no event may arrive later than the window, even on a busy machine.
			window := filepath.Join(t.TempDir(), "window.yaml")
			require.NoError(t, os.WriteFile(window, []byte("processors: {span_hierarchy: {reorder_window: 15s}}"), 0o600))
			c := startShipped(t, settings{files: append(slices.Clone(files), window)}.with("TASKER_RECORDS_MEGABYTES=1"))
			c.send(lines)
			if name == "killed" {
				require.NoError(t, c.cmd.Process.Signal(syscall.SIGKILL))
				<-c.exited
				c.restart()
			}
			var files []string
			again := 0
			awaitEqual(t, "exact lines", func() []string {
				var err error
				files, err = filepath.Glob(filepath.Join(c.data, "data", "tasker-records*.jsonl"))
				require.NoError(t, err)
				once, repeated := facts(t, linesIn(t, files...))
				again = repeated
				return streamtest.CompareRecords(truth, once)
			})
			assert.Zero(t, c.stop())
			if name != "killed" { // the record being written is then written again
				assert.Zero(t, again)
			}
			assert.Greater(t, len(files), 1, "a rotation")
			for _, file := range files {
				info, err := os.Stat(file)
				require.NoError(t, err)
				assert.LessOrEqual(t, info.Size(), int64(1<<20), file)
			}
		})
	}
}
