// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskercsv

import (
	"fmt"
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Tables makes the rows that the exporter writes with its default settings, for programs that count or compare them. It has
// no files and no limits. It serves one goroutine.
type Tables struct {
	cfg     *Config
	spans   layout[ptrace.Span]
	logs    layout[plog.LogRecord]
	metrics *metricRows
}

// NewTables makes tables without rows.
func NewTables() *Tables {
	cfg := createDefaultConfig().(*Config)
	cfg.MaxSeries, cfg.MaxSeriesBytes, cfg.MaxColumns = math.MaxInt, math.MaxInt64, math.MaxInt
	return &Tables{cfg: cfg, spans: cfg.spanLayout(), logs: cfg.logLayout(), metrics: newMetricRows(cfg)}
}

// SpanHeader returns the names of the columns of spans.
func (t *Tables) SpanHeader() []string { return t.cfg.headerCells(t.spans.names) }

// Spans gives each span with its row.
func (t *Tables) Spans(td ptrace.Traces, give func(span ptrace.Span, row []string)) {
	spanRows(t.spans, td, give)
}

// LogHeader returns the names of the columns of log records.
func (t *Tables) LogHeader() []string { return t.cfg.headerCells(t.logs.names) }

// Logs gives the row of each log record.
func (t *Tables) Logs(ld plog.Logs, give func(row []string)) { logRows(t.logs, ld, give) }

// AddMetrics takes data points into the table of metrics. The error says which it could not take.
func (t *Tables) AddMetrics(md pmetric.Metrics, now time.Time) error {
	if dropped := t.metrics.merge(md, now); len(dropped) > 0 {
		return fmt.Errorf("data points are left out of the table of metrics, by reason: %v", dropped)
	}
	return nil
}

// MetricHeader returns the names of the columns of metrics, which depend on the labels that have been added.
func (t *Tables) MetricHeader() []string { return t.metrics.table.Header() }

// Metrics gives the rows of all series, each valid until the call returns.
func (t *Tables) Metrics(give func(row []string)) {
	_, _ = t.metrics.table.WriteRows(rowFunc(give), false) // rowFunc has no errors
}

// rowFunc implements [csvtable.RowWriter].
type rowFunc func(row []string)

// Write gives the row to the function.
func (f rowFunc) Write(row []string) error {
	f(row)
	return nil
}
