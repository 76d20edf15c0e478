// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package csvtable

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/csvtable/csvtext"
)

// Mode says which rows a histogram or a summary has.
type Mode string

const (
	// ModeBuckets is NAME_count, NAME_sum and one NAME_bucket row a bucket, with its upper bound in the column "le".
	ModeBuckets Mode = "buckets"
	// ModeQuantiles is one row NAME a quantile, with the quantile in the column "quantile".
	ModeQuantiles Mode = "quantiles"
	// ModeSummary is NAME_count, NAME_sum and the rows of ModeQuantiles.
	ModeSummary Mode = "summary"
)

// Modes returns all modes.
func Modes() []Mode { return []Mode{ModeBuckets, ModeQuantiles, ModeSummary} }

// Layout is how a table looks as a file.
type Layout struct {
	// ResourceColumns are the resource attributes that have a column, in the order of NewOwner's cells.
	ResourceColumns []string
	Mode            Mode
	// Quantiles are the quantiles estimated for histograms, 0 to 1.
	Quantiles []float64
	csvtext.Style
	Delimiter rune
	// Columns, if there are any, are the columns of the file in this order: fixed ones, resource attributes, labels, and
	// "labels", a JSON object of the labels that have none. One that nothing fills stays empty.
	Columns []string
}

// Names of the columns that every file has, in this order, then the resource columns, "le" (ModeBuckets only) and
// "quantile".
const (
	columnTimestamp = "timestamp"
	columnName      = "name"
	columnType      = "type"
	columnValue     = "value"
	columnLE        = "le"
	columnQuantile  = "quantile"
)

// labelPrefix stands before the name of a label that would otherwise collide with a column of another meaning.
const labelPrefix = "label."

// fixedColumns returns the columns before the labels.
func (l Layout) fixedColumns() []string {
	columns := append([]string{columnTimestamp, columnName, columnType, columnValue}, l.ResourceColumns...)
	if l.Mode == ModeBuckets {
		columns = append(columns, columnLE)
	}
	return append(columns, columnQuantile)
}

// labelColumn returns the column name of a label. Different labels have different names: whatever begins with the prefix
// gets it once more.
func (l Layout) labelColumn(key string) string {
	reserved := []string{columnTimestamp, columnName, columnType, columnValue, columnLE, columnQuantile}
	if l.Columns != nil {
		reserved = append(reserved, columnOthers)
	}
	if slices.Contains(reserved, key) || slices.Contains(l.ResourceColumns, key) || strings.HasPrefix(key, labelPrefix) {
		return labelPrefix + key
	}
	return key
}

// labelOf returns the label that has a column, the inverse of labelColumn.
func (l Layout) labelOf(column string) string { return strings.TrimPrefix(column, labelPrefix) }

// header returns the header row for the label keys.
func (l Layout) header(labels []string) []string {
	header := slices.Clone(l.Columns)
	if header == nil {
		header = l.allColumns(labels)
	}
	for i, cell := range header {
		header[i] = l.Text(cell)
	}
	return header
}

// allColumns returns every column there is, with these labels.
func (l Layout) allColumns(labels []string) []string {
	columns := l.fixedColumns()
	for _, key := range labels {
		columns = append(columns, l.labelColumn(key))
	}
	return columns
}

// columnOthers is the column of the labels that have none.
const columnOthers = "labels"

// Places of a chosen column that is in no record.
const (
	placeNone   = -1
	placeOthers = -2
)

// othersOf returns the labels without a column as a JSON object; nothing if there are none.
func othersOf(labels []Label, layout Layout) string {
	others := map[string]string{}
	for _, label := range labels {
		if !slices.Contains(layout.Columns, layout.labelColumn(label.Key)) {
			others[label.Key] = label.Value
		}
	}
	if len(others) == 0 {
		return ""
	}
	text, err := json.Marshal(others)
	if err != nil {
		return "" // a map of texts has always a JSON form
	}
	return string(text)
}
