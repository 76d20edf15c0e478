// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package csvtext

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestNumber(t *testing.T) {
	tests := map[float64]string{
		0:            "0",
		-5:           "-5",
		0.1:          "0.1",
		1e6:          "1000000",
		0.000001:     "0.000001",
		1e-9:         "1e-09",
		1e21:         "1e+21",
		math.Inf(1):  "+Inf",
		math.Inf(-1): "-Inf",
	}
	for value, want := range tests {
		assert.Equal(t, want, Number(value))
	}
	assert.Equal(t, "NaN", Number(math.NaN()))
}

func TestGuard(t *testing.T) {
	tests := map[string]string{
		"":                     "",
		"order_processing":     "order_processing",
		"a=b":                  "a=b",
		"'quoted'":             "'quoted'",
		"=1+1":                 "'=1+1",
		"=cmd|' /C calc'!A0":   "'=cmd|' /C calc'!A0",
		"+49 30 123":           "'+49 30 123",
		"+SUM(A1)":             "'+SUM(A1)",
		"-2+3":                 "'-2+3",
		"-":                    "'-",
		"--5":                  "'--5",
		"@SUM(1)":              "'@SUM(1)",
		"\t=1":                 "'\t=1",
		"\r=1":                 "'\r=1",
		"-5":                   "-5",
		"-0.25":                "-0.25",
		"+5":                   "+5",
		"-1.5e-09":             "-1.5e-09",
		"-1e":                  "'-1e",
		"-1.":                  "'-1.",
		"-0x10":                "'-0x10",
		"-1_000":               "'-1_000",
		"-Inf":                 "'-Inf",
		"über":                 "über",
		"-5 and text":          "'-5 and text",
		"-1e5-cmd|'/C calc'!A": "'-1e5-cmd|'/C calc'!A",
	}
	for text, want := range tests {
		assert.Equal(t, want, Guard(text), "%q", text)
	}
}

func TestUnguard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`['=+-][-+=@'0-9a-z]*`)).Draw(t, "text")
		if guarded := Guard(text); guarded != text {
			assert.Equal(t, text, Unguard(guarded))
		}
		assert.Equal(t, Guard(text), Guard(Guard(text)), "guarded once")
	})
	assert.Equal(t, "'quoted'", Unguard("'quoted'"))
}

func TestText(t *testing.T) {
	assert.Equal(t, "'=a\uFFFDb\uFFFD", Style{Guard: true}.Text("=a\x00b\xff"))
	assert.Equal(t, "=a", Style{}.Text("=a"))
}

func TestTimes(t *testing.T) {
	at := time.Date(2026, 3, 1, 13, 0, 0, 123_456_789, time.FixedZone("CET", 3600))
	for format, want := range map[TimeFormat]string{
		TimeRFC3339Nano: "2026-03-01T12:00:00.123456789Z", TimeRFC3339: "2026-03-01T12:00:00Z", TimeDatetime: "2026-03-01 12:00:00.123",
		TimeUnix: "1772366400", TimeUnixMilli: "1772366400123", TimeUnixNano: "1772366400123456789",
	} {
		assert.Equal(t, want, format.Format(at))
	}
	assert.Len(t, TimeFormats(), 6)
}

func TestValidDelimiter(t *testing.T) {
	for _, r := range ",;\t|" {
		assert.True(t, ValidDelimiter(r))
	}
	for _, r := range []rune{0, '"', '\r', '\n', '\uFFFD'} {
		assert.False(t, ValidDelimiter(r))
	}
}
