// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/wire"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

func otlpDecoder(limits wire.Limits, leaveOut []string, unused map[string][]string) *wire.Decoder {
	return wire.NewDecoder(wire.Settings{Limits: limits, LeaveOut: leaveOut, Unused: unused, Now: func() time.Time { return now }})
}

func exportRequest(t require.TestingT, logs plog.Logs) []byte {
	body, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	require.NoError(t, err)
	return body
}

// byPData decodes a request as the otlp receiver and event_router do: by pdata, and normalized after that. It is false for what no
// sender by the book sends: equal keys in one map.
func byPData(body []byte) (logs plog.Logs, plain bool, err error) {
	request := plogotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		return plog.Logs{}, false, err
	}
	plain = true
	normalizer := eventrecord.Normalizer{Received: true}
	for _, rl := range request.Logs().ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				plain = plain && distinctKeys(record.Attributes()) && distinct(record.Body())
				if received := pcommon.NewTimestampFromTime(now); !eventrecord.Possible(record.ObservedTimestamp(), received) {
					record.SetObservedTimestamp(received)
				}
				if eventrecord.Name(record) == "" {
					continue
				}
				record.Attributes().RemoveIf(func(key string, _ pcommon.Value) bool {
					return key == lifecycle.AttrSignals || key == lifecycle.AttrPriority || key == lifecycle.AttrIdentity
				})
				normalizer.Normalize(eventrecord.ApplicationOf(rl.Resource().Attributes()), record)
				eventrecord.SetIdentity(record.Attributes(), eventrecord.Fingerprint(record.EventName(), record.Timestamp(), record.Attributes()))
			}
		}
	}
	return request.Logs(), plain, nil
}

func distinctKeys(m pcommon.Map) bool {
	seen := map[string]bool{}
	for key, value := range m.All() {
		if seen[key] || !distinct(value) {
			return false
		}
		seen[key] = true
	}
	return true
}

func distinct(value pcommon.Value) bool {
	switch value.Type() {
	case pcommon.ValueTypeMap:
		return distinctKeys(value.Map())
	case pcommon.ValueTypeSlice:
		for _, element := range value.Slice().All() {
			if !distinct(element) {
				return false
			}
		}
	}
	return true
}

// sameLogs compares everything but the order of attributes, which the marshaled form shows.
func sameLogs(t require.TestingT, want, got plog.Logs) {
	require.Equal(t, texts(want), texts(got))
}

// texts are the parts of logs in a form that compares not-a-number as equal.
func texts(logs plog.Logs) (parts []string) {
	for _, rl := range logs.ResourceLogs().All() {
		parts = append(parts, fmt.Sprintf("resource %v %q %d", rl.Resource().Attributes().AsRaw(), rl.SchemaUrl(), rl.Resource().DroppedAttributesCount()))
		for _, sl := range rl.ScopeLogs().All() {
			parts = append(parts, fmt.Sprintf("scope %q %q %v %q", sl.Scope().Name(), sl.Scope().Version(), sl.Scope().Attributes().AsRaw(), sl.SchemaUrl()))
			for _, r := range sl.LogRecords().All() {
				parts = append(parts, fmt.Sprintf("%q %d %d %d %q %d %d %s %s %s %#v %#v", r.EventName(), r.Timestamp(), r.ObservedTimestamp(),
					r.SeverityNumber(), r.SeverityText(), r.DroppedAttributesCount(), r.Flags(), r.TraceID(), r.SpanID(), r.Body().Type(), r.Body().AsRaw(), r.Attributes().AsRaw()))
			}
		}
	}
	return parts
}

