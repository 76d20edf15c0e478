// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskercsv

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/tasker-otel/otelcol-tasker/exporter/taskercsv/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/exporter/taskercsv/internal/rowfile"
	"github.com/tasker-otel/otelcol-tasker/internal/csvtable"
)

// metricRows holds the series of a table.
type metricRows struct {
	table      *csvtable.Table
	reader     reader
	expiration time.Duration
	clock      clock
}

func newMetricRows(cfg *Config) *metricRows {
	return &metricRows{
		table:      csvtable.New(cfg.layout(), csvtable.Limits{Series: cfg.MaxSeries, Bytes: cfg.MaxSeriesBytes, Columns: cfg.MaxColumns}),
		reader:     reader{resourceColumns: cfg.ResourceAttributes},
		expiration: cfg.SeriesExpiration,
	}
}

func (r *metricRows) begin()                 { r.table.Begin() }
func (r *metricRows) undo()                  { r.table.Undo() }
func (r *metricRows) settle()                { r.table.Settle() }
func (r *metricRows) fresh() rowfile.Rows    { return tableRows{r.table, true} }
func (r *metricRows) all() rowfile.Rows      { return tableRows{r.table, false} }
func (r *metricRows) adopt(columns []string) { r.table.Adopt(columns) }

func (r *metricRows) expire(now time.Time) int {
	if r.expiration == 0 {
		return 0
	}
	return r.table.Expire(now, r.expiration)
}

func (r *metricRows) report(ctx context.Context, telemetry *metadata.TelemetryBuilder) {
	telemetry.ExporterTaskerCsvSeries.Record(ctx, int64(r.table.Series()))
	telemetry.ExporterTaskerCsvColumns.Record(ctx, int64(r.table.Columns()))
}

// tableRows are all rows of a table, or the fresh ones.
type tableRows struct {
	table *csvtable.Table
	fresh bool
}

// Header implements [rowfile.Rows].
func (r tableRows) Header() []string { return r.table.Header() }

// WriteRows implements [rowfile.Rows].
func (r tableRows) WriteRows(w rowfile.RowWriter) (int, error) { return r.table.WriteRows(w, r.fresh) }

// pushMetrics does not retain md.
func (e *csvExporter) pushMetrics(ctx context.Context, md pmetric.Metrics) error {
	r := e.rows.(*metricRows)
	return e.take(ctx, func(now time.Time) map[string]int64 { return r.merge(md, now) })
}

// merge adds the points of md to the table and returns the number of dropped ones by reason.
func (r *metricRows) merge(md pmetric.Metrics, now time.Time) map[string]int64 {
	if by := r.clock.setBack(now); by > 0 {
		r.table.SetBack(by)
	}
	return r.reader.merge(md, r.table, now)
}
