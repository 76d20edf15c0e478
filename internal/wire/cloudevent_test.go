// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/wire"
)

const cloudPayload = `{"task_id":42,"step_name":"pay"}`

// cloud returns a valid CloudEvent with changes.
func cloud(t testing.TB, change map[string]any) string {
	t.Helper()
	event := map[string]any{
		"specversion": "1.0", "type": "tasker.step.completed", "source": "/apps/shop", "id": "e-1",
		"time": "2026-06-01T11:59:59.123456789Z", "subject": "42", "dataschema": "https://example.com/step.json",
		"datacontenttype": "application/json", "data": json.RawMessage(cloudPayload),
		"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate": "a=b", "correlationid": "tsk_a",
	}
	for key, value := range change {
		event[key] = value
		if value == nil {
			delete(event, key)
		}
	}
	text, err := json.Marshal(event)
	require.NoError(t, err)
	return string(text)
}

// binaryOf decodes the event in binary mode.
func binaryOf(body string, event wire.CloudEvent) (plog.Logs, wire.Report) {
	return newDecoder(wire.Limits{}).DecodeRequest(wire.Request{Body: []byte(body), CloudEvent: &event})
}

func goodBinary() wire.CloudEvent {
	return wire.CloudEvent{
		SpecVersion: "1.0", Type: "step.completed", Source: "/apps/shop", ID: "e-1", Time: "2026-06-01T11:59:59.123456789Z",
		DataContentType: "application/json; charset=utf-8", CorrelationID: "tsk_a",
		TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	}
}

// Every mode gives the same record as the plain form.
func TestCloudEventModes(t *testing.T) {
	plain, report := newDecoder(wire.Limits{}).Decode([]byte(`{"event":"step.completed","service":"shop","id":"/apps/shop e-1",
		"occurred_at":"2026-06-01T11:59:59.123456789Z","correlation_id":"tsk_a",
		"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01","payload":`+cloudPayload+`}`), wire.FormatAuto)
	require.Equal(t, wire.Report{Accepted: 1}, report)
	want := marshal(t, plain)
	encoded := cloud(t, map[string]any{"data": nil, "data_base64": base64.StdEncoding.EncodeToString([]byte(cloudPayload))})
	for name, body := range map[string]string{
		"structured": cloud(t, nil), "without prefix": cloud(t, map[string]any{"type": "step.completed"}),
		"batch": "[" + cloud(t, nil) + "]", "base64": encoded, "escaped base64": strings.ReplaceAll(encoded, "=", `\u003d`),
		"no type of data": cloud(t, map[string]any{"datacontenttype": nil}),
		"another JSON":    cloud(t, map[string]any{"datacontenttype": "application/vnd.shop.v1+json;charset=utf-8"}),
	} {
		for _, format := range []wire.Format{wire.FormatAuto, wire.FormatNDJSON, wire.FormatCloudEvents} {
			logs, report := newDecoder(wire.Limits{}).Decode([]byte(body), format)
			require.Equal(t, wire.Report{Accepted: 1}, report, name)
			require.Equal(t, want, marshal(t, logs), name)
		}
	}
	logs, report := binaryOf(cloudPayload, goodBinary())
	require.Equal(t, wire.Report{Accepted: 1}, report)
	require.Equal(t, want, marshal(t, logs))
}

// Plain items and CloudEvents may be mixed, and unknown fields of either are counted.
func TestCloudEventsAmongItems(t *testing.T) {
	body := strings.Join([]string{good, cloud(t, map[string]any{"event": "x", "payload": 1, "sequence": 7}),
		`{"event":"e","payload":{},"type":"x","data":{},"subject":"y"}`}, "\n")
	_, report := newDecoder(wire.Limits{}).Decode([]byte(body), wire.FormatNDJSON)
	assert.Equal(t, 3, report.Accepted)
	assert.Equal(t, 6, report.UnknownFields)
}

