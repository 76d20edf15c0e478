// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package csvtable

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/csvtable/csvtext"
)

// Mode determines the rows of a histogram or a summary.
type Mode string

const (
	// ModeBuckets writes NAME_count, NAME_sum and one NAME_bucket row per bucket, with its upper bound in the column "le".
	ModeBuckets Mode = "buckets"
	// ModeQuantiles writes one row NAME per quantile, with the quantile in the column "quantile".
	ModeQuantiles Mode = "quantiles"
	// ModeSummary writes NAME_count, NAME_sum and the rows of ModeQuantiles.
	ModeSummary Mode = "summary"
)

// Modes returns all modes.
func Modes() []Mode { return []Mode{ModeBuckets, ModeQuantiles, ModeSummary} }

// Layout is the format of the file.
type Layout struct {
	// ResourceColumns are the resource attributes that have a column, in the order of NewOwner's cells.
	ResourceColumns []string
	Mode            Mode
	// Quantiles are the quantiles to estimate for histograms, 0 to 1.
	Quantiles []float64
	csvtext.Style
	Delimiter rune
	// Columns, if set, lists the file's columns in order: fixed ones, resource attributes, labels, and "labels", a JSON
	// object of the labels without a column. A column without a source stays empty.
	Columns []string
}

// Names of the columns that every file has, in this order. They are followed by the resource columns, "le" (ModeBuckets
// only) and "quantile".
const (
	columnTimestamp = "timestamp"
	columnName      = "name"
	columnType      = "type"
	columnValue     = "value"
	columnLE        = "le"
	columnQuantile  = "quantile"
)

// labelPrefix is prepended to a label name that would collide with another column.
const labelPrefix = "label."

// fixedColumns returns the columns that precede the labels.
func (l Layout) fixedColumns() []string {
	columns := append([]string{columnTimestamp, columnName, columnType, columnValue}, l.ResourceColumns...)
	if l.Mode == ModeBuckets {
		columns = append(columns, columnLE)
	}
	return append(columns, columnQuantile)
}

// labelColumn returns the column name of a label. It is unique: a label that begins with the prefix gets the prefix again.
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

// labelOf returns the label of a column. It is the inverse of labelColumn.
func (l Layout) labelOf(column string) string { return strings.TrimPrefix(column, labelPrefix) }

// header returns the header row for the given label keys.
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

// allColumns returns all columns for the given label keys.
func (l Layout) allColumns(labels []string) []string {
	columns := l.fixedColumns()
	for _, key := range labels {
		columns = append(columns, l.labelColumn(key))
	}
	return columns
}

// columnOthers is the column of the labels without a column of their own.
const columnOthers = "labels"

// Indexes of chosen columns that are not in the record.
const (
	placeNone   = -1
	placeOthers = -2
)

// othersOf returns the labels without a column as a JSON object; empty if there are none.
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
		return "" // unreachable: a map of strings can be marshaled
	}
	return string(text)
}
