// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/wire"
)

// now is the time of receipt in tests.
var now = time.Date(2026, 6, 1, 12, 0, 0, 5, time.UTC)

func newDecoder(limits wire.Limits) *wire.Decoder {
	return wire.NewDecoder(wire.Settings{Limits: limits, Now: func() time.Time { return now }})
}

// one decodes a body of one valid item.
func one(t testing.TB, body string) (pcommon.Resource, plog.LogRecord, wire.Report) {
	t.Helper()
	logs, report := newDecoder(wire.Limits{}).Decode([]byte(body), wire.FormatAuto)
	require.Equal(t, 1, report.Accepted, report.Refusals)
	require.Zero(t, report.Refused)
	resource := logs.ResourceLogs().At(0)
	return resource.Resource(), resource.ScopeLogs().At(0).LogRecords().At(0), report
}

// attributesOf returns those of the item, without its identity and the mark of items without a time.
func attributesOf(record plog.LogRecord) map[string]any {
	attrs := record.Attributes().AsRaw()
	delete(attrs, lifecycle.AttrClock)
	delete(attrs, lifecycle.AttrIdentity)
	return attrs
}

func TestRecord(t *testing.T) {
	logs, report := newDecoder(wire.Limits{}).Decode([]byte(`{
		"event": "tasker.step.failed", "occurred_at": "2026-06-01T13:59:59.123456789+02:00", "service": "shop", "namespace": "eu",
		"correlation_id": "tsk_a", "id": "e-1", "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"payload": {"task_id": 42, "step_name": "pay", "error_message": "timeout", "attempt_number": 0, "started_at": null,
			"duration": 0.25, "retryable": true, "step_results": {"code": 504, "body": null, "list": [1, null, {"a": []}]}}
	}`), wire.FormatAuto)

	require.Equal(t, wire.Report{Accepted: 1}, report)
	require.Equal(t, 1, logs.ResourceLogs().Len())
	group := logs.ResourceLogs().At(0)
	assert.Equal(t, map[string]any{"service.name": "shop", "service.namespace": "eu"}, group.Resource().Attributes().AsRaw())
	assert.Equal(t, lifecycle.ScopeEvents, group.ScopeLogs().At(0).Scope().Name())
	assert.Equal(t, lifecycle.SchemaURL, group.ScopeLogs().At(0).SchemaUrl())
	record := group.ScopeLogs().At(0).LogRecords().At(0)
	assert.Equal(t, "step.failed", record.EventName())
	assert.Equal(t, time.Date(2026, 6, 1, 11, 59, 59, 123456789, time.UTC), record.Timestamp().AsTime())
	assert.Equal(t, now, record.ObservedTimestamp().AsTime())
	assert.Equal(t, lifecycle.TraceID("eu", "shop", "42"), record.TraceID())
	assert.Equal(t, plog.SeverityNumberError, record.SeverityNumber())
	assert.Equal(t, "ERROR", record.SeverityText())
	assert.Equal(t, "step pay of task 42 failed: timeout", record.Body().Str())
	assert.Equal(t, map[string]any{
		"tasker.task_id": int64(42), "tasker.step_name": "pay", "tasker.error_message": "timeout",
		"tasker.attempt_number": int64(0), "tasker.duration": 0.25, "tasker.retryable": true,
		"tasker.step_results":   map[string]any{"code": int64(504), "list": []any{int64(1), nil, map[string]any{"a": []any{}}}},
		"tasker.correlation_id": "tsk_a", "tasker.event_id": "e-1",
		"tasker.traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	}, attributesOf(record))
}

func TestValues(t *testing.T) {
	for source, want := range map[string]any{
		`0`:                                      int64(0),
		`-0`:                                     int64(0),
		`-17`:                                    int64(-17),
		`9007199254740993`:                       int64(9007199254740993),
		`9223372036854775807`:                    int64(math.MaxInt64),
		`-9223372036854775808`:                   int64(math.MinInt64),
		`9223372036854775808`:                    "9223372036854775808",
		`-99999999999999999999`:                  "-99999999999999999999",
		`1.0`:                                    1.0,
		`1e3`:                                    1000.0,
		`-2.5E-3`:                                -0.0025,
		`1e999`:                                  "1e999",
		`true`:                                   true,
		`false`:                                  false,
		`""`:                                     "",
		`"a\u0000b"`:                             "a\x00b",
		`"\"\\\/\b\f\n\r\t"`:                     "\"\\/\b\f\n\r\t",
		`"\u00e9\ud83d\ude00"`:                   "é😀",
		`"\ud83d"`:                               "\ufffd",
		`"\ude00\ud83d\u0041"`:                   "\ufffd\ufffdA",
		`"é😀, plain"`:                            "é😀, plain",
		`"` + strings.Repeat("long ", 100) + `"`: strings.Repeat("long ", 100),
		`[]`:                                     []any{},
		`{}`:                                     map[string]any{},
		`{"":{"":""}}`:                           map[string]any{"": map[string]any{"": ""}},
		`{"a":1,"a":2}`:                          map[string]any{"a": int64(2)},
	} {
		t.Run(source, func(t *testing.T) {
			_, record, _ := one(t, `{"event":"e","payload":{"k":`+source+`}}`)
			assert.Equal(t, map[string]any{"tasker.k": want}, attributesOf(record))
		})
	}
}

// Above a size, objects are decoded in another way. The result must be the same.
func TestLargeObjects(t *testing.T) {
	for _, size := range []int{127, 128, 129, 5000} {
		var members []string
		nested, payload := map[string]any{}, map[string]any{}
		for i := range size {
			key := fmt.Sprint("k", i)
			members = append(members, fmt.Sprintf(`"%s":[%d,{"n":null,"s":"x"},null]`, key, i))
			nested[key] = []any{int64(i), map[string]any{"s": "x"}, nil}
			payload["tasker."+key] = nested[key]
		}
		object := "{" + strings.Join(members, ",") + `,"gone":null}`

		_, record, _ := one(t, `{"event":"e","payload":`+object+`}`)
		assert.Equal(t, payload, attributesOf(record))
		_, record, _ = one(t, `{"event":"e","payload":{"deep":`+object+`}}`)
		assert.Equal(t, map[string]any{"tasker.deep": nested}, attributesOf(record))
	}
}

func TestFields(t *testing.T) {
	for name, test := range map[string]struct {
		body     string
		resource map[string]any
		attrs    map[string]any
		unknown  int
	}{
		"none": {
			`{"event":"e","payload":{}}`, map[string]any{"service.name": "unknown_service"}, map[string]any{}, 0},
		"null": {
			`{"service":null,"namespace":null,"correlation_id":null,"id":null,"traceparent":null,"occurred_at":null,` +
				`"event":"e","payload":{"a":null}}`,
			map[string]any{"service.name": "unknown_service"}, map[string]any{}, 0},
		"empty": {
			`{"service":"","namespace":"","correlation_id":"","id":"","traceparent":"","event":"e","payload":{}}`,
			map[string]any{"service.name": "unknown_service"}, map[string]any{}, 0},
		"numbers": {
			`{"service":1,"namespace":2,"correlation_id":3,"id":18446744073709551615,"event":"e","payload":{}}`,
			map[string]any{"service.name": "1", "service.namespace": "2"},
			map[string]any{"tasker.correlation_id": "3", "tasker.event_id": "18446744073709551615"}, 0},
		"the payload's correlation id": {
			`{"correlation_id":"thread","event":"e","payload":{"correlation_id":"own"}}`,
			map[string]any{"service.name": "unknown_service"}, map[string]any{"tasker.correlation_id": "own"}, 0},
		"no correlation id in the payload": {
			`{"correlation_id":"thread","event":"e","payload":{"correlation_id":null}}`,
			map[string]any{"service.name": "unknown_service"}, map[string]any{"tasker.correlation_id": "thread"}, 0},
		"the item's id": {
			`{"id":"item","event":"e","payload":{"event_id":"payload"}}`,
			map[string]any{"service.name": "unknown_service"}, map[string]any{"tasker.event_id": "item"}, 0},
		"last of two": {
			`{"service":"a","service":"b","event":"e","payload":{"x":1},"payload":{"y":2}}`,
			map[string]any{"service.name": "b"}, map[string]any{"tasker.y": int64(2)}, 0},
		"escaped key": {
			`{"\u0073ervice":"a","event":"e","payload":{"\u0078":"\u0079"}}`,
			map[string]any{"service.name": "a"}, map[string]any{"tasker.x": "y"}, 0},
		"unknown": {
			`{"occured_at":"2026-06-01T12:00:00Z","host":{"a":[1,2]},"event":"e","payload":{}}`,
			map[string]any{"service.name": "unknown_service"}, map[string]any{}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			resource, record, report := one(t, test.body)
			assert.Equal(t, test.resource, resource.Attributes().AsRaw())
			assert.Equal(t, test.attrs, attributesOf(record))
			assert.Equal(t, test.unknown, report.UnknownFields)
		})
	}
}

func TestClock(t *testing.T) {
	const fine, coarse = `"transitioned_at":"2026-06-01T11:00:00.148Z"`, `"timestamp":"2026-06-01T11:00:00Z"`
	eleven := time.Date(2026, 6, 1, 11, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		occurred, payload            string
		want                         time.Time
		fallbacks, payload1, receipt int
	}{
		"own":                  {`"2026-06-01T10:00:00.000000001Z"`, fine, eleven.Add(-time.Hour + 1), 0, 0, 0},
		"a day ahead":          {`"2026-06-02T12:00:00Z"`, fine, eleven.Add(25 * time.Hour), 0, 0, 0},
		"more than a day":      {`"2026-06-02T12:00:01Z"`, fine, eleven.Add(148 * time.Millisecond), 1, 1, 0},
		"none":                 {`null`, fine + "," + coarse, eleven.Add(148 * time.Millisecond), 0, 1, 0},
		"coarse":               {`null`, coarse, eleven, 0, 1, 0},
		"receipt":              {`null`, `"x":1`, now, 0, 0, 1},
		"2000":                 {`"2000-01-01T00:00:00Z"`, coarse, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), 0, 0, 0},
		"before 2000":          {`"1999-12-31T23:59:59.999Z"`, coarse, eleven, 1, 1, 0},
		"1970":                 {`"1970-01-01T00:00:00Z"`, coarse, eleven, 1, 1, 0},
		"before 1970":          {`"1969-12-31T23:59:59.999Z"`, coarse, eleven, 1, 1, 0},
		"year 0":               {`"0000-01-01T00:00:00Z"`, coarse, eleven, 1, 1, 0},
		"year 9999":            {`"9999-12-31T23:59:59Z"`, `"timestamp":"9999-12-31T23:59:59Z"`, now, 1, 0, 1},
		"payload in year 2100": {`null`, `"timestamp":"2100-01-01T00:00:00Z"`, now, 0, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			_, record, report := one(t, `{"event":"e","occurred_at":`+test.occurred+`,"payload":{`+test.payload+`}}`)
			assert.Equal(t, test.want, record.Timestamp().AsTime())
			assert.Equal(t, now, record.ObservedTimestamp().AsTime())
			noted := map[string]any{}
			for _, key := range []string{lifecycle.AttrImpossibleTime, lifecycle.AttrClock} {
				if v, found := record.Attributes().Get(key); found {
					noted[key] = v.Str()
				}
			}
			assert.Equal(t, test.fallbacks, countOf(noted, lifecycle.AttrImpossibleTime))
			assert.Equal(t, test.receipt, countOf(noted, lifecycle.AttrClock))
			assert.Equal(t, [3]int{test.fallbacks, test.payload1, test.receipt},
				[3]int{report.ClockFallbacks, report.PayloadClock, report.ReceiptClock})
		})
	}
}

