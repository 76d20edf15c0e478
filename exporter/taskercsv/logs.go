// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskercsv

import (
	"cmp"
	"context"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/csvtable/csvtext"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// defaultLogColumns returns the default columns of log records, before those of resource attributes.
func defaultLogColumns() []string {
	return []string{
		"timestamp", "event", "severity", "body", "trace_id", "span_id", "task_id", "task_name", "step_id", "step_name",
		"attempt", "correlation_id", columnAttributes,
	}
}

// logColumns returns the columns that are not plain attributes.
func logColumns(style csvtext.Style) map[string]column[plog.LogRecord] {
	made := func(cell func(plog.LogRecord) string) column[plog.LogRecord] {
		return column[plog.LogRecord]{cell: func(r record[plog.LogRecord]) string { return cell(r.of) }}
	}
	return map[string]column[plog.LogRecord]{
		"timestamp":          made(func(r plog.LogRecord) string { return logTime(style, r.Timestamp(), r.ObservedTimestamp()) }),
		"observed_timestamp": made(func(r plog.LogRecord) string { return logTime(style, r.ObservedTimestamp()) }),
		"event":              made(func(r plog.LogRecord) string { return style.Text(r.EventName()) }),
		"severity":           made(func(r plog.LogRecord) string { return style.Text(severity(r)) }),
		"body":               made(func(r plog.LogRecord) string { return valueCell(style, r.Body()) }),
		"trace_id":           made(func(r plog.LogRecord) string { return style.Text(r.TraceID().String()) }),
		"span_id":            made(func(r plog.LogRecord) string { return style.Text(r.SpanID().String()) }),
		"attempt":            attributeColumn[plog.LogRecord](style, lifecycle.AttrAttemptNumber, lifecycle.AttrAttempt),
	}
}

// logTime returns the first of several times that is set.
func logTime(style csvtext.Style, times ...pcommon.Timestamp) string {
	at := cmp.Or(times...)
	if at == 0 {
		return ""
	}
	return style.At(at.AsTime())
}

func severity(r plog.LogRecord) string {
	if text := r.SeverityText(); text != "" {
		return text
	}
	if r.SeverityNumber() == plog.SeverityNumberUnspecified {
		return ""
	}
	return strings.ToUpper(r.SeverityNumber().String())
}

// logLayout returns the layout of log records.
func (cfg *Config) logLayout() layout[plog.LogRecord] {
	return newLayout(cfg.columnNames(defaultLogColumns()), logColumns(cfg.style()), cfg.style())
}

// logRows calls give with the row of each log record.
func logRows(l layout[plog.LogRecord], ld plog.Logs, give func([]string)) {
	for _, resource := range ld.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, of := range scope.LogRecords().All() {
				give(l.row(record[plog.LogRecord]{resource.Resource().Attributes(), of.Attributes(), of}))
			}
		}
	}
}

// logPusher returns the consumer of log records, which does not retain them.
func (e *csvExporter) logPusher(rows *recordRows, l layout[plog.LogRecord]) func(context.Context, plog.Logs) error {
	return func(ctx context.Context, ld plog.Logs) error {
		return e.take(ctx, func(time.Time) map[string]int64 {
			logRows(l, ld, rows.add)
			return nil
		})
	}
}