func TestServiceOfSource(t *testing.T) {
	for source, want := range map[string]string{
		"shop": "shop", "/apps/shop": "shop", "/apps/shop/": "shop", "apps/shop": "shop", "/shop": "shop",
		"https://example.com/apps/shop": "shop", "https://example.com/apps/shop?x=a/b#c/d": "shop",
		"https://shop.example.com": "shop.example.com", "https://shop.example.com:8443/": "shop.example.com",
		"//shop.example.com:80": "shop.example.com", "//[::1]:80": "[::1]",
		"urn:example:shop": "shop", "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66": "6e8bc430-9c3a-11d9-9669-0800200c9a66",
		"mailto:shop@example.com": "shop@example.com", "/apps/web%20shop": "web shop", "/apps/%ff": "%ff", "/apps/50%": "50%",
		"/apps/shop:2": "shop:2", "/": wire.DefaultService, "?x": wire.DefaultService,
	} {
		resource, record, _ := one(t, cloud(t, map[string]any{"source": source}))
		service, _ := resource.Attributes().Get("service.name")
		assert.Equal(t, want, service.Str(), source)
		id, _ := record.Attributes().Get(lifecycle.AttrEventID)
		if want == source {
			assert.Equal(t, "e-1", id.Str(), "the id of a service")
		} else {
			assert.Equal(t, source+" e-1", id.Str(), "an id is one of its source")
		}
	}
	resource, _, _ := one(t, cloud(t, map[string]any{"service": "billing", "namespace": "eu"}))
	assert.Equal(t, map[string]any{"service.name": "billing", "service.namespace": "eu"}, resource.Attributes().AsRaw(),
		"extension attributes name the application outright")
}

// Each mistake refuses the event, once, and names the attribute.
func TestBadCloudEvents(t *testing.T) {
	for _, test := range []struct {
		change map[string]any
		field  string
		code   wire.Reason
	}{
		{map[string]any{"specversion": nil}, "specversion", wire.ReasonField},
		{map[string]any{"specversion": "0.3"}, "specversion", wire.ReasonField},
		{map[string]any{"specversion": []int{}}, "specversion", wire.ReasonField},
		{map[string]any{"type": nil}, "type", wire.ReasonField},
		{map[string]any{"type": 7}, "type", wire.ReasonField},
		{map[string]any{"type": "tasker."}, "type", wire.ReasonField},
		{map[string]any{"type": strings.Repeat("x", 256)}, "type", wire.ReasonField},
		{map[string]any{"source": nil}, "source", wire.ReasonField},
		{map[string]any{"source": "", "id": ""}, "source", wire.ReasonField},
		{map[string]any{"id": nil}, "id", wire.ReasonField},
		{map[string]any{"id": true}, "id", wire.ReasonField},
		{map[string]any{"time": "yesterday"}, "time", wire.ReasonTime},
		{map[string]any{"datacontenttype": "text/xml"}, "datacontenttype", wire.ReasonField},
		{map[string]any{"datacontenttype": "json"}, "datacontenttype", wire.ReasonField},
		{map[string]any{"data": nil}, "data", wire.ReasonField},
		{map[string]any{"data": "{}"}, "data", wire.ReasonField},
		{map[string]any{"data_base64": "e30="}, "data_base64", wire.ReasonField},
		{map[string]any{"data": nil, "data_base64": 7}, "data_base64", wire.ReasonField},
		{map[string]any{"data": nil, "data_base64": "{}"}, "data_base64", wire.ReasonField},
		{map[string]any{"data": nil, "data_base64": base64.StdEncoding.EncodeToString([]byte(`[]`))}, "data_base64", wire.ReasonField},
		{map[string]any{"data": nil, "data_base64": base64.StdEncoding.EncodeToString([]byte(`{} {}`))}, "data_base64", wire.ReasonSyntax},
		{map[string]any{"data": nil, "data_base64": base64.StdEncoding.EncodeToString([]byte(`{"a":`))}, "data_base64", wire.ReasonSyntax},
		{map[string]any{"data": nil, "data_base64": base64.StdEncoding.EncodeToString([]byte("{\"a\":\"\xff\"}"))}, "data_base64", wire.ReasonEncoding},
		{map[string]any{"data": nil, "data_base64": base64.StdEncoding.EncodeToString(
			[]byte(strings.Repeat(`{"a":`, 64) + "1" + strings.Repeat("}", 64)))}, "", wire.ReasonDepth},
		{map[string]any{"correlationid": []int{}}, "correlationid", wire.ReasonField},
		{map[string]any{"traceparent": false}, "traceparent", wire.ReasonField},
	} {
		bad := cloud(t, test.change)
		body := "[" + cloud(t, nil) + ",\n" + bad + "," + cloud(t, nil) + "]"
		logs, report := newDecoder(wire.Limits{}).Decode([]byte(body), wire.FormatCloudEvents)
		assert.Equal(t, 2, logs.LogRecordCount(), bad)
		require.Len(t, report.Refusals, 1, bad)
		got := report.Refusals[0]
		assert.NotEmpty(t, got.Remedy)
		assert.Equal(t, wire.Refusal{Index: 1, Line: 2, Field: test.field, Code: test.code, Reason: got.Reason, Remedy: got.Remedy}, got, bad)
	}
	_, report := newDecoder(wire.Limits{}).Decode([]byte(good), wire.FormatCloudEvents)
	assert.Equal(t, "specversion", report.Refusals[0].Field, "an item of the plain form is no CloudEvent")
}

