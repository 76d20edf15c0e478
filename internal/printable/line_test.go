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
