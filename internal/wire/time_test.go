// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestParseTime(t *testing.T) {
	for text, want := range map[string]string{
		"2026-06-01T12:00:00Z":                     "2026-06-01T12:00:00Z",
		"2026-06-01t12:00:00z":                     "2026-06-01T12:00:00Z",
		"2026-06-01 12:00:00Z":                     "2026-06-01T12:00:00Z",
		"2026-06-01T12:00:00.1Z":                   "2026-06-01T12:00:00.1Z",
		"2026-06-01T12:00:00.123456789Z":           "2026-06-01T12:00:00.123456789Z",
		"2026-06-01T12:00:00.1234567899999Z":       "2026-06-01T12:00:00.123456789Z",
		"2026-06-01T12:00:00.036885123+05:30":      "2026-06-01T06:30:00.036885123Z",
		"2026-06-01T12:00:00-08:00":                "2026-06-01T20:00:00Z",
		"2026-06-01T12:00:00-00:00":                "2026-06-01T12:00:00Z",
		"2016-12-31T23:59:60Z":                     "2017-01-01T00:00:00Z",
		"2024-02-29T00:00:00Z":                     "2024-02-29T00:00:00Z",
		"2000-02-29T00:00:00Z":                     "2000-02-29T00:00:00Z",
		"1969-12-31T23:59:59.5Z":                   "1969-12-31T23:59:59.5Z",
		"0000-01-01T00:00:00Z":                     "0000-01-01T00:00:00Z",
		"0001-01-01T00:00:00Z":                     "0001-01-01T00:00:00Z",
		"9999-12-31T23:59:59.999999999-23:59":      "+10000-01-01",
		"2026-06-01T12:00:00":                      "",
		"2026-06-01":                               "",
		"2026-06-01T12:00Z":                        "",
		"2026-06-01T12:00:00.Z":                    "",
		"2026-06-01T12:00:00,5Z":                   "",
		"2026-06-01T12:00:00+0200":                 "",
		"2026-06-01T12:00:00+24:00":                "",
		"2026-06-01T12:00:00+02:60":                "",
		"2026-06-01T12:00:00ZZ":                    "",
		"2026-06-01T12:00:00 UTC":                  "",
		"2026-13-01T12:00:00Z":                     "",
		"2026-00-01T12:00:00Z":                     "",
		"2026-06-31T12:00:00Z":                     "",
		"2026-06-00T12:00:00Z":                     "",
		"2025-02-29T12:00:00Z":                     "",
		"1900-02-29T12:00:00Z":                     "",
		"2026-06-01T24:00:00Z":                     "",
		"2026-06-01T12:60:00Z":                     "",
		"2026-06-01T12:00:61Z":                     "",
		"2026-06-01T1:00:00Z":                      "",
		"26-06-01T12:00:00Z":                       "",
		"+2026-06-01T12:00:00Z":                    "",
		"2026-06-01T12:00:0\xb0Z":                  "",
		"1780000000":                               "",
		"":                                         "",
		"tomorrow, or perhaps the day after or so": "",
	} {
		seconds, nanos, ok := parseTime([]byte(text))
		assert.Equal(t, want != "", ok, text)
		if ok && !strings.HasPrefix(want, "+") {
			assert.Equal(t, want, time.Unix(seconds, nanos).UTC().Format(time.RFC3339Nano), text)
		}
	}
}

// The fast parser and the standard library agree on everything in the form of RFC 3339, except the leap second and an offset of 24
// hours. The standard library accepts other forms, too (a comma, an hour of one digit).
func FuzzParseTime(f *testing.F) {
	for _, seed := range []string{
		"2026-06-01T12:00:00Z", "2026-06-01T12:00:00.036885123+05:30", "0000-02-29T23:59:59.9-23:59", "2016-12-31T23:59:60Z",
		"2026-06-01 12:00:00Z", "2026-06-01T12:00:00.", "2026-06-01T12:00:00+24:00",
	} {
		f.Add(seed)
	}
	form := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)
	f.Fuzz(func(t *testing.T, text string) {
		seconds, nanos, ok := parseTime([]byte(text))
		if !form.MatchString(text) {
			return
		}
		standard, err := time.Parse(time.RFC3339Nano, text)
		if ok != (err == nil) {
			t.Fatalf("%q: read %v, standard library: %v", text, ok, err)
		}
		if ok && (standard.Unix() != seconds || int64(standard.Nanosecond()) != nanos) {
			t.Fatalf("%q is %v, not %d.%09d", text, standard, seconds, nanos)
		}
	})
}