func TestBadBinaryCloudEvents(t *testing.T) {
	for name, test := range map[string]struct {
		body   string
		change func(*wire.CloudEvent)
		field  string
		code   wire.Reason
	}{
		"version":   {`{}`, func(e *wire.CloudEvent) { e.SpecVersion = "2.0" }, "ce-specversion", wire.ReasonField},
		"type":      {`{}`, func(e *wire.CloudEvent) { e.Type = "" }, "ce-type", wire.ReasonField},
		"source":    {`{}`, func(e *wire.CloudEvent) { e.Source = "" }, "ce-source", wire.ReasonField},
		"id":        {`{}`, func(e *wire.CloudEvent) { e.ID = "" }, "ce-id", wire.ReasonField},
		"time":      {`{}`, func(e *wire.CloudEvent) { e.Time = "now" }, "ce-time", wire.ReasonTime},
		"encoding":  {`{}`, func(e *wire.CloudEvent) { e.CorrelationID = "\xff" }, "", wire.ReasonEncoding},
		"no JSON":   {`{}`, func(e *wire.CloudEvent) { e.DataContentType = "text/plain" }, "Content-Type", wire.ReasonField},
		"empty":     {``, nil, "data", wire.ReasonSyntax},
		"array":     {`[{}]`, nil, "data", wire.ReasonField},
		"two":       {`{}{}`, nil, "data", wire.ReasonSyntax},
		"cut":       {`{"a":1`, nil, "data", wire.ReasonSyntax},
		"too large": {`{"a":"` + strings.Repeat("x", 200) + `"}`, nil, "", wire.ReasonSize},
	} {
		event := goodBinary()
		if test.change != nil {
			test.change(&event)
		}
		logs, report := newDecoder(wire.Limits{MaxItemBytes: 100}).DecodeRequest(wire.Request{Body: []byte(test.body), CloudEvent: &event})
		assert.Zero(t, logs.LogRecordCount(), name)
		require.Len(t, report.Refusals, 1, name)
		assert.Equal(t, 1, report.Refused, name)
		assert.Equal(t, test.field, report.Refusals[0].Field, name)
		assert.Equal(t, test.code, report.Refusals[0].Code, name)
	}
}

// A task that was refused at its creation has the same trace when resent, and another than similar tasks.
func TestRefusedTaskInBinaryMode(t *testing.T) {
	trace := func(id string) pcommon.TraceID {
		event := goodBinary()
		event.Type, event.ID = "task.failed", id
		logs, _ := binaryOf(`{"task_id":null,"initialization_failed":true}`, event)
		return records(logs)[0].TraceID()
	}
	first := trace("1")
	assert.Equal(t, first, trace("1"))
	assert.NotEqual(t, trace("1"), trace("2"))
	assert.False(t, trace("1").IsEmpty())
}

