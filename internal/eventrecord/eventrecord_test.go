// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrecord_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

func attributes(t testing.TB, raw map[string]any) pcommon.Map {
	t.Helper()
	m := pcommon.NewMap()
	require.NoError(t, m.FromRaw(raw))
	return m
}

func TestTaskID(t *testing.T) {
	for name, test := range map[string]struct {
		id   any
		want string
	}{
		"integer":      {int64(42), "42"},
		"uuid":         {"0190c5a2-7d3e-7000-8000-000000000001", "0190c5a2-7d3e-7000-8000-000000000001"},
		"float":        {7.0, "7"},
		"not whole":    {7.5, ""},
		"empty":        {"", ""},
		"not an id":    {true, ""},
		"null":         {nil, ""},
		"huge as sent": {"18446744073709551616", "18446744073709551616"},
	} {
		t.Run(name, func(t *testing.T) {
			got, found := eventrecord.TaskID(attributes(t, map[string]any{lifecycle.AttrTaskID: test.id}))
			assert.Equal(t, test.want, got)
			assert.Equal(t, test.want != "", found)
		})
	}
	_, found := eventrecord.TaskID(pcommon.NewMap())
	assert.False(t, found)
}

func TestSignalsOf(t *testing.T) {
	assert.Equal(t, lifecycle.SignalsAll, eventrecord.SignalsOf(pcommon.NewMap()))
	assert.Equal(t, lifecycle.SignalTraces|lifecycle.SignalLogs,
		eventrecord.SignalsOf(attributes(t, map[string]any{lifecycle.AttrSignals: "traces,logs"})))
	assert.Equal(t, lifecycle.SignalsNone,
		eventrecord.SignalsOf(attributes(t, map[string]any{lifecycle.AttrSignals: "none"})))
}

func TestPayloadTime(t *testing.T) {
	const (
		coarse = "2026-06-01T12:00:00Z"
		fine   = "2026-06-01T12:00:00.148Z"
		finer  = "2026-06-01T12:00:00.250Z"
	)
	at := func(s string) pcommon.Timestamp {
		parsed, err := time.Parse(time.RFC3339Nano, s)
		require.NoError(t, err)
		return pcommon.NewTimestampFromTime(parsed)
	}
	for name, test := range map[string]struct {
		event string
		attrs map[string]any
		want  pcommon.Timestamp
	}{
		"transition":               {"task.failed", map[string]any{lifecycle.AttrTransitionedAt: fine, lifecycle.AttrTimestamp: finer}, at(fine)},
		"coarse transition":        {"task.failed", map[string]any{lifecycle.AttrTransitionedAt: coarse, lifecycle.AttrTimestamp: finer}, at(finer)},
		"completion":               {"task.completed", map[string]any{lifecycle.AttrCompletedAt: finer, lifecycle.AttrTimestamp: coarse}, at(finer)},
		"completion of a step":     {"step.completed", map[string]any{lifecycle.AttrCompletedAt: finer, lifecycle.AttrTimestamp: coarse}, at(coarse)},
		"seconds only":             {"step.completed", map[string]any{lifecycle.AttrTimestamp: coarse}, at(coarse)},
		"zone":                     {"step.completed", map[string]any{lifecycle.AttrTimestamp: "2026-06-01T14:00:00.148+02:00"}, at(fine)},
		"ruby":                     {"step.completed", map[string]any{lifecycle.AttrTimestamp: "2026-06-01 12:00:00 UTC"}, at(coarse)},
		"none":                     {"step.completed", nil, 0},
		"unreadable":               {"step.completed", map[string]any{lifecycle.AttrTimestamp: "soon"}, 0},
		"out of a timestamp's day": {"step.completed", map[string]any{lifecycle.AttrTimestamp: "0001-01-01T00:00:00Z"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, found := eventrecord.PayloadTime(test.event, attributes(t, test.attrs))
			assert.Equal(t, test.want != 0, found)
			if found {
				assert.Equal(t, test.want.AsTime(), got.AsTime())
			}
		})
	}
}

// The test vectors of docs/identity.md, and one with a value of each type, computed by an independent program.
func TestFingerprintVectors(t *testing.T) {
	query := func() map[string]any {
		return map[string]any{"tasker.task_id": 1, "tasker.step_id": 2, "tasker.duration": 0.25, "tasker.sql": "SELECT * FROM orders"}
	}
	withID := query()
	withID["tasker.event_id"] = "4f1c-1"
	for _, vector := range []struct {
		name  string
		attrs map[string]any
		want  uint64
	}{
		{lifecycle.DatabaseQueryExecuted, query(), 0xae713932f2218af7},
		{lifecycle.DatabaseQueryExecuted, withID, 0x8455fe7f4a0f0657},
		{"order.placed", map[string]any{"tasker.task_id": "7", "tasker.order": map[string]any{
			"lines": []any{1, "two", 2.5, true, nil, []any{false}}, "empty": map[string]any{}}}, 0x458fccf2e0a5a950},
	} {
		require.Equal(t, vector.want, eventrecord.Fingerprint(vector.name, 1780315200894390678, attributes(t, vector.attrs)), vector.attrs)
	}
}

