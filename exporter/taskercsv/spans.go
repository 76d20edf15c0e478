// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskercsv

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/csvtable/csvtext"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// defaultSpanColumns returns the default columns of spans, before those of resource attributes.
func defaultSpanColumns() []string {
	return []string{
		"trace_id", "span_id", "parent_span_id", "level", "name", "task_id", "task_name", "step_id", "step_name", "attempt",
		"start", "end", "duration_seconds", "status", "error_type", "error_message",
	}
}

// spanColumns returns the columns that are not plain attributes.
func spanColumns(style csvtext.Style) map[string]column[ptrace.Span] {
	made := func(cell func(ptrace.Span) string) column[ptrace.Span] {
		return column[ptrace.Span]{cell: func(r record[ptrace.Span]) string { return cell(r.of) }}
	}
	return map[string]column[ptrace.Span]{
		"trace_id":       made(func(s ptrace.Span) string { return style.Text(s.TraceID().String()) }),
		"span_id":        made(func(s ptrace.Span) string { return style.Text(s.SpanID().String()) }),
		"parent_span_id": made(func(s ptrace.Span) string { return style.Text(s.ParentSpanID().String()) }),
		"level":          made(func(s ptrace.Span) string { return levelOf(s.Name()) }),
		"name":           made(func(s ptrace.Span) string { return style.Text(s.Name()) }),
		"kind":           made(func(s ptrace.Span) string { return style.Text(s.Kind().String()) }),
		"attempt":        attributeColumn[ptrace.Span](style, lifecycle.AttrAttemptNumber),
		"start":          made(func(s ptrace.Span) string { return style.At(s.StartTimestamp().AsTime()) }),
		"end":            made(func(s ptrace.Span) string { return style.At(s.EndTimestamp().AsTime()) }),
		"duration_seconds": made(func(s ptrace.Span) string {
			return style.Number(s.EndTimestamp().AsTime().Sub(s.StartTimestamp().AsTime()).Seconds())
		}),
		"status": {of: []string{lifecycle.AttrStatus}, cell: func(r record[ptrace.Span]) string {
			if _, status, found := first(r.attributes, lifecycle.AttrStatus); found && status.AsString() != "" {
				return style.Text(status.AsString())
			}
			return style.Text(spanStatus(r.of.Status().Code()))
		}},
		"error_type": attributeColumn[ptrace.Span](style, lifecycle.AttrErrorType),
		"error_message": {of: []string{lifecycle.AttrErrorMessage}, cell: func(r record[ptrace.Span]) string {
			if message := r.of.Status().Message(); message != "" {
				return style.Text(message)
			}
			return firstCell(style, r.attributes, lifecycle.AttrErrorMessage)
		}},
	}
}

// levelOf returns the level in the tree: 1 task, 2 pass, 3 batch, 4 step, 5 handler or query; empty for other spans.
func levelOf(name string) string {
	switch name {
	case lifecycle.SpanTask:
		return "1"
	case lifecycle.SpanOrchestration:
		return "2"
	case lifecycle.SpanBatch:
		return "3"
	case lifecycle.SpanStep:
		return "4"
	case lifecycle.SpanHandler, lifecycle.SpanQuery:
		return "5"
	}
	return ""
}

// spanStatus returns the outcome of spans without a Tasker status.
func spanStatus(code ptrace.StatusCode) string {
	switch code {
	case ptrace.StatusCodeOk:
		return "ok"
	case ptrace.StatusCodeError:
		return "error"
	}
	return ""
}

// spanLayout returns the layout of spans.
func (cfg *Config) spanLayout() layout[ptrace.Span] {
	return newLayout(cfg.columnNames(defaultSpanColumns()), spanColumns(cfg.style()), cfg.style())
}

// spanRows calls give with each span and its row.
func spanRows(l layout[ptrace.Span], td ptrace.Traces, give func(ptrace.Span, []string)) {
	for _, resource := range td.ResourceSpans().All() {
		for _, scope := range resource.ScopeSpans().All() {
			for _, span := range scope.Spans().All() {
				give(span, l.row(record[ptrace.Span]{resource.Resource().Attributes(), span.Attributes(), span}))
			}
		}
	}
}

// spanPusher returns the consumer of spans, which does not retain them.
func (e *csvExporter) spanPusher(rows *recordRows, l layout[ptrace.Span]) func(context.Context, ptrace.Traces) error {
	return func(ctx context.Context, td ptrace.Traces) error {
		return e.take(ctx, func(time.Time) map[string]int64 {
			spanRows(l, td, func(_ ptrace.Span, row []string) { rows.add(row) })
			return nil
		})
	}
}
