// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskercsv

import (
	"context"
	"math"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/exporter/taskercsv/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/exporter/taskercsv/internal/rowfile"
	"github.com/tasker-otel/otelcol-tasker/internal/csvtable/csvtext"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// recordRows keeps a row per span or a log record: in a snapshot the latest ones, for appending those that are not yet in the
// file.
type recordRows struct {
	header []string // names of the columns, as cells
	limit  int      // of a snapshot; 0 when appending
	rows   [][]string
	before [][]string // rows as they were at begin
}

func (r *recordRows) begin() { r.before = r.rows }
func (r *recordRows) undo()  { r.rows = r.before }

// settle forgets rows that are in the file to stay.
func (r *recordRows) settle() {
	if r.limit == 0 {
		r.rows = nil
	}
	r.before = nil
}

func (r *recordRows) adopt([]string)       {}
func (r *recordRows) expire(time.Time) int { return 0 }
func (r *recordRows) fresh() rowfile.Rows  { return r }
func (r *recordRows) all() rowfile.Rows    { return r }

func (r *recordRows) report(context.Context, *metadata.TelemetryBuilder) {}

// add appends a row. A slice that before shares is never written to: rows are only added behind it and left out before it.
func (r *recordRows) add(row []string) {
	r.rows = append(r.rows, row)
	if r.limit > 0 && len(r.rows) > r.limit {
		r.rows = r.rows[len(r.rows)-r.limit:]
	}
}

// Header implements [rowfile.Rows].
func (r *recordRows) Header() []string { return r.header }

// WriteRows implements [rowfile.Rows].
func (r *recordRows) WriteRows(w rowfile.RowWriter) (int, error) {
	for _, row := range r.rows {
		if err := w.Write(row); err != nil {
			return 0, err
		}
	}
	return len(r.rows), nil
}

// record is a span or a log record with its resource.
type record[T any] struct {
	resource   pcommon.Map
	attributes pcommon.Map
	of         T
}

// column gives the cell of a record, in the style of the file.
type column[T any] func(record[T]) string

// columnAttributes is the column of all attributes that have none of their own.
const columnAttributes = "attributes"

// layout makes rows of records.
type layout[T any] struct {
	names   []string // of the columns
	columns []column[T]
}

// newLayout finds the columns by their names: those of the signal, then attributes, first of the record and then of the
// resource. A name without a dot is also that of Tasker's attribute: task_name is tasker.task_name. Of the attributes that made
// names, a column of the signal shows the first there is.
func newLayout[T any](names []string, own map[string]column[T], made map[string][]string, style csvtext.Style) layout[T] {
	l := layout[T]{names: names}
	shown := make([][]string, len(names)) // by column: it shows the first of these that a record has
	for i, name := range names {
		cell, known := own[name]
		switch {
		case known:
			shown[i] = made[name]
		case name == columnAttributes:
			cell = func(r record[T]) string { return style.Object(others(r.attributes, shown)) }
		default:
			shown[i] = []string{lifecycle.AttributePrefix + name, name}
			cell = func(r record[T]) string { return attributeCell(style, name, shown[i], r.attributes, r.resource) }
		}
		l.columns = append(l.columns, cell)
	}
	return l
}

func (l layout[T]) row(r record[T]) []string {
	row := make([]string, len(l.columns))
	for i, cell := range l.columns {
		row[i] = cell(r)
	}
	return row
}

// attributeCell returns the text of the attribute that a column is named after.
func attributeCell(style csvtext.Style, name string, keys []string, attributes, resource pcommon.Map) string {
	if _, value, found := first(attributes, keys); found {
		return valueCell(style, value)
	}
	if value, found := resource.Get(name); found {
		return valueCell(style, value)
	}
	return ""
}

// firstCell returns the cell of the first attribute there is.
func firstCell(style csvtext.Style, attributes pcommon.Map, keys []string) string {
	if _, value, found := first(attributes, keys); found {
		return valueCell(style, value)
	}
	return ""
}

// valueCell returns the cell of an attribute's value.
func valueCell(style csvtext.Style, value pcommon.Value) string {
	switch value.Type() {
	case pcommon.ValueTypeStr, pcommon.ValueTypeBytes:
		return style.Text(value.AsString())
	case pcommon.ValueTypeDouble:
		if d := value.Double(); math.IsInf(d, 0) || math.IsNaN(d) {
			return style.Text(value.AsString())
		}
	}
	return style.Object(value.AsString())
}

// others returns the attributes that no column shows, as JSON; nothing if there are none.
func others(attributes pcommon.Map, shown [][]string) string {
	var elsewhere []string
	for _, keys := range shown {
		if key, _, found := first(attributes, keys); found {
			elsewhere = append(elsewhere, key)
		}
	}
	rest := pcommon.NewMap()
	for key, value := range attributes.All() {
		if !slices.Contains(elsewhere, key) {
			value.CopyTo(rest.PutEmpty(key))
		}
	}
	if rest.Len() == 0 {
		return ""
	}
	text := pcommon.NewValueMap()
	rest.MoveTo(text.Map())
	return text.AsString()
}

// columnNames are the columns that are configured, or those that a signal has by default.
func (cfg *Config) columnNames(defaults []string) []string {
	if len(cfg.Columns) > 0 {
		return slices.Clone(cfg.Columns)
	}
	for _, key := range cfg.ResourceAttributes {
		if !slices.Contains(defaults, key) {
			defaults = append(defaults, key)
		}
	}
	return defaults
}

// headerCells are names of columns as cells.
func (cfg *Config) headerCells(names []string) []string {
	cells := make([]string, len(names))
	for i, name := range names {
		cells[i] = cfg.style().Text(name)
	}
	return cells
}

// newRecordRows makes the rows of a signal, with columns of these names.
func newRecordRows(cfg *Config, of signal, names []string) *recordRows {
	r := &recordRows{header: cfg.headerCells(names)}
	if !cfg.appends(of) {
		r.limit = cfg.MaxRows
	}
	return r
}

// firstOf returns the text of the first attribute there is.
func firstOf(attributes pcommon.Map, keys []string) string {
	if _, value, found := first(attributes, keys); found {
		return value.AsString()
	}
	return ""
}

// first returns the first attribute there is.
func first(attributes pcommon.Map, keys []string) (key string, value pcommon.Value, found bool) {
	for _, key := range keys {
		if value, found := attributes.Get(key); found {
			return key, value, true
		}
	}
	return "", pcommon.Value{}, false
}
