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

// recordRows holds a row per span or log record: for a snapshot the latest ones, for appending those that are not yet
// written.
type recordRows struct {
	header []string // column names, as cells
	limit  int      // of a snapshot; 0 when appending
	rows   [][]string
	before [][]string // rows at begin
}

func (r *recordRows) begin() { r.before = r.rows }
func (r *recordRows) undo()  { r.rows = r.before }

// settle removes rows that are written.
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

// add appends a row. Rows shared with before are not overwritten: rows are only appended to the slice and removed from its
// front.
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

// column makes the cells of a column.
type column[T any] struct {
	// cell returns the cell of a record, in the format of the file.
	cell func(record[T]) string
	// of are the attributes from which the cell is made: the first present one of several alternatives.
	of []string
}

// attributeColumn makes the column of the first present one of several attributes.
func attributeColumn[T any](style csvtext.Style, keys ...string) column[T] {
	return column[T]{of: keys, cell: func(r record[T]) string { return firstCell(style, r.attributes, keys...) }}
}

// columnAttributes is the column of all attributes without a column of their own.
const columnAttributes = "attributes"

// layout converts records to rows.
type layout[T any] struct {
	names   []string // of columns
	columns []column[T]
}

// newLayout resolves column names: first the signal's columns, then attributes of the record, then of the resource. A name
// without a dot also stands for Tasker's attribute: task_name is tasker.task_name.
func newLayout[T any](names []string, own map[string]column[T], style csvtext.Style) layout[T] {
	columns := make([]column[T], len(names))
	for i, name := range names {
		c, known := own[name]
		switch {
		case known:
		case name == columnAttributes:
			c.cell = func(r record[T]) string { return style.Object(others(r.attributes, columns)) }
		default:
			c.of = []string{lifecycle.AttributePrefix + name, name}
			c.cell = func(r record[T]) string {
				if _, value, found := first(r.attributes, c.of...); found {
					return valueCell(style, value)
				}
				return firstCell(style, r.resource, name)
			}
		}
		columns[i] = c
	}
	return layout[T]{names, columns}
}

func (l layout[T]) row(r record[T]) []string {
	row := make([]string, len(l.columns))
	for i, c := range l.columns {
		row[i] = c.cell(r)
	}
	return row
}

// firstCell returns the cell of the first present attribute.
func firstCell(style csvtext.Style, attributes pcommon.Map, keys ...string) string {
	if _, value, found := first(attributes, keys...); found {
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

// others returns the attributes without a column as JSON; empty if there are none.
func others[T any](attributes pcommon.Map, columns []column[T]) string {
	var elsewhere []string
	for _, c := range columns {
		if key, _, found := first(attributes, c.of...); found {
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

// columnNames returns the configured columns, or the signal's defaults.
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

// headerCells returns column names as cells.
func (cfg *Config) headerCells(names []string) []string {
	cells := make([]string, len(names))
	for i, name := range names {
		cells[i] = cfg.style().Text(name)
	}
	return cells
}

// newRecordRows makes the rows of a signal with columns of these names.
func newRecordRows(cfg *Config, of signal, names []string) *recordRows {
	r := &recordRows{header: cfg.headerCells(names)}
	if !cfg.appends(of) {
		r.limit = cfg.MaxRows
	}
	return r
}

// first returns the first present attribute.
func first(attributes pcommon.Map, keys ...string) (key string, value pcommon.Value, found bool) {
	for _, key := range keys {
		if value, found := attributes.Get(key); found {
			return key, value, true
		}
	}
	return "", pcommon.Value{}, false
}
