// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/wire"
)

const good = `{"event":"e","payload":{}}`

// Each of these is refused for one reason, at any position, and never affects its neighbours.
func TestOneBadItemCostsNothingElse(t *testing.T) {
	limits := wire.Limits{MaxItemBytes: 100, MaxDepth: 4}
	for bad, want := range map[string]wire.Refusal{
		`{}`:                                                   {Field: "event", Code: wire.ReasonField},
		`{"event":null,"payload":{}}`:                          {Field: "event", Code: wire.ReasonField},
		`{"event":"","payload":{}}`:                            {Field: "event", Code: wire.ReasonField},
		`{"event":"tasker.","payload":{}}`:                     {Field: "event", Code: wire.ReasonField},
		`{"event":7,"payload":{}}`:                             {Field: "event", Code: wire.ReasonField},
		`{"event":"e"}`:                                        {Field: "payload", Code: wire.ReasonField},
		`{"event":"e","payload":null}`:                         {Field: "payload", Code: wire.ReasonField},
		`{"event":"e","payload":[]}`:                           {Field: "payload", Code: wire.ReasonField},
		`{"event":"e","payload":"{}"}`:                         {Field: "payload", Code: wire.ReasonField},
		`{"event":"e","payload":{},"service":[]}`:              {Field: "service", Code: wire.ReasonField},
		`{"event":"e","payload":{},"id":true}`:                 {Field: "id", Code: wire.ReasonField},
		`{"event":"e","payload":{},"correlation_id":{}}`:       {Field: "correlation_id", Code: wire.ReasonField},
		`{"event":"e","payload":{},"namespace":false}`:         {Field: "namespace", Code: wire.ReasonField},
		`{"event":"e","payload":{},"traceparent":[""]}`:        {Field: "traceparent", Code: wire.ReasonField},
		`{"event":"e","payload":{},"occurred_at":"yesterday"}`: {Field: "occurred_at", Code: wire.ReasonTime},
		`{"event":"e","payload":{},"occurred_at":""}`:          {Field: "occurred_at", Code: wire.ReasonTime},
		`{"event":"e","payload":{},"occurred_at":1780000000}`:  {Field: "occurred_at", Code: wire.ReasonTime},
		`"text"`:                                                            {Code: wire.ReasonType},
		`17`:                                                                {Code: wire.ReasonType},
		`null`:                                                              {Code: wire.ReasonType},
		`{"event":"e","payload":{"a":NaN}}`:                                 {Code: wire.ReasonSyntax},
		`{"event":"e","payload":{"a":01}}`:                                  {Code: wire.ReasonSyntax},
		`{"event":"e","payload":{"a":+1}}`:                                  {Code: wire.ReasonSyntax},
		`{"event":"e","payload":{"a":1.}}`:                                  {Code: wire.ReasonSyntax},
		`{"event":"e","payload":{"a":.5}}`:                                  {Code: wire.ReasonSyntax},
		`{"event":"e","payload":{"a":1e}}`:                                  {Code: wire.ReasonSyntax},
		`{"event":"e","payload":{"a":-}}`:                                   {Code: wire.ReasonSyntax},
		`{"event":"e","payload":{"a":nul}}`:                                 {Code: wire.ReasonSyntax},
		`{"event":"e","payload":{"a":1,}}`:                                  {Code: wire.ReasonSyntax},
		`{"event":"e","payload":{"a":[1,]}}`:                                {Code: wire.ReasonSyntax},
		`{"event":"e","payload":{a:1}}`:                                     {Code: wire.ReasonSyntax},
		`{"event":"e","payload":{"a" 1}}`:                                   {Code: wire.ReasonSyntax},
		`{'event':'e','payload':{}}`:                                        {Code: wire.ReasonSyntax},
		`{"event":"e","payload":{"a":"` + "\t" + `"}}`:                      {Code: wire.ReasonSyntax},
		`{"event":"e","payload":{"a":"\x"}}`:                                {Code: wire.ReasonSyntax},
		`{"event":"e","payload":{"a":"\u12g4"}}`:                            {Code: wire.ReasonSyntax},
		"\xff\xfe{\x00}\x00":                                                {Code: wire.ReasonEncoding},
		"\x00{\x00}":                                                        {Code: wire.ReasonEncoding},
		`undefined`:                                                         {Code: wire.ReasonSyntax},
		`{"event":"e","payload":{"a":"` + "\xff" + `"}}`:                    {Code: wire.ReasonEncoding},
		`{"event":"e","payload":{"` + "\xc3\x28" + `":1}}`:                  {Code: wire.ReasonEncoding},
		`{"event":"e","payload":{"a":"é` + "\xed\xa0\x80" + `"}}`:           {Code: wire.ReasonEncoding},
		`{"event":"e","payload":{"a":{"b":{"c":{}}}}}`:                      {Code: wire.ReasonDepth},
		`{"event":"e","payload":{"a":[[["}]"]]]}}`:                          {Code: wire.ReasonDepth},
		`{"event":"e","payload":{"a":"` + strings.Repeat("x", 100) + `"}}`:  {Code: wire.ReasonSize},
		`{"event":"e","payload":{"a":[` + strings.Repeat("1,", 60) + `1]}}`: {Code: wire.ReasonSize},
		strings.Repeat("1", 101):                                            {Code: wire.ReasonSize},
		`{"event":"` + strings.Repeat("x", 95) + `","payload":{}}`:          {Code: wire.ReasonSize},
	} {
		want.Index, want.Line = 1, 2
		for name, body := range map[string]string{
			"NDJSON":         good + "\n" + bad + "\n" + good + "\n",
			"CRLF":           good + "\r\n" + bad + "\r\n" + good,
			"array":          "[" + good + ",\n" + bad + "," + good + "]",
			"spacious array": " [ " + good + "\n, " + bad + "\n,\n" + good + "\n]\n",
			"values":         good + "\n" + bad + "\n" + good,
		} {
			format := wire.FormatAuto
			if name == "NDJSON" || name == "CRLF" {
				format = wire.FormatNDJSON
			}
			t.Run(name+" "+bad, func(t *testing.T) {
				logs, report := newDecoder(limits).Decode([]byte(body), format)
				assert.Equal(t, 2, report.Accepted)
				assert.Equal(t, 2, logs.LogRecordCount())
				require.Len(t, report.Refusals, 1)
				assert.Equal(t, 1, report.Refused)
				assert.Equal(t, map[wire.Reason]int{want.Code: 1}, report.RefusedBy)
				got := report.Refusals[0]
				assert.NotEmpty(t, got.Reason)
				assert.NotEmpty(t, got.Remedy)
				got.Reason, got.Remedy = "", ""
				assert.Equal(t, want, got)
			})
		}
	}
}