// The payload's id has priority over the item's, and that over the request's.
func TestCorrelationIDs(t *testing.T) {
	event := goodBinary()
	event.CorrelationID = "item"
	without := goodBinary()
	without.CorrelationID = ""
	for _, test := range []struct {
		request wire.Request
		want    string
	}{
		{wire.Request{Body: []byte(`{"event":"e","correlation_id":"item","payload":{"correlation_id":"payload"}}`)}, "payload"},
		{wire.Request{Body: []byte(`{"event":"e","correlation_id":"item","payload":{"correlation_id":""}}`)}, "item"},
		{wire.Request{Body: []byte(`{"event":"e","correlationid":"item","payload":{}}`)}, "item"},
		{wire.Request{Body: []byte(`{"event":"e","correlation_id":null,"payload":{}}`)}, "request"},
		{wire.Request{Body: []byte(`{"correlation_id":"payload"}`), CloudEvent: &event}, "payload"},
		{wire.Request{Body: []byte(`{}`), CloudEvent: &event}, "item"},
		{wire.Request{Body: []byte(`{}`), CloudEvent: &without}, "request"},
	} {
		test.request.CorrelationID = "request"
		logs, report := newDecoder(wire.Limits{}).DecodeRequest(test.request)
		require.Equal(t, 1, report.Accepted, report.Refusals)
		id, _ := records(logs)[0].Attributes().Get(lifecycle.AttrCorrelationID)
		assert.Equal(t, test.want, id.Str(), string(test.request.Body))
	}
}

// FuzzCloudEvent checks that no attributes and no data make the decoder panic, and that the binary mode accepts what the structured
// mode accepts, with the same result.
func FuzzCloudEvent(f *testing.F) {
	f.Add("1.0", "step.completed", "/apps/shop", "1", "2026-06-01T11:59:59.1Z", "application/json", "tsk_a", cloudPayload)
	f.Add("1.0", "tasker.task.failed", "urn:a:b", "é", "", "", "", `{"initialization_failed":true}`)
	f.Add("1.0", "a", "https://a:1/%zz", "1", "0000-00-00", "text/json;x", "\xff", `{"a":"\ud800"}`)
	decoder := wire.NewDecoder(wire.Settings{
		Limits: wire.Limits{MaxItemBytes: 4096, MaxDepth: 32}, Now: func() time.Time { return now },
	})
	f.Fuzz(func(t *testing.T, version, kind, source, id, at, contentType, correlation, data string) {
		event := wire.CloudEvent{SpecVersion: version, Type: kind, Source: source, ID: id, Time: at,
			DataContentType: contentType, CorrelationID: correlation}
		logs, report := decoder.DecodeRequest(wire.Request{Body: []byte(data), CloudEvent: &event})
		require.Equal(t, 1, report.Accepted+report.Refused)
		require.Equal(t, report.Accepted, logs.LogRecordCount())
		if report.Accepted == 0 || !json.Valid([]byte(data)) {
			require.Zero(t, report.Accepted)
			return
		}
		want := marshal(t, logs)
		if logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).EventName() == lifecycle.TaskFailed {
			return // its trace may be a hash of the item's bytes
		}
		for key, value := range map[string]any{
			"data": json.RawMessage(data), "data_base64": base64.StdEncoding.EncodeToString([]byte(data)),
		} {
			text, err := json.Marshal(map[string]any{"specversion": version, "type": kind, "source": source, "id": id,
				"time": omitEmpty(at), "datacontenttype": contentType, "correlationid": correlation, key: value})
			require.NoError(t, err)
			if len(text) > 4096 {
				return
			}
			again, report := decoder.Decode(text, wire.FormatCloudEvents)
			require.Equal(t, 1, report.Accepted, "%s: %v", text, report.Refusals)
			if key == "data_base64" { // encoding/json compacts data, and escapes some of its strings
				require.Equal(t, want, marshal(t, again), string(text))
			}
		}
	})
}

func omitEmpty(text string) any {
	if text == "" {
		return nil
	}
	return text
}