// Real streams are decoded as pdata and event_router would have, whatever is left out.
func TestOTLPOfStreams(t *testing.T) {
	for _, name := range []string{"mixed", "planned"} {
		logs, err := streamtest.ToLogs(bytes.Split(bytes.TrimSpace(stream(t, name)), []byte("\n")), "tasker.")
		require.NoError(t, err)
		body := exportRequest(t, logs)
		want, plain, err := byPData(body)
		require.NoError(t, err)
		require.True(t, plain)
		decoder := otlpDecoder(wire.Limits{}, nil, nil)
		for range 2 { // with unknown shapes, and with known ones
			got, report, err := decoder.DecodeOTLP(body)
			require.NoError(t, err)
			require.Equal(t, logs.LogRecordCount(), report.Accepted)
			sameLogs(t, want, got)
		}
		less := otlpDecoder(wire.Limits{}, lifecycle.BulkyPayloadKeys(), lifecycle.UnusedPayloadKeys())
		got, report, err := less.DecodeOTLP(body)
		require.NoError(t, err)
		require.Positive(t, report.LeftOut)
		require.Positive(t, report.Unused)
		for _, record := range records(want) {
			record.Attributes().RemoveIf(func(key string, _ pcommon.Value) bool {
				key, _ = strings.CutPrefix(key, lifecycle.AttributePrefix)
				return slices.Contains(lifecycle.BulkyPayloadKeys(), key) || slices.Contains(lifecycle.UnusedPayloadKeys()[record.EventName()], key)
			})
		}
		sameLogs(t, want, got)
	}
}

// drawLogs draws any log records, with unique keys.
func drawLogs(t *rapid.T) plog.Logs {
	logs := plog.NewLogs()
	text := rapid.SampledFrom([]string{"", "x", "step.completed", "tasker.step.failed", "2026-06-01T11:59:59.5Z", strings.Repeat("long ", 20), "\xffü"})
	var draw func(value pcommon.Value, depth int)
	fill := func(m pcommon.Map, depth int, size int) {
		for range size {
			key := rapid.SampledFrom([]string{
				"", "a", "b", "tasker.task_id", "tasker.timestamp", "tasker.retry_limit", "tasker.event_id", "tasker.task_context", "event.name",
				"tasker.traceparent", "tasker.clock", "tasker.impossible_time", "tasker.route.signals", "tasker.route.identity",
			}).Draw(t, "key")
			draw(m.PutEmpty(key), depth)
		}
	}
	draw = func(value pcommon.Value, depth int) {
		switch kind := rapid.IntRange(0, 7).Draw(t, "kind"); {
		case kind == 1:
			value.SetStr(text.Draw(t, "text"))
		case kind == 2:
			value.SetInt(rapid.Int64().Draw(t, "int"))
		case kind == 3:
			value.SetDouble(rapid.Float64().Draw(t, "double"))
		case kind == 4:
			value.SetBool(rapid.Bool().Draw(t, "bool"))
		case kind == 5:
			value.SetEmptyBytes().FromRaw([]byte(text.Draw(t, "bytes")))
		case kind == 6 && depth < 3:
			fill(value.SetEmptyMap(), depth+1, rapid.IntRange(0, 3).Draw(t, "size"))
		case kind == 7 && depth < 3:
			list := value.SetEmptySlice()
			for range rapid.IntRange(0, 3).Draw(t, "size") {
				draw(list.AppendEmpty(), depth+1)
			}
		}
	}
	size := rapid.IntRange(0, 3)
	at := rapid.SampledFrom([]pcommon.Timestamp{0, 1, pcommon.NewTimestampFromTime(now), pcommon.NewTimestampFromTime(now) - 7, 1 << 63})
	for range size.Draw(t, "resources") {
		rl := logs.ResourceLogs().AppendEmpty()
		fill(rl.Resource().Attributes(), 2, 2)
		rl.Resource().Attributes().PutStr("service.name", text.Draw(t, "service"))
		rl.SetSchemaUrl(text.Draw(t, "schema"))
		for range size.Draw(t, "scopes") {
			sl := rl.ScopeLogs().AppendEmpty()
			sl.Scope().SetName(text.Draw(t, "scope"))
			fill(sl.Scope().Attributes(), 2, 1)
			for range size.Draw(t, "records") {
				r := sl.LogRecords().AppendEmpty()
				r.SetEventName(text.Draw(t, "name"))
				r.SetTimestamp(at.Draw(t, "at"))
				r.SetObservedTimestamp(at.Draw(t, "observed"))
				r.SetSeverityNumber(plog.SeverityNumber(rapid.IntRange(0, 24).Draw(t, "severity")))
				r.SetSeverityText(text.Draw(t, "severity text"))
				r.SetDroppedAttributesCount(rapid.Uint32().Draw(t, "dropped"))
				r.SetFlags(plog.LogRecordFlags(rapid.Uint32().Draw(t, "flags")))
				if rapid.Bool().Draw(t, "context") {
					r.SetTraceID(pcommon.TraceID{1: 7})
					r.SetSpanID(pcommon.SpanID{2: 8})
				}
				draw(r.Body(), 1)
				fill(r.Attributes(), 1, rapid.SampledFrom([]int{0, 2, 5, 12}).Draw(t, "attributes"))
			}
		}
	}
	return logs
}