func TestFingerprintDistinguishesItems(t *testing.T) {
	base := func() map[string]any {
		return map[string]any{"tasker.task_id": int64(1), "tasker.name": "a", "tasker.nested": map[string]any{"k": []any{"x", "y"}}}
	}
	variants := map[string]func(m map[string]any){
		"other value":        func(m map[string]any) { m["tasker.name"] = "b" },
		"other type":         func(m map[string]any) { m["tasker.task_id"] = "1" },
		"one more":           func(m map[string]any) { m["tasker.more"] = false },
		"one less":           func(m map[string]any) { delete(m, "tasker.name") },
		"swapped":            func(m map[string]any) { m["tasker.nested"] = map[string]any{"k": []any{"y", "x"}} },
		"nested key":         func(m map[string]any) { m["tasker.nested"] = map[string]any{"l": []any{"x", "y"}} },
		"value of other key": func(m map[string]any) { m["tasker.name"], m["tasker.task_id"] = int64(1), "a" },
	}
	const at = 1000
	seen := map[uint64]string{eventrecord.Fingerprint("e", at, attributes(t, base())): "base"}
	add := func(name string, sum uint64) {
		assert.NotContains(t, seen, sum, name)
		seen[sum] = name
	}
	for name, change := range variants {
		m := base()
		change(m)
		add(name, eventrecord.Fingerprint("e", at, attributes(t, m)))
	}
	add("other event", eventrecord.Fingerprint("f", at, attributes(t, base())))
	add("other time", eventrecord.Fingerprint("e", at+1, attributes(t, base())))

	stamped := base()
	stamped[lifecycle.AttrSignals] = "traces"
	stamped[lifecycle.AttrPriority] = "high"
	assert.Equal(t, "base", seen[eventrecord.Fingerprint("e", at, attributes(t, stamped))], "the router's stamps do not count")
}

func TestFingerprintOfEventID(t *testing.T) {
	sum := func(event string, at pcommon.Timestamp, task, id any) uint64 {
		return eventrecord.Fingerprint(event, at, attributes(t, map[string]any{
			lifecycle.AttrEventID: id, lifecycle.AttrTaskID: task, "tasker.at": int64(at)}))
	}
	first := sum("e", 1, 1, "id-1")
	assert.Equal(t, first, sum("e", 2, 1, "id-1"), "the time of receipt may stand for the event's")
	assert.NotEqual(t, first, sum("e", 1, 1, "id-2"))
	assert.NotEqual(t, first, sum("f", 1, 1, "id-1"))
	assert.NotEqual(t, first, sum("e", 1, 2, "id-1"))
}

// The order of attributes does not matter.
func TestFingerprintIgnoresOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.MapOf(rapid.StringN(1, 8, -1), rapid.String()).Draw(t, "values")
		keys := make([]string, 0, len(values))
		for key := range values {
			keys = append(keys, key)
		}
		build := func(order []string) pcommon.Map {
			m := pcommon.NewMap()
			nested := m.PutEmptyMap("nested")
			for _, key := range order {
				m.PutStr(key+"!", values[key])
				nested.PutStr(key, values[key])
			}
			return m
		}
		forward := eventrecord.Fingerprint("e", 1, build(keys))
		shuffled := eventrecord.Fingerprint("e", 1, build(rapid.Permutation(keys).Draw(t, "order")))
		if forward != shuffled || forward == 0 {
			t.Fatalf("%x and %x", forward, shuffled)
		}
	})
}

// taskerevents leaves out JSON's null; an OTLP sender may send a key without a value. Both are the same item.
func TestFingerprintIgnoresKeysWithoutAValue(t *testing.T) {
	build := func(nulls bool) pcommon.Map {
		m := pcommon.NewMap()
		m.PutInt("tasker.task_id", 1)
		nested := m.PutEmptyMap("tasker.results")
		nested.PutStr("state", "sent")
		if nulls {
			m.PutEmpty("tasker.from_state")
			nested.PutEmpty("error")
		}
		return m
	}
	assert.Equal(t, eventrecord.Fingerprint("e", 1, build(false)), eventrecord.Fingerprint("e", 1, build(true)))
}

