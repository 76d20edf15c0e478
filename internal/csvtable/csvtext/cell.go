// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package csvtext

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/printable"
)

// Style is the format of a file's cells.
type Style struct {
	Rows RowFormat
	Time TimeFormat
	// Guard protects text cells from being evaluated by spreadsheets.
	Guard bool
}

// Text returns a text cell: one line of valid UTF-8 without control characters, so that a text can neither look like
// another row nor move a terminal's cursor. A CSV cell is guarded if Guard is set. An empty text is omitted from JSON.
func (s Style) Text(text string) string {
	if s.Rows == RowsJSON {
		if text == "" {
			return ""
		}
		return jsonString(text)
	}
	text = printable.Value(text)
	if s.Guard {
		return Guard(text)
	}
	return text
}

// Number returns the cell of a float. Since JSON has no infinity and no NaN, these are written as strings.
func (s Style) Number(v float64) string {
	if s.Rows == RowsJSON && (math.IsInf(v, 0) || math.IsNaN(v)) {
		return jsonString(Number(v))
	}
	return Number(v)
}

// At returns the cell of a time.
func (s Style) At(at time.Time) string {
	cell := s.Time.Format(at)
	if s.Rows == RowsJSON && !s.Time.number() {
		return jsonString(cell)
	}
	return cell
}

// Object returns the cell of a JSON value, in one line; empty if there is none.
func (s Style) Object(json string) string {
	if s.Rows == RowsJSON {
		return escaped(json)
	}
	return s.Text(json)
}

// TimeFormat is the format of a time.
type TimeFormat string

const (
	// TimeRFC3339Nano is 2006-01-02T15:04:05.000000000Z in UTC with nine fractional digits, so that texts sort as times and
	// readers that infer the format from the first row (pandas since 2.0) can parse all rows.
	TimeRFC3339Nano TimeFormat = "rfc3339nano"
	// TimeRFC3339 is TimeRFC3339Nano in whole seconds.
	TimeRFC3339 TimeFormat = "rfc3339"
	// TimeDatetime is 2006-01-02 15:04:05.999 in UTC, which spreadsheets recognize as a time.
	TimeDatetime TimeFormat = "datetime"
	// TimeUnix is seconds since 1970.
	TimeUnix TimeFormat = "unix"
	// TimeUnixMilli is milliseconds since 1970.
	TimeUnixMilli TimeFormat = "unix_ms"
	// TimeUnixNano is nanoseconds since 1970.
	TimeUnixNano TimeFormat = "unix_ns"
)

// TimeFormats returns all time formats.
func TimeFormats() []TimeFormat {
	return []TimeFormat{TimeRFC3339Nano, TimeRFC3339, TimeDatetime, TimeUnix, TimeUnixMilli, TimeUnixNano}
}

// number reports whether times are written as numbers.
func (f TimeFormat) number() bool {
	return f == TimeUnix || f == TimeUnixMilli || f == TimeUnixNano
}

// Format returns the time as text.
func (f TimeFormat) Format(at time.Time) string {
	switch f {
	case TimeRFC3339:
		return at.UTC().Format(time.RFC3339)
	case TimeDatetime:
		return at.UTC().Format("2006-01-02 15:04:05.000")
	case TimeUnix:
		return strconv.FormatInt(at.Unix(), 10)
	case TimeUnixMilli:
		return strconv.FormatInt(at.UnixMilli(), 10)
	case TimeUnixNano:
		return strconv.FormatInt(at.UnixNano(), 10)
	}
	return at.UTC().Format("2006-01-02T15:04:05.000000000Z07:00")
}

// Number formats a float with all its digits, and without an exponent where that is readable.
func Number(v float64) string {
	format := byte('f')
	if magnitude := math.Abs(v); magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21) {
		format = 'g'
	}
	return strconv.FormatFloat(v, format, -1, 64)
}

// ValidDelimiter reports whether r can separate cells, by the rules of encoding/csv.
func ValidDelimiter(r rune) bool {
	return r != 0 && !slices.Contains([]rune{'"', '\r', '\n', '\uFFFD'}, r)
}
