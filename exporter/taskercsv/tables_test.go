// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskercsv

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// TestTablesAreTheFiles compares the rows of Tables with the exporter's files.
func TestTablesAreTheFiles(t *testing.T) {
	records, metrics, tables := startBoth(t, nil), start(t, nil), NewTables()
	require.NoError(t, records.traces.ConsumeTraces(t.Context(), failedStep()))
	require.NoError(t, records.logs.ConsumeLogs(t.Context(), failedEvent()))

	rows := [][]string{tables.SpanHeader()}
	tables.Spans(failedStep(), func(span ptrace.Span, row []string) {
		assert.Equal(t, "tasker.step.execution", span.Name())
		rows = append(rows, row)
	})
	assert.Equal(t, readFile(t, records.cfg.path(signalTraces)), rows)

	rows = [][]string{tables.LogHeader()}
	tables.Logs(failedEvent(), func(row []string) { rows = append(rows, row) })
	assert.Equal(t, readFile(t, records.cfg.path(signalLogs)), rows)

	for _, md := range []pmetric.Metrics{everyType(), counter(7, 101), delta(2, 102), delta(3, 103)} {
		require.NoError(t, metrics.ConsumeMetrics(t.Context(), md))
		require.NoError(t, tables.AddMetrics(md, at(3).AsTime()))
	}
	rows = [][]string{tables.MetricHeader()}
	tables.Metrics(func(row []string) { rows = append(rows, slices.Clone(row)) })
	assert.Equal(t, metrics.read(t), rows)

	assert.ErrorContains(t, tables.AddMetrics(counter(1, 0), at(3).AsTime()), "out_of_order:1")
}