func TestReasonsArePlain(t *testing.T) {
	for bad, want := range map[string]string{
		`{"event":"e","payload":{"a":NaN}}`:                         `the item is not JSON: unexpected "N" at byte 28`,
		`{"event":"e","payload":{"a":"`:                             `the item is not JSON: it ends too early`,
		`{"event":"e","payload":"` + "\xff" + `"}`:                  `the text at byte 24 of the item is not UTF-8`,
		`{"event":"` + strings.Repeat("x", 256) + `","payload":{}}`: `event is longer than 255 bytes`,
	} {
		_, report := newDecoder(wire.Limits{}).Decode([]byte(bad), wire.FormatNDJSON)
		require.Len(t, report.Refusals, 1)
		assert.Equal(t, want, report.Refusals[0].Reason)
	}
}

func TestForms(t *testing.T) {
	const pretty = "{\n  \"event\": \"e\",\n  \"payload\": {\n    \"list\": [\n      {\"a\": 1}\n    ]\n  }\n}"
	for name, test := range map[string]struct {
		body              string
		format            wire.Format
		accepted, refused int
	}{
		"one":                         {good, wire.FormatAuto, 1, 0},
		"one with a byte order mark":  {"\ufeff" + good, wire.FormatAuto, 1, 0},
		"lines with a mark":           {"\ufeff" + good + "\n" + good, wire.FormatNDJSON, 2, 0},
		"over lines":                  {pretty, wire.FormatAuto, 1, 0},
		"over lines, several":         {pretty + "\n" + pretty, wire.FormatAuto, 2, 0},
		"over lines, one broken":      {strings.Replace(pretty, ": 1", ": x", 1) + "\n" + pretty, wire.FormatAuto, 1, 1},
		"blank lines":                 {"\n\r\n" + good + "\n\n \t\n" + good + "\n\n", wire.FormatNDJSON, 2, 0},
		"no line feed at the end":     {good + "\n" + good, wire.FormatNDJSON, 2, 0},
		"carriage returns":            {good + "\r\n" + good + "\r\n", wire.FormatNDJSON, 2, 0},
		"nothing between":             {good + good, wire.FormatAuto, 2, 0},
		"two on a line":               {good + " " + good, wire.FormatNDJSON, 2, 0},
		"array":                       {"[" + good + "," + good + "]", wire.FormatAuto, 2, 0},
		"empty array":                 {"[]", wire.FormatAuto, 0, 0},
		"arrays on lines":             {"[" + good + "]\n[" + good + "," + good + "]\n", wire.FormatNDJSON, 3, 0},
		"arrays":                      {"[" + good + "]\n[" + good + "," + good + "]\n" + good, wire.FormatAuto, 4, 0},
		"array in an array":           {"[[" + good + "]," + good + "]", wire.FormatAuto, 1, 1},
		"array that is not closed":    {"[" + good + "," + good, wire.FormatAuto, 2, 1},
		"array cut in an item":        {"[" + good + "," + good[:10], wire.FormatAuto, 1, 1},
		"array that ends in a comma":  {"[" + good + ",]", wire.FormatAuto, 1, 1},
		"array without an item":       {"[" + good + ",," + good + "]", wire.FormatAuto, 2, 1},
		"array without a comma":       {"[" + good + " " + good + "," + good + "]", wire.FormatAuto, 2, 1},
		"array closed by a brace":     {"[" + good + "}", wire.FormatAuto, 1, 1},
		"array with a brace too many": {"[" + good + "}," + good + "]", wire.FormatAuto, 2, 1},
		"array and more":              {"[" + good + "] x", wire.FormatAuto, 1, 1},
		"broken line":                 {good + "\n{\"event\":\"e\",\n" + good, wire.FormatAuto, 2, 1},
		"not JSON":                    {"hello\nworld\n", wire.FormatAuto, 0, 1},
		"not JSON by lines":           {"hello\nworld\n", wire.FormatNDJSON, 0, 2},
		"empty":                       {"", wire.FormatAuto, 0, 1},
		"blank":                       {" \r\n\n", wire.FormatNDJSON, 0, 1},
		"only a mark":                 {"\ufeff", wire.FormatAuto, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			logs, report := newDecoder(wire.Limits{}).Decode([]byte(test.body), test.format)
			assert.Equal(t, test.accepted, report.Accepted)
			assert.Equal(t, test.accepted, logs.LogRecordCount())
			assert.Equal(t, test.refused, report.Refused, report.Refusals)
			assert.Len(t, report.Refusals, test.refused)
		})
	}
}

