package metrictable

import (
	"slices"
	"strings"
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

// TimeFormat says how the column "timestamp" is written.
type TimeFormat string

const (
	// TimeRFC3339Nano is 2006-01-02T15:04:05.999999999Z, always UTC.
	TimeRFC3339Nano TimeFormat = "rfc3339nano"
	// TimeUnix is whole seconds since 1970.
	TimeUnix TimeFormat = "unix"
	// TimeUnixMilli is whole milliseconds since 1970.
	TimeUnixMilli TimeFormat = "unix_ms"
)

// TimeFormats returns all formats of the column "timestamp".
func TimeFormats() []TimeFormat { return []TimeFormat{TimeRFC3339Nano, TimeUnix, TimeUnixMilli} }

// Layout is how a table looks as a file.
type Layout struct {
	// ResourceColumns are the resource attributes that have a column, in the order of NewOwner's cells.
	ResourceColumns []string
	Mode            Mode
	// Quantiles are the quantiles estimated for histograms, 0 to 1.
	Quantiles []float64
	Time      TimeFormat
	// Guard says that text cells are made safe for spreadsheets.
	Guard     bool
	Delimiter rune
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
	if slices.Contains(reserved, key) || slices.Contains(l.ResourceColumns, key) || strings.HasPrefix(key, labelPrefix) {
		return labelPrefix + key
	}
	return key
}

// header returns the header row for the label keys.
func (l Layout) header(labels []string) []string {
	header := l.fixedColumns()
	for _, key := range labels {
		header = append(header, l.labelColumn(key))
	}
	for i, cell := range header {
		header[i] = l.text(cell)
	}
	return header
}

// text returns a text cell: valid UTF-8, guarded if so configured.
func (l Layout) text(cell string) string {
	cell = strings.ToValidUTF8(cell, "\uFFFD")
	if l.Guard {
		return guard(cell)
	}
	return cell
}
