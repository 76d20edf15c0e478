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

// Tables produces the rows of the exporter's default settings, for programs that count or compare them. It has no files and
// no limits, and is not safe for concurrent use.
type Tables struct {
	cfg     *Config
	spans   layout[ptrace.Span]
	logs    layout[plog.LogRecord]
	metrics *metricRows
}

// NewTables makes empty tables.
func NewTables() *Tables {
	cfg := createDefaultConfig().(*Config)
	cfg.MaxSeries, cfg.MaxSeriesBytes, cfg.MaxColumns = math.MaxInt, math.MaxInt64, math.MaxInt
	return &Tables{cfg: cfg, spans: cfg.spanLayout(), logs: cfg.logLayout(), metrics: newMetricRows(cfg)}
}

// SpanHeader returns the column names of spans.
func (t *Tables) SpanHeader() []string { return t.cfg.headerCells(t.spans.names) }

// Spans calls give with each span and its row.
func (t *Tables) Spans(td ptrace.Traces, give func(span ptrace.Span, row []string)) {
	spanRows(t.spans, td, give)
}

// LogHeader returns the column names of log records.
func (t *Tables) LogHeader() []string { return t.cfg.headerCells(t.logs.names) }

// Logs calls give with the row of each log record.
func (t *Tables) Logs(ld plog.Logs, give func(row []string)) { logRows(t.logs, ld, give) }

// AddMetrics adds data points to the table of metrics. The error reports dropped ones.
func (t *Tables) AddMetrics(md pmetric.Metrics, now time.Time) error {
	if dropped := t.metrics.merge(md, now); len(dropped) > 0 {
		return fmt.Errorf("data points were dropped, by reason: %v", dropped)
	}
	return nil
}

// MetricHeader returns the column names of metrics, which depend on the labels added so far.
func (t *Tables) MetricHeader() []string { return t.metrics.table.Header() }

// Metrics calls give with the rows of all series. A row is valid until give returns.
func (t *Tables) Metrics(give func(row []string)) {
	_, _ = t.metrics.table.WriteRows(rowFunc(give), false) // rowFunc returns no errors
}

// rowFunc implements [csvtable.RowWriter].
type rowFunc func(row []string)

// Write calls the function.
func (f rowFunc) Write(row []string) error {
	f(row)
	return nil
}