func TestLimits(t *testing.T) {
	t.Run("items", func(t *testing.T) {
		for _, format := range []wire.Format{wire.FormatAuto, wire.FormatNDJSON} {
			decoder := newDecoder(wire.Limits{MaxItems: 3})
			three := strings.Repeat(good+"\n", 3)
			_, report := decoder.Decode([]byte(three), format)
			assert.Equal(t, wire.Report{Accepted: 3, ReceiptClock: 3}, report)
			for _, body := range []string{three + good, "[" + strings.Repeat(good+",", 9) + good + "]", three + "x\ny\n"} {
				logs, report := decoder.Decode([]byte(body), format)
				assert.Equal(t, map[wire.Reason]int{wire.ReasonItems: 1}, report.RefusedBy)
				assert.Zero(t, report.Accepted)
				assert.Zero(t, logs.ResourceLogs().Len())
			}
		}
	})
	t.Run("bytes", func(t *testing.T) {
		decoder := newDecoder(wire.Limits{MaxItemBytes: len(good)})
		for _, body := range []string{good, good + "\n" + good, "[" + good + "," + good + "]"} {
			_, report := decoder.Decode([]byte(body), wire.FormatAuto)
			assert.Zero(t, report.Refused, "exactly as long as allowed")
		}
		_, report := decoder.Decode([]byte(`{ `+good[1:]), wire.FormatAuto)
		assert.Equal(t, map[wire.Reason]int{wire.ReasonSize: 1}, report.RefusedBy)
	})
	t.Run("depth", func(t *testing.T) {
		nested := func(depth int) []byte {
			return []byte(`{"event":"e","payload":{"a":` + strings.Repeat("[", depth-2) + strings.Repeat("]", depth-2) + `}}`)
		}
		decoder := newDecoder(wire.Limits{})
		_, report := decoder.Decode(nested(64), wire.FormatAuto)
		assert.Equal(t, 1, report.Accepted)
		_, report = decoder.Decode(nested(65), wire.FormatAuto)
		assert.Equal(t, map[wire.Reason]int{wire.ReasonDepth: 1}, report.RefusedBy)
		_, report = decoder.Decode(nested(1_000_000), wire.FormatAuto)
		assert.Equal(t, map[wire.Reason]int{wire.ReasonDepth: 1}, report.RefusedBy)
	})
	t.Run("attributes", func(t *testing.T) {
		decoder := newDecoder(wire.Limits{MaxAttributes: 6})
		// Six values: the fields event and payload, the keys a, b and c, and one element.
		_, report := decoder.Decode([]byte(`{"event":"e","payload":{"a":[1],"b":{"c":null}}}`), wire.FormatAuto)
		assert.Equal(t, 1, report.Accepted)
		body := `{"event":"e","payload":{"a":[1,2],"b":{"c":null}}}` + good
		_, report = decoder.Decode([]byte(body), wire.FormatAuto)
		assert.Equal(t, map[wire.Reason]int{wire.ReasonAttributes: 1}, report.RefusedBy)
		assert.Equal(t, 1, report.Accepted, "the next on the same line")
		assert.Contains(t, report.Refusals[0].Remedy, "max_attributes")
	})
	t.Run("length of a text", func(t *testing.T) {
		decoder := newDecoder(wire.Limits{MaxValueBytes: 10})
		_, report := decoder.Decode([]byte(`{"event":"e","payload":{"0123456789":"01234567\n"}}`), wire.FormatAuto)
		assert.Equal(t, 1, report.Accepted)
		for _, long := range []string{`"a":"0123456789a"`, `"0123456789a":1`, `"a":"012345678\n"`} {
			_, report = decoder.Decode([]byte(`{"event":"e","payload":{`+long+`}} `+good), wire.FormatAuto)
			assert.Equal(t, map[wire.Reason]int{wire.ReasonValueSize: 1}, report.RefusedBy, long)
			assert.Equal(t, 1, report.Accepted, "the next on the same line")
			assert.Contains(t, report.Refusals[0].Remedy, "max_value_bytes")
		}
	})
	t.Run("list of refusals", func(t *testing.T) {
		_, report := newDecoder(wire.Limits{}).Decode([]byte(strings.Repeat("{}\n", 250)+good), wire.FormatNDJSON)
		assert.Equal(t, 1, report.Accepted)
		assert.Equal(t, 250, report.Refused)
		assert.Equal(t, map[wire.Reason]int{wire.ReasonField: 250}, report.RefusedBy)
		require.Len(t, report.Refusals, wire.MaxRefusals)
		for i, refusal := range report.Refusals {
			assert.Equal(t, [2]int{i, i + 1}, [2]int{refusal.Index, refusal.Line})
		}
	})
}

// A bad body leaves no state in a decoder.
func TestNothingIsLeftOver(t *testing.T) {
	decoder := newDecoder(wire.Limits{MaxItems: 2})
	for _, bad := range []string{"", "x", "[" + good, strings.Repeat(good, 3), `{"event":"e","service":"other","payload":{"a":"`} {
		decoder.Decode([]byte(bad), wire.FormatAuto)
		logs, report := decoder.Decode([]byte(good), wire.FormatAuto)
		assert.Equal(t, wire.Report{Accepted: 1, ReceiptClock: 1}, report, "after %q", bad)
		assert.Equal(t, 1, logs.ResourceLogs().Len())
	}
	fresh, _ := newDecoder(wire.Limits{}).Decode([]byte(good), wire.FormatAuto)
	used, _ := decoder.Decode([]byte(good), wire.FormatAuto)
	assert.Equal(t, (&plog.ProtoMarshaler{}).LogsSize(fresh), (&plog.ProtoMarshaler{}).LogsSize(used))
}