func TestNormalize(t *testing.T) {
	resource := attributes(t, map[string]any{"service.name": "shop", "service.namespace": "eu"})
	task := lifecycle.TraceID("eu", "shop", "7")
	sender := pcommon.TraceID{0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36}
	span := pcommon.SpanID{0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7}
	const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	received := pcommon.NewTimestampFromTime(time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC))
	at, day := received-9, pcommon.Timestamp(eventrecord.MaxFuture)

	for name, test := range map[string]struct {
		event string
		at    pcommon.Timestamp
		trace pcommon.TraceID
		span  pcommon.SpanID
		attrs map[string]any
		// over the network, as it is
		received bool

		wantEvent string
		wantAt    pcommon.Timestamp
		wantTrace pcommon.TraceID
		wantSpan  pcommon.SpanID
		wantAttrs map[string]any
	}{
		"the receiver's record": {
			event: "step.completed", at: at, trace: task, attrs: map[string]any{"tasker.task_id": int64(7)},
			wantEvent: "step.completed", wantAt: at, wantTrace: task, wantAttrs: map[string]any{"tasker.task_id": int64(7)},
		},
		"prefixed name": {
			event: "tasker.step.completed", at: at, trace: task,
			wantEvent: "step.completed", wantAt: at, wantTrace: task, wantAttrs: map[string]any{},
		},
		"name in an attribute": {
			at: at, attrs: map[string]any{"event.name": "tasker.task.failed"},
			wantEvent: "task.failed", wantAt: at, wantAttrs: map[string]any{},
		},
		"sender's context": {
			event: "step.completed", at: at, trace: sender, span: span, attrs: map[string]any{"tasker.task_id": "7"},
			wantEvent: "step.completed", wantAt: at, wantTrace: task,
			wantAttrs: map[string]any{"tasker.task_id": "7", "tasker.traceparent": parent},
		},
		"sender's context beside a traceparent": {
			event: "step.completed", at: at, trace: sender, span: span,
			attrs:     map[string]any{"tasker.task_id": "7", "tasker.traceparent": "kept"},
			wantEvent: "step.completed", wantAt: at, wantTrace: task,
			wantAttrs: map[string]any{"tasker.task_id": "7", "tasker.traceparent": "kept"},
		},
		"stamped by a router before": {
			event: "step.completed", at: at, trace: task, span: span, attrs: map[string]any{"tasker.task_id": "7"},
			wantEvent: "step.completed", wantAt: at, wantTrace: task, wantSpan: span,
			wantAttrs: map[string]any{"tasker.task_id": "7"},
		},
		"no task": {
			event: "handler.registered", at: at, trace: sender, span: span,
			wantEvent: "handler.registered", wantAt: at, wantAttrs: map[string]any{"tasker.traceparent": parent},
		},
		"a task refused at its creation, as the receiver makes it": {
			event: "task.failed", at: at, trace: task,
			wantEvent: "task.failed", wantAt: at, wantTrace: task, wantAttrs: map[string]any{},
		},
		"no task, stamped": {
			event: "task.failed", at: at, trace: task, span: span, attrs: map[string]any{"tasker.route.signals": "traces"},
			wantEvent: "task.failed", wantAt: at, wantTrace: task, wantSpan: span,
			wantAttrs: map[string]any{"tasker.route.signals": "traces"},
		},
		"no task, stamped by a sender": {
			received: true, event: "task.failed", at: at, trace: task, span: span, attrs: map[string]any{"tasker.route.signals": "traces"},
			wantEvent: "task.failed", wantAt: at,
			wantAttrs: map[string]any{"tasker.route.signals": "traces", "tasker.traceparent": lifecycle.Traceparent(task, span)},
		},
		"no task, but a task's trace of the sender's": {
			received: true, event: "task.failed", at: at, trace: task, wantEvent: "task.failed", wantAt: at, wantAttrs: map[string]any{},
		},
		"payload's time": {
			event: "step.completed", trace: task, attrs: map[string]any{"tasker.timestamp": "2026-06-01T11:59:58Z"},
			wantEvent: "step.completed", wantAt: received - 2_000_000_000, wantTrace: task,
			wantAttrs: map[string]any{"tasker.timestamp": "2026-06-01T11:59:58Z"},
		},
		"time of receipt": {
			event: "step.completed", trace: task,
			wantEvent: "step.completed", wantAt: received, wantTrace: task, wantAttrs: map[string]any{"tasker.clock": "receipt"},
		},
		"not an event": {wantAt: received, wantAttrs: map[string]any{"tasker.clock": "receipt"}},
		"a time before 2000": {
			event: "e", at: 946_684_799_999_999_999, attrs: map[string]any{"tasker.timestamp": "2026-06-01T11:59:58Z"},
			wantEvent: "e", wantAt: received - 2_000_000_000,
			wantAttrs: map[string]any{"tasker.timestamp": "2026-06-01T11:59:58Z", "tasker.impossible_time": "1999-12-31T23:59:59.999999999Z"},
		},
		"a day ahead": {event: "e", at: received + day, wantEvent: "e", wantAt: received + day, wantAttrs: map[string]any{}},
		"more than a day ahead": {
			event: "e", at: received + day + 1, attrs: map[string]any{"tasker.timestamp": "2026-07-01T00:00:00Z"},
			wantEvent: "e", wantAt: received,
			wantAttrs: map[string]any{"tasker.timestamp": "2026-07-01T00:00:00Z", "tasker.impossible_time": "2026-06-02T12:00:00.000000001Z", "tasker.clock": "receipt"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			record := plog.NewLogRecord()
			record.SetEventName(test.event)
			record.SetTimestamp(test.at)
			record.SetObservedTimestamp(received)
			record.SetTraceID(test.trace)
			record.SetSpanID(test.span)
			require.NoError(t, record.Attributes().FromRaw(test.attrs))

			for range 2 { // the second time changes nothing
				(&eventrecord.Normalizer{Received: test.received}).Normalize(eventrecord.ApplicationOf(resource), record)

				assert.Equal(t, test.wantEvent, record.EventName())
				assert.Equal(t, test.wantAt, record.Timestamp())
				assert.Equal(t, test.wantTrace, record.TraceID())
				assert.Equal(t, test.wantSpan, record.SpanID())
				assert.Equal(t, test.wantAttrs, record.Attributes().AsRaw())
			}
		})
	}
}