func countOf(m map[string]any, key string) int {
	if _, found := m[key]; found {
		return 1
	}
	return 0
}

func TestTraceID(t *testing.T) {
	task := func(id string) pcommon.TraceID { return lifecycle.TraceID("", "unknown_service", id) }
	for name, test := range map[string]struct {
		item string
		want pcommon.TraceID
	}{
		"integer":   {`{"event":"e","payload":{"task_id":7}}`, task("7")},
		"text":      {`{"event":"e","payload":{"task_id":"0190c5a2-7d3e-7000-8000-000000000001"}}`, task("0190c5a2-7d3e-7000-8000-000000000001")},
		"huge":      {`{"event":"e","payload":{"task_id":18446744073709551616}}`, task("18446744073709551616")},
		"none":      {`{"event":"task.failed","payload":{"task_id":null}}`, pcommon.TraceID{}},
		"no number": {`{"event":"e","payload":{"task_id":{}}}`, pcommon.TraceID{}},
	} {
		t.Run(name, func(t *testing.T) {
			_, record, _ := one(t, test.item)
			assert.Equal(t, test.want, record.TraceID())
		})
	}
}

// A task that was refused at its creation has no id: each such event is a separate task, and a resend belongs to the same one.
func TestRefusedTask(t *testing.T) {
	const byType = `{"event":"task.failed","payload":{"task_id":null,"event_type":"initialization_failed"}}`
	const byFlag = `{"event":"task.failed","payload":{"initialization_failed":true,"task_name":"a"}}`
	body := strings.Join([]string{byType, byFlag, " " + byType + " ", strings.Replace(byFlag, `"a"`, `"b"`, 1)}, "\n")
	logs, report := newDecoder(wire.Limits{}).Decode([]byte(body), wire.FormatNDJSON)
	require.Equal(t, 4, report.Accepted)
	all := records(logs)
	assert.False(t, all[0].TraceID().IsEmpty())
	assert.Equal(t, all[0].TraceID(), all[2].TraceID())
	assert.NotEqual(t, all[0].TraceID(), all[1].TraceID())
	assert.NotEqual(t, all[1].TraceID(), all[3].TraceID())

	_, record, _ := one(t, `{"event":"task.failed","payload":{"initialization_failed":true,"task_id":3}}`)
	assert.Equal(t, lifecycle.TraceID("", "unknown_service", "3"), record.TraceID())
	_, record, _ = one(t, `{"event":"task.failed","payload":{"initialization_failed":false}}`)
	assert.True(t, record.TraceID().IsEmpty())
}

