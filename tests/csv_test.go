// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// csvEverywhere writes the three signals as CSV, in addition to the tests' outputs.
const csvEverywhere = `
processors:
  event_router: {default_signals: [traces, metrics, logs]}
exporters:
  tasker_csv: {path: %q}
service:
  pipelines:
    traces: {exporters: [otlp_grpc/sink, span_to_metrics, routed_events, tasker_csv]}
    logs/records: {exporters: [otlp_grpc/sink, tasker_csv]}
`

// TestTables checks that every span and every record is a row, and that a kill leaves no incomplete row.
func TestTables(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	config := fmt.Sprintf(csvEverywhere, filepath.Join(directory, "{signal}.csv"))
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 40, Seed: 31, Failures: true})
	sink := newSink(t)
	c := start(t, sink, config)
	c.sendNDJSON(connections, shuffledBatches(lines, 31))
	awaitTasks(t, sink, len(truth))
	column := func(name, column string) map[string]int {
		rows := readTable(t, filepath.Join(directory, name))
		for i, header := range rows[0] {
			if header == column {
				counts := map[string]int{}
				for _, row := range rows[1:] {
					counts[row[i]]++
				}
				return counts
			}
		}
		t.Fatalf("%s has no column %s: %v", name, column, rows[0])
		return nil
	}
	await(t, 20*time.Second, "rows of all spans and records", func() bool {
		return rowsIn(directory, "traces.csv") == len(sink.all()) && rowsIn(directory, "logs.csv") == len(sink.allRecords())
	}, func() any { return []int{rowsIn(directory, "traces.csv"), rowsIn(directory, "logs.csv")} })
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGKILL))
	<-c.exited

	// Everything acknowledged before the kill is written; the next collector appends to it.
	spans := column("traces.csv", "span_id")
	for _, span := range sink.all() {
		assert.Equal(t, 1, spans[fmt.Sprintf("%x", span.SpanID)], "rows of a span")
	}
	assert.Len(t, spans, len(sink.all()))
	assert.Equal(t, len(truth), column("traces.csv", "level")["1"])
	records := 0
	for _, n := range column("logs.csv", "event") {
		records += n
	}
	assert.Equal(t, len(sink.allRecords()), records)

	more, moreTruth := streamtest.Generate(streamtest.Options{Tasks: 5, Seed: 32, FirstID: 10_000})
	c = start(t, sink, config)
	c.sendNDJSON(connections, shuffledBatches(more, 32))
	awaitTasks(t, sink, len(truth)+len(moreTruth))
	assert.Zero(t, c.stop())
	assert.Len(t, column("traces.csv", "span_id"), len(sink.all()))
	assert.Equal(t, len(truth)+len(moreTruth), column("traces.csv", "level")["1"])
}

// rowsIn returns the number of rows of a table that is being written.
func rowsIn(directory, name string) int {
	file, err := os.Open(filepath.Join(directory, name))
	if err != nil {
		return 0
	}
	defer file.Close()
	rows, _ := csv.NewReader(file).ReadAll() // the last one may be incomplete
	return max(0, len(rows)-1)
}

func readTable(t *testing.T, path string) [][]string {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll() // rejects rows of different lengths
	require.NoError(t, err)
	return rows
}
