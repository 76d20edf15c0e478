// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/wire"
)

// FuzzDecode checks that no body makes the decoder panic; that every body accepted as a whole is JSON for encoding/json, with as
// many items; that the logs agree with the report; and that accepted items, encoded again, give the same result.
func FuzzDecode(f *testing.F) {
	for _, line := range bytes.Split(stream(f, "planned")[:20_000], []byte{'\n'}) {
		f.Add(line, false)
	}
	for _, body := range []string{
		"\xef\xbb\xbf" + good + "\r\n" + good, good + "\n\n" + good, "", " \r\n", "[]", "[" + good + ",]",
		`{"event":"e","event":"f","payload":{"a":1,"a":2,"a":null}}`,
		`{"event":"e","payload":{"task_id":9007199254740993,"b":99999999999999999999,"c":-9223372036854775808,"d":1e400,"e":1e-400}}`,
		`{"event":"e","payload":{"a":NaN}}`, `{"event":"e","payload":{"a":"\u0000\ud83d\ude00\ud800"}}`,
		"{\"event\":\"e\",\"payload\":{\"a\":\"\x00\"}}", "{\"event\":\"e\",\"payload\":{\"a\":\"\xff\"}}",
		`{"event":"e","payload":` + strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40) + "}",
	} {
		f.Add([]byte(body), false)
		f.Add([]byte(body), true)
	}
	decoder := newDecoder(wire.Limits{MaxItems: 1000, MaxItemBytes: 4096, MaxDepth: 32, MaxAttributes: 500, MaxValueBytes: 2048})
	roomy := newDecoder(wire.Limits{})
	batching := wire.NewDecoder(wire.Settings{Batch: true, Now: func() time.Time { return now }})
	f.Fuzz(func(t *testing.T, body []byte, ndjson bool) {
		format := wire.FormatAuto
		if ndjson {
			format = wire.FormatNDJSON
		}
		logs, report := decoder.Decode(body, format)
		require.Equal(t, report.Accepted, logs.LogRecordCount())
		refused := 0
		for _, count := range report.RefusedBy {
			refused += count
		}
		require.Equal(t, report.Refused, refused)
		require.Len(t, report.Refusals, min(refused, wire.MaxRefusals))
		marshal(t, logs)
		if report.Refused == 0 {
			require.Equal(t, itemsOf(t, body), report.Accepted)
		}
		if report.Accepted == 0 {
			return
		}
		single, report := roomy.Decode(body, format)
		for range 2 {
			batched, twin := batching.Decode(body, format)
			require.Equal(t, report, twin)
			sameEvents(t, single, batched)
		}
		again, report := roomy.Decode(writeItems(t, logs), wire.FormatNDJSON)
		require.Zero(t, report.Refused, report.Refusals)
		same(t, logs, again)
	})
}

// FuzzForms checks that the same items are accepted in every form of a body: one per line, with Windows line ends, after a byte
// order mark, without a last line end, in an array, or one directly after the other.
func FuzzForms(f *testing.F) {
	f.Add(good + "\n" + good)
	f.Add(`{"event":"e","payload":{"a":"]},{["}}` + "\n" + `{"event":"f","service":"s","payload":{"\"":[[],{}]}}`)
	f.Add("{}\n" + good + "\n1\n[]")
	f.Add(`{"event":"tasker.tasker.a","payload":{"task_id":9007199254740993,"a":-0,"b":1e400}}` + "\r\n\r\n" + good)
	decoder := newDecoder(wire.Limits{MaxDepth: 32})
	f.Fuzz(func(t *testing.T, body string) {
		var lines []string
		for line := range strings.SplitSeq(body, "\n") {
			if line = strings.TrimSpace(line); json.Valid([]byte(line)) && line[0] == '{' {
				lines = append(lines, line)
			}
		}
		if len(lines) == 0 {
			return
		}
		want, counts := decoder.Decode([]byte(strings.Join(lines, "\n")), wire.FormatNDJSON)
		for _, form := range []struct {
			body   string
			format wire.Format
		}{
			{strings.Join(lines, "\r\n") + "\r\n", wire.FormatNDJSON},
			{"\xef\xbb\xbf" + strings.Join(lines, "\n\n") + "\n", wire.FormatNDJSON},
			{strings.Join(lines, "\n"), wire.FormatAuto},
			{strings.Join(lines, ""), wire.FormatAuto},
			{"[" + strings.Join(lines, ",") + "]", wire.FormatAuto},
			{"[" + strings.Join(lines, ",\r\n") + "\n]\n", wire.FormatNDJSON},
		} {
			if form.format == wire.FormatNDJSON && strings.Contains(form.body, "\n]") {
				continue // an array over several lines is not NDJSON
			}
			got, report := decoder.Decode([]byte(form.body), form.format)
			require.Equal(t, counts.RefusedBy, report.RefusedBy, form.body)
			require.Equal(t, marshal(t, want), marshal(t, got), form.body)
		}
	})
}

