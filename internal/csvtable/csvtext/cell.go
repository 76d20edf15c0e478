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

// Style is how the cells of a file look.
type Style struct {
	Rows RowFormat
	Time TimeFormat
	// Guard says that text cells are made safe for spreadsheets.
	Guard bool
}

// Text returns a text cell: one line of valid UTF-8 without control characters, so that no text of an application looks like a
// row of its own or moves a terminal's cursor. In CSV it is guarded if so configured; in JSON an empty text is no cell.
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

// Number returns the cell of a float. JSON has no infinite numbers and no non-numbers: they are texts.
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

// Object returns the cell of a value that is JSON already, in one line; nothing if there is none.
func (s Style) Object(json string) string {
	if s.Rows == RowsJSON {
		return escaped(json)
	}
	return s.Text(json)
}

// TimeFormat says how a time is written.
type TimeFormat string

const (
	// TimeRFC3339Nano is 2006-01-02T15:04:05.000000000Z, always UTC and always with nine digits: such texts sort as their
	// times do, and readers that learn the format from the first row (pandas from 2.0 on) find it in all.
	TimeRFC3339Nano TimeFormat = "rfc3339nano"
	// TimeRFC3339 is the same in whole seconds.
	TimeRFC3339 TimeFormat = "rfc3339"
	// TimeDatetime is 2006-01-02 15:04:05.999, UTC, which spreadsheets take for a time.
	TimeDatetime TimeFormat = "datetime"
	// TimeUnix is whole seconds since 1970.
	TimeUnix TimeFormat = "unix"
	// TimeUnixMilli is whole milliseconds since 1970.
	TimeUnixMilli TimeFormat = "unix_ms"
	// TimeUnixNano is nanoseconds since 1970.
	TimeUnixNano TimeFormat = "unix_ns"
)

// TimeFormats returns all formats of times.
func TimeFormats() []TimeFormat {
	return []TimeFormat{TimeRFC3339Nano, TimeRFC3339, TimeDatetime, TimeUnix, TimeUnixMilli, TimeUnixNano}
}

// number reports whether times are numbers.
func (f TimeFormat) number() bool {
	return f == TimeUnix || f == TimeUnixMilli || f == TimeUnixNano
}

// Format returns a time as text.
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

// Number writes a float with all its digits and without an exponent where that stays readable.
func Number(v float64) string {
	format := byte('f')
	if magnitude := math.Abs(v); magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21) {
		format = 'g'
	}
	return strconv.FormatFloat(v, format, -1, 64)
}

// ValidDelimiter reports whether r can separate cells; what is excluded is what encoding/csv refuses.
func ValidDelimiter(r rune) bool {
	return r != 0 && !slices.Contains([]rune{'"', '\r', '\n', '\uFFFD'}, r)
}