// An event whose time is that of its receipt keeps its fingerprint when it is resent.
func TestFingerprintOfTheTimeOfReceipt(t *testing.T) {
	of := func(received pcommon.Timestamp, with map[string]any) uint64 {
		record := plog.NewLogRecord()
		record.SetEventName("e")
		record.SetObservedTimestamp(received)
		require.NoError(t, record.Attributes().FromRaw(with))
		clock, impossible := new(eventrecord.Normalizer).Normalize(eventrecord.ApplicationOf(pcommon.NewMap()), record)
		assert.Equal(t, eventrecord.ClockReceipt, clock)
		assert.False(t, impossible)
		return eventrecord.Fingerprint("e", record.Timestamp(), record.Attributes())
	}
	assert.Equal(t, of(1e18, map[string]any{"a": 1}), of(2e18, map[string]any{"a": 1}))
	assert.NotEqual(t, of(1e18, map[string]any{"a": 1}), of(1e18, map[string]any{"a": 2}))
}

func TestParseTraceparent(t *testing.T) {
	trace, span, ok := lifecycle.ParseTraceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	assert.True(t, ok)
	assert.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", trace.String())
	assert.Equal(t, "00f067aa0ba902b7", span.String())
	for _, wrong := range []string{
		"",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
		"00-4bf92f3577b34da6a3ce929d0e0e473x-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902bx-01",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
		"00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	} {
		_, _, ok := lifecycle.ParseTraceparent(wrong)
		assert.False(t, ok, wrong)
	}
}

func BenchmarkFingerprint(b *testing.B) {
	attrs := attributes(b, map[string]any{
		"tasker.task_id": int64(123456), "tasker.step_id": int64(99), "tasker.step_name": "charge_credit_card",
		"tasker.started_at": "2026-06-01T12:00:00Z", "tasker.attempt_number": int64(1), "tasker.retry_limit": int64(3),
		"tasker.event_type": "completed", "tasker.timestamp": "2026-06-01T12:00:01Z", "tasker.execution_duration": 0.25,
		"tasker.correlation_id": "tsk_mpv5pc3z_E9TXxo",
	})
	b.ReportAllocs()
	for b.Loop() {
		eventrecord.Fingerprint("step.completed", 1_780_000_000_000_000_000, attrs)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkNormalize(b *testing.B) {
	resource := attributes(b, map[string]any{"service.name": "shop"})
	for name, trace := range map[string]pcommon.TraceID{"received": lifecycle.TraceID("", "shop", "123456"), "otlp": {}} {
		b.Run(name, func(b *testing.B) {
			record := plog.NewLogRecord()
			record.SetEventName("step.completed")
			record.SetTimestamp(1_780_000_000_000_000_000)
			record.Attributes().PutInt("tasker.task_id", 123456)
			normalizer := &eventrecord.Normalizer{}
			b.ReportAllocs()
			for b.Loop() {
				record.SetTraceID(trace)
				normalizer.Normalize(eventrecord.ApplicationOf(resource), record)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