// Whatever pdata can write is decoded as by pdata; with keys left out, the rest and the identity are the same.
func TestOTLPOfAnyLogs(t *testing.T) {
	leaveOut, unused := []string{"task_context"}, map[string][]string{"step.completed": {"timestamp", "retry_limit"}, "step.failed": {"retry_limit"}}
	rapid.Check(t, func(t *rapid.T) {
		decoder, less := otlpDecoder(wire.Limits{}, nil, nil), otlpDecoder(wire.Limits{}, leaveOut, unused)
		batching := wire.NewDecoder(wire.Settings{Batch: true, Now: func() time.Time { return now }})
		body := exportRequest(t, drawLogs(t))
		want, _, err := byPData(body)
		require.NoError(t, err)
		for range 2 { // the second time the decoder knows the shapes
			got, _, err := decoder.DecodeOTLP(body)
			require.NoError(t, err)
			sameLogs(t, want, got)
			_, _, err = less.DecodeOTLP(body)
			require.NoError(t, err)
			batched, _, err := batching.DecodeOTLP(body)
			require.NoError(t, err)
			sameEvents(t, want, batched)
		}
		got, _, err := less.DecodeOTLP(body)
		require.NoError(t, err)
		for i, record := range records(want) {
			left := records(got)[i]
			require.Equal(t, eventrecord.Identity(record), eventrecord.Identity(left))
			if record.EventName() != "" {
				record.Attributes().Remove("tasker.task_context")
			}
			if _, kept := left.Attributes().Get("tasker.retry_limit"); !kept && unused[record.EventName()] != nil {
				record.Attributes().Remove("tasker.retry_limit")
			}
			if _, kept := left.Attributes().Get("tasker.timestamp"); !kept && record.EventName() == "step.completed" {
				record.Attributes().Remove("tasker.timestamp")
			}
		}
		sameLogs(t, want, got)
	})
}

// FuzzOTLP checks that no body makes the decoder panic, that it accepts only what pdata accepts, and makes the same of it.
func FuzzOTLP(f *testing.F) {
	logs, err := streamtest.ToLogs(bytes.Split(bytes.TrimSpace(stream(f, "mixed")), []byte("\n"))[:30], "")
	require.NoError(f, err)
	body := exportRequest(f, logs)
	f.Add(body)
	f.Add(body[:len(body)-1])
	f.Add([]byte{})
	record := protowire.AppendBytes(protowire.AppendTag(nil, 12, protowire.BytesType), []byte("step.completed"))
	for _, value := range [][]byte{nil, {0x0a, 1, 'x'}, {0x18, 5}, {0x0a, 1, 'x', 0x18, 5}, {0x2a, 2, 0x0a, 0}, {0x32, 4, 0x0a, 2, 0x0a, 0}, {0x40, 1}, {0x3a, 1, 0xff}} {
		attribute := protowire.AppendBytes([]byte{0x0a, 1, 'k', 0x12, 0, 0x18, 1}, nil)[:5]
		attribute = protowire.AppendBytes(protowire.AppendTag(attribute[:3], 2, protowire.BytesType), value)
		r := protowire.AppendBytes(protowire.AppendTag(bytes.Clone(record), 6, protowire.BytesType), attribute)
		for _, field := range []protowire.Number{2, 1000} {
			scope := protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType), r)
			resource := protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), scope)
			f.Add(protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), resource))
		}
	}
	decoder := otlpDecoder(wire.Limits{}, nil, nil)
	batching := wire.NewDecoder(wire.Settings{Batch: true, Now: func() time.Time { return now }})
	less := otlpDecoder(wire.Limits{MaxItems: 100, MaxItemBytes: 1000, MaxDepth: 3, MaxAttributes: 20, MaxValueBytes: 100}, lifecycle.BulkyPayloadKeys(), lifecycle.UnusedPayloadKeys())
	f.Fuzz(func(t *testing.T, body []byte) {
		_, _, _ = less.DecodeOTLP(body)
		got, report, err := decoder.DecodeOTLP(body)
		if err != nil || report.Refused > 0 {
			return
		}
		for range 2 {
			batched, twin, err := batching.DecodeOTLP(body)
			require.NoError(t, err)
			require.Equal(t, report, twin)
			sameEvents(t, got, batched)
		}
		want, plain, err := byPData(body)
		require.NoError(t, err)
		if plain && !bytes.Contains(body, []byte{0x40}) { // the tag of an index into the strings of a profile, which has no value
			sameLogs(t, want, got)
		}
	})
}

