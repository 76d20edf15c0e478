// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/exporter/taskercsv"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// results consumes what the components emit and summarizes it. Its rows are those that tasker_csv would write.
type results struct {
	mu     sync.Mutex // the components send concurrently
	tables *taskercsv.Tables
	expect *Expectations
	result Result

	spanFile, recordFile, metricFile *tableFile
}

func newResults(settings *Settings) *results {
	file := func(name string) *tableFile {
		if settings.Directory == "" {
			return nil
		}
		return &tableFile{path: filepath.Join(settings.Directory, name)}
	}
	return &results{
		tables:     taskercsv.NewTables(),
		expect:     settings.Expect,
		result:     Result{Spans: []Spans{}, Records: []Count{}, Metrics: []Row{}},
		spanFile:   file("traces.csv"),
		recordFile: file("logs.csv"),
		metricFile: file("metrics.csv"),
	}
}

func (r *results) spans(_ context.Context, td ptrace.Traces) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	header := r.tables.SpanHeader()
	r.tables.Spans(td, func(span ptrace.Span, cells []string) {
		r.spanFile.write(header, cells)
		row := rowByColumn(header, cells)
		i := slices.IndexFunc(r.result.Spans, func(s Spans) bool { return s.Name == row["name"] })
		if i < 0 {
			i = len(r.result.Spans)
			r.result.Spans = append(r.result.Spans, Spans{Name: row["name"], Status: map[string]int{}})
		}
		of := &r.result.Spans[i]
		of.Spans++
		marked, found := span.Attributes().Get(lifecycle.AttrIncomplete)
		incomplete := found && marked.Bool()
		if incomplete {
			of.Incomplete++
		}
		row["incomplete"] = strconv.FormatBool(incomplete)
		if row["status"] != "" {
			of.Status[row["status"]]++
		}
		r.expect.check(sectionSpans, row)
	})
	return nil
}

func (r *results) records(_ context.Context, ld plog.Logs) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	header := r.tables.LogHeader()
	r.tables.Logs(ld, func(cells []string) {
		r.recordFile.write(header, cells)
		row := rowByColumn(header, cells)
		i := slices.IndexFunc(r.result.Records, func(c Count) bool { return c.Name == row["event"] })
		if i < 0 {
			i = len(r.result.Records)
			r.result.Records = append(r.result.Records, Count{Name: row["event"]})
		}
		r.result.Records[i].Count++
		r.expect.check(sectionRecords, row)
	})
	return nil
}

func (r *results) metrics(_ context.Context, md pmetric.Metrics) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tables.AddMetrics(md, time.Now())
}

// finish completes the summary after the components have been stopped.
func (r *results) finish() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	header := r.tables.MetricHeader()
	r.tables.Metrics(func(cells []string) {
		r.metricFile.write(header, cells)
		row := rowByColumn(header, cells)
		metric := Row{Name: row["name"], Type: row["type"], Value: row["value"], Labels: map[string]string{}}
		for column, cell := range row {
			if cell != "" && !slices.Contains([]string{"timestamp", "name", "type", "value"}, column) {
				metric.Labels[column] = cell
			}
		}
		r.result.Metrics = append(r.result.Metrics, metric)
		r.expect.check(sectionMetrics, row)
	})
	slices.SortFunc(r.result.Spans, func(a, b Spans) int { return levelOf(a.Name) - levelOf(b.Name) })
	slices.SortFunc(r.result.Records, func(a, b Count) int { return b.Count - a.Count })
	return errors.Join(r.spanFile.close(), r.recordFile.close(), r.metricFile.close())
}

func rowByColumn(header, cells []string) map[string]string {
	row := make(map[string]string, len(cells)+1) // one more for "incomplete"
	for i, cell := range cells {
		row[header[i]] = cell
	}
	return row
}

// levelOf orders span names as in a tree.
func levelOf(name string) int {
	return slices.Index([]string{
		lifecycle.SpanTask, lifecycle.SpanQueued, lifecycle.SpanOrchestration, lifecycle.SpanDependency, lifecycle.SpanBatch,
		lifecycle.SpanStep, lifecycle.SpanHandler, lifecycle.SpanQuery, lifecycle.SpanBackoff, lifecycle.SpanFinalization,
	}, name)
}
