// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package printable_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tasker-otel/otelcol-tasker/internal/printable"
)

func TestLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "",
		"charge_card":                    "charge_card",
		"Größe 東京":                       "Größe 東京",
		" two \n lines\t ":               "two lines",
		"\x1b[2Jgone":                    "�[2Jgone",
		"a\u202eb":                       "a�b",
		"broken \xff":                    "broken �",
		"trailing ":                      "trailing",
		"two  spaces":                    "two spaces",
		"bell\aand null\x00 and del\x7f": "bell�and null� and del�",
	} {
		assert.Equal(t, want, printable.Line(text), "%q", text)
	}
}

func TestValue(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "",
		"two  spaces ":                      "two  spaces ",
		"Größe 東京":                          "Größe 東京",
		"step x\n2026-01-01\terror\tforged": `step x\n2026-01-01\terror\tforged`,
		"\r\x1b[2J":                         `\r�[2J`,
		"a\u202eb\u2028c\u0085d\u009be":     "a�b�c�d�e",
		"broken \xff":                       "broken �",
	} {
		assert.Equal(t, want, printable.Value(text), "%q", text)
		assert.Equal(t, want, printable.Value(want), "twice")
	}
}