// writeItems writes records as items, one per line.
func writeItems(t *testing.T, logs plog.Logs) []byte {
	t.Helper()
	var lines bytes.Buffer
	for _, resourceLogs := range logs.ResourceLogs().All() {
		resource := resourceLogs.Resource().Attributes()
		for _, record := range resourceLogs.ScopeLogs().At(0).LogRecords().All() {
			payload := bytes.NewBufferString("{")
			for key, value := range record.Attributes().All() {
				if key == lifecycle.AttrIdentity {
					continue
				}
				if payload.Len() > 1 {
					payload.WriteByte(',')
				}
				payload.WriteString(quoted(t, strings.TrimPrefix(key, lifecycle.AttributePrefix)) + ":")
				writeValue(t, payload, value)
			}
			payload.WriteByte('}')
			item := map[string]any{
				"event": record.EventName(), "payload": json.RawMessage(payload.Bytes()),
				"occurred_at": record.Timestamp().AsTime().Format(time.RFC3339Nano),
			}
			for field, key := range map[string]string{"service": lifecycle.AttrServiceName, "namespace": lifecycle.AttrServiceNamespace} {
				if value, found := resource.Get(key); found {
					item[field] = value.Str()
				}
			}
			if strings.HasPrefix(record.EventName(), lifecycle.AttributePrefix) && lifecycle.Canonical(record.EventName()) != record.EventName() {
				item["event"] = lifecycle.AttributePrefix + record.EventName() // one prefix is removed on decoding
			}
			text, err := json.Marshal(item)
			require.NoError(t, err)
			lines.Write(append(text, '\n'))
		}
	}
	return lines.Bytes()
}

func quoted(t *testing.T, text string) string {
	t.Helper()
	encoded, err := json.Marshal(text)
	require.NoError(t, err)
	return string(encoded)
}

// writeValue writes a float so that it does not become an integer.
func writeValue(t *testing.T, to *bytes.Buffer, value pcommon.Value) {
	t.Helper()
	switch value.Type() {
	case pcommon.ValueTypeDouble:
		text := strconv.FormatFloat(value.Double(), 'e', -1, 64)
		to.WriteString(text)
	case pcommon.ValueTypeInt:
		to.WriteString(strconv.FormatInt(value.Int(), 10))
	case pcommon.ValueTypeMap:
		to.WriteByte('{')
		first := true
		for key, member := range value.Map().All() {
			if !first {
				to.WriteByte(',')
			}
			first = false
			to.WriteString(quoted(t, key) + ":")
			writeValue(t, to, member)
		}
		to.WriteByte('}')
	case pcommon.ValueTypeSlice:
		to.WriteByte('[')
		for i, element := range value.Slice().All() {
			if i > 0 {
				to.WriteByte(',')
			}
			writeValue(t, to, element)
		}
		to.WriteByte(']')
	case pcommon.ValueTypeEmpty:
		to.WriteString("null")
	default:
		text, err := json.Marshal(value.AsRaw())
		require.NoError(t, err)
		to.Write(text)
	}
}

// same compares everything that a sender can send. The trace of a task that was refused at its creation is a hash of the item's
// bytes.
func same(t *testing.T, want, got plog.Logs) {
	t.Helper()
	wanted, taken := records(want), records(got)
	require.Len(t, taken, len(wanted))
	for i := range wanted {
		require.Equal(t, wanted[i].EventName(), taken[i].EventName())
		require.Equal(t, wanted[i].Timestamp(), taken[i].Timestamp())
		require.Equal(t, wanted[i].Attributes().AsRaw(), taken[i].Attributes().AsRaw())
		require.Equal(t, wanted[i].Body().AsString(), taken[i].Body().AsString())
		require.Equal(t, wanted[i].SeverityNumber(), taken[i].SeverityNumber())
		if wanted[i].EventName() != lifecycle.TaskFailed {
			require.Equal(t, wanted[i].TraceID(), taken[i].TraceID())
		}
	}
}

// itemsOf counts the items of a body with encoding/json.
func itemsOf(t *testing.T, body []byte) (items int) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))))
	for {
		var value json.RawMessage
		err := decoder.Decode(&value)
		if errors.Is(err, io.EOF) {
			return items
		}
		require.NoError(t, err, "%q was taken", body)
		if value[0] != '[' {
			items++
			continue
		}
		var list []json.RawMessage
		require.NoError(t, json.Unmarshal(value, &list))
		items += len(list)
	}
}