func TestOTLPLimits(t *testing.T) {
	record := func(change func(plog.LogRecord)) plog.Logs {
		logs := plog.NewLogs()
		records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
		for i := range 3 {
			r := records.AppendEmpty()
			r.SetEventName("order.placed")
			r.Attributes().PutInt("tasker.task_id", int64(i))
			if i == 1 {
				change(r)
			}
		}
		return logs
	}
	for name, test := range map[string]struct {
		limits wire.Limits
		code   wire.Reason
		change func(plog.LogRecord)
	}{
		"size":  {wire.Limits{MaxItemBytes: 100}, wire.ReasonSize, func(r plog.LogRecord) { r.SetSeverityText(strings.Repeat("x", 100)) }},
		"value": {wire.Limits{MaxValueBytes: 20}, wire.ReasonValueSize, func(r plog.LogRecord) { r.Attributes().PutStr("tasker.name", strings.Repeat("x", 21)) }},
		"value left out": {wire.Limits{MaxValueBytes: 20}, wire.ReasonValueSize, func(r plog.LogRecord) {
			r.Attributes().PutEmptySlice("tasker.context").AppendEmpty().SetEmptyMap().PutStr("x", strings.Repeat("x", 21))
		}},
		"body":       {wire.Limits{MaxValueBytes: 20}, wire.ReasonValueSize, func(r plog.LogRecord) { r.Body().SetEmptyBytes().FromRaw(make([]byte, 21)) }},
		"attributes": {wire.Limits{MaxAttributes: 5}, wire.ReasonAttributes, func(r plog.LogRecord) { many(r.Attributes(), 5) }},
		"elements": {wire.Limits{MaxAttributes: 5}, wire.ReasonAttributes, func(r plog.LogRecord) {
			list := r.Attributes().PutEmptySlice("list")
			for range 4 {
				list.AppendEmpty()
			}
		}},
		"members":                                {wire.Limits{MaxAttributes: 5}, wire.ReasonAttributes, func(r plog.LogRecord) { many(r.Attributes().PutEmptyMap("map"), 4) }},
		"members of a map that is far too large": {wire.Limits{MaxAttributes: 5}, wire.ReasonAttributes, func(r plog.LogRecord) { many(r.Attributes().PutEmptyMap("map"), 9) }},
		"members left out":                       {wire.Limits{MaxAttributes: 5}, wire.ReasonAttributes, func(r plog.LogRecord) { many(r.Attributes().PutEmptyMap("tasker.context"), 4) }},
		"depth": {wire.Limits{MaxDepth: 3}, wire.ReasonDepth, func(r plog.LogRecord) {
			r.Attributes().PutEmptyMap("tasker.a").PutEmptySlice("b")
		}},
		"depth left out": {wire.Limits{MaxDepth: 3}, wire.ReasonDepth, func(r plog.LogRecord) {
			r.Attributes().PutEmptyMap("tasker.context").PutEmptyMap("b")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			logs, report, err := otlpDecoder(test.limits, []string{"context"}, nil).DecodeOTLP(exportRequest(t, record(test.change)))
			require.NoError(t, err)
			require.Equal(t, 2, report.Accepted)
			require.Equal(t, map[wire.Reason]int{test.code: 1}, report.RefusedBy)
			require.Equal(t, 1, report.Refusals[0].Index)
			var kept []any
			for _, r := range records(logs) {
				kept = append(kept, attributesOf(r)["tasker.task_id"])
			}
			require.Equal(t, []any{int64(0), int64(2)}, kept)
			_, report, err = otlpDecoder(wire.Limits{}, []string{"context"}, nil).DecodeOTLP(exportRequest(t, record(test.change)))
			require.NoError(t, err)
			require.Equal(t, 3, report.Accepted, "with the default limits")
		})
	}
	logs, report, err := otlpDecoder(wire.Limits{MaxItems: 2}, nil, nil).DecodeOTLP(exportRequest(t, record(func(plog.LogRecord) {})))
	require.NoError(t, err)
	require.Zero(t, logs.LogRecordCount())
	require.Equal(t, map[wire.Reason]int{wire.ReasonItems: 1}, report.RefusedBy)
}