func TestGroups(t *testing.T) {
	item := func(event, app string) string { return `{"event":"` + event + `",` + app + `"payload":{}}` }
	body := strings.Join([]string{
		item("1", `"service":"a",`), item("2", `"service":"b",`), item("3", `"service":"a",`),
		item("4", `"service":"a","namespace":"n",`), item("5", ``), item("6", `"service":"b",`),
	}, "\n")
	logs, report := newDecoder(wire.Limits{}).Decode([]byte(body), wire.FormatNDJSON)
	require.Equal(t, 6, report.Accepted)
	got := map[string][]string{}
	for _, group := range logs.ResourceLogs().All() {
		name := fmt.Sprint(group.Resource().Attributes().AsRaw())
		for _, record := range group.ScopeLogs().At(0).LogRecords().All() {
			got[name] = append(got[name], record.EventName())
		}
	}
	assert.Equal(t, map[string][]string{
		"map[service.name:a]":                     {"1", "3"},
		"map[service.name:b]":                     {"2", "6"},
		"map[service.name:a service.namespace:n]": {"4"},
		"map[service.name:unknown_service]":       {"5"},
	}, got)
}

// The logs have no references to the body, whose buffer is reused.
func TestLogsDoNotReferToTheBody(t *testing.T) {
	body := []byte(`{"event":"e","service":"shop","payload":{"a":"` + strings.Repeat("x", 100) + `","b":"y","c":{"d":9223372036854775808}}}`)
	logs, _ := newDecoder(wire.Limits{}).Decode(body, wire.FormatAuto)
	before := marshal(t, logs)
	for i := range body {
		body[i] = '#'
	}
	assert.Equal(t, before, marshal(t, logs))
}

func TestConcurrentUse(t *testing.T) {
	decoder := newDecoder(wire.Limits{})
	body := stream(t, "planned")
	want, _ := decoder.Decode(body, wire.FormatNDJSON)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 5 {
				got, report := decoder.Decode(body, wire.FormatNDJSON)
				assert.Zero(t, report.Refused)
				assert.Equal(t, marshal(t, want), marshal(t, got))
			}
		})
	}
	group.Wait()
}

// A service whose JSON has an escape is not the one before whose name is written in the same way.
func TestEscapedService(t *testing.T) {
	logs, report := newDecoder(wire.Limits{}).Decode([]byte(`{"event": "e", "service": "a\\b", "payload": {}}
{"event": "e", "service": "a\b", "payload": {}}`), wire.FormatNDJSON)
	require.Zero(t, report.Refused)
	var services []string
	for _, rl := range logs.ResourceLogs().All() {
		service, _ := rl.Resource().Attributes().Get(lifecycle.AttrServiceName)
		services = append(services, service.Str())
	}
	require.Equal(t, []string{`a\b`, "a\b"}, services)
}