// Resources and scopes are bounded before pdata decodes them.
func TestOTLPLimitsOfGroups(t *testing.T) {
	field := func(number protowire.Number, body []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), body)
	}
	var lists []byte // in one another
	for range 100_000 {
		lists = append(lists[:0:0], field(5, field(1, lists))...)
		if len(lists) > 1000 {
			break
		}
	}
	resource := func(attributes []byte) []byte { return field(1, field(1, attributes)) }
	for name, test := range map[string]struct {
		body []byte
		code wire.Reason
	}{
		"deep values of a resource":   {resource(field(1, field(2, lists))), wire.ReasonDepth},
		"deep values of a scope":      {field(1, field(2, field(1, field(3, field(2, lists))))), wire.ReasonDepth},
		"deep values of an old scope": {field(1, field(1000, field(1, field(3, field(2, lists))))), wire.ReasonDepth},
		"resources":                   {bytes.Repeat(field(1, nil), 1_000_000), wire.ReasonSize},
		"scopes":                      {field(1, bytes.Repeat(field(2, nil), 1_000_000)), wire.ReasonSize},
		"attributes":                  {resource(bytes.Repeat(field(1, nil), 1_000_000)), wire.ReasonSize},
		"entities":                    {resource(bytes.Repeat(field(3, nil), 1_000_000)), wire.ReasonSize},
		"records":                     {field(1, field(2, bytes.Repeat(field(2, nil), 1_000_000))), wire.ReasonItems},
	} {
		logs, report, err := otlpDecoder(wire.Limits{}, nil, nil).DecodeOTLP(test.body)
		require.NoError(t, err, name)
		require.Zero(t, logs.LogRecordCount())
		require.Equal(t, map[wire.Reason]int{test.code: 1}, report.RefusedBy, name)
	}
}

func many(m pcommon.Map, n int) {
	for i := range n {
		m.PutInt(fmt.Sprintf("k%d", i), int64(i))
	}
}

// A map of many entries is not searched for each of them.
func TestOTLPOfLargeMaps(t *testing.T) {
	logs := plog.NewLogs()
	r := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	r.SetEventName("order.placed")
	many(r.Attributes(), 500)
	many(r.Attributes().PutEmptyMap("tasker.map"), 500)
	many(r.Attributes().PutEmptyMap("tasker.context"), 500)
	body := exportRequest(t, logs)
	want, _, err := byPData(body)
	require.NoError(t, err)
	got, _, err := otlpDecoder(wire.Limits{}, []string{"context"}, nil).DecodeOTLP(body)
	require.NoError(t, err)
	records(want)[0].Attributes().Remove("tasker.context")
	sameLogs(t, want, got)
}

// BenchmarkDecodeOTLP measures whole requests, and what pdata makes of them. Its figures are those of one event.
func BenchmarkDecodeOTLP(b *testing.B) {
	logs, err := streamtest.ToLogs(bytes.Split(bytes.TrimSpace(stream(b, "mixed")), []byte("\n")), "")
	require.NoError(b, err)
	body := exportRequest(b, logs)
	decoder := otlpDecoder(wire.Limits{}, lifecycle.BulkyPayloadKeys(), lifecycle.UnusedPayloadKeys())
	b.Run("tasker_events", func(b *testing.B) {
		perEvent(b, body, func() int {
			_, report, _ := decoder.DecodeOTLP(body)
			return report.Accepted
		})
	})
	b.Run("pdata", func(b *testing.B) {
		perEvent(b, body, func() int {
			request := plogotlp.NewExportRequest()
			if err := request.UnmarshalProto(body); err != nil {
				b.Fatal(err)
			}
			return request.Logs().LogRecordCount()
		})
	})
}
