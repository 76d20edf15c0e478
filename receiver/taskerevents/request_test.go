// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/receiver/taskerevents/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/receiver/taskerevents/internal/metadatatest"
)

func decodeAnswer(t testing.TB, response *http.Response) answer {
	t.Helper()
	defer response.Body.Close()
	assert.Equal(t, "application/json", response.Header.Get("Content-Type"))
	var got answer
	require.NoError(t, json.NewDecoder(response.Body).Decode(&got))
	require.NotNil(t, got.Refused)
	return got
}

func TestAnswers(t *testing.T) {
	small := func(c *Config) {
		c.MaxItems, c.MaxItemBytes, c.ServerConfig.MaxRequestBodySize = 3, 500, 2000
	}
	many := strings.Repeat(good+"\n", 30)
	for name, test := range map[string]struct {
		method, path, contentType, encoding string
		body                                []byte
		want                                int
		accepted, refused                   int
		error                               string
		header                              [2]string
	}{
		"object":                {contentType: "application/json", body: []byte(good), want: 200, accepted: 1},
		"object with a charset": {contentType: "application/json; charset=utf-8", body: []byte(good), want: 200, accepted: 1},
		"array":                 {contentType: "application/json", body: []byte("[" + good + "," + good + "]"), want: 200, accepted: 2},
		"empty array":           {contentType: "application/json", body: []byte("[]"), want: 200},
		"several objects":       {contentType: "application/json", body: []byte(good + "\n" + good), want: 200, accepted: 2},
		"x-ndjson":              {contentType: "application/x-ndjson", body: []byte(good + "\n" + good), want: 200, accepted: 2},
		"ndjson":                {contentType: "application/ndjson", body: []byte(good + "\r\n" + good), want: 200, accepted: 2},
		"jsonl":                 {contentType: "application/jsonl", body: []byte(good + "\n\n" + good), want: 200, accepted: 2},
		"text":                  {contentType: "text/plain", body: []byte(good), want: 200, accepted: 1},
		"no type":               {body: []byte(good), want: 200, accepted: 1},
		"gzip":                  {encoding: "gzip", body: gzipped(t, good), want: 200, accepted: 1},
		"gzip in capitals":      {encoding: " GZIP", body: gzipped(t, good), want: 200, accepted: 1},
		"x-gzip":                {encoding: "x-gzip", body: gzipped(t, good), want: 200, accepted: 1},
		"identity":              {encoding: "identity", body: []byte(good), want: 200, accepted: 1},
		"zstd":                  {encoding: "zstd", body: zstandard(t, good), want: 200, accepted: 1},
		"deflate":               {encoding: "deflate", body: deflated(t, good), want: 200, accepted: 1},
		"CloudEvent":            {contentType: "application/cloudevents+json; charset=utf-8", body: []byte(goodCloud), want: 200, accepted: 1},
		"CloudEvents": {contentType: "application/cloudevents-batch+json", body: []byte("[" + goodCloud + "," + goodCloud + "]"),
			want: 200, accepted: 2},
		"no CloudEvents": {contentType: "application/cloudevents-batch+json", body: []byte("[]"), want: 200},

		"no CloudEvent":   {contentType: "application/cloudevents+json", body: []byte(good), want: 400, refused: 1},
		"another format":  {contentType: "application/cloudevents+avro", body: []byte(good), want: 415, error: "cloudevents+avro"},
		"some refused":    {body: []byte(good + "\n{}\nx"), want: 200, accepted: 1, refused: 2},
		"all refused":     {body: []byte("{}\n{}"), want: 400, refused: 2},
		"not JSON":        {body: []byte("hello"), want: 400, refused: 1},
		"empty":           {want: 400, refused: 1},
		"too many items":  {body: []byte(strings.Repeat(`{"event":"e","payload":{}}`, 4)), want: 413, refused: 1},
		"too large":       {body: []byte(many), want: 413, error: "larger than 2000 bytes"},
		"too large, gzip": {encoding: "gzip", body: gzipped(t, many), want: 413, error: "larger than 2000 bytes"},
		"too large, zstd": {encoding: "zstd", body: zstandard(t, many), want: 413, error: "larger than 2000 bytes"},
		"not gzip":        {encoding: "gzip", body: []byte(good), want: 400, error: "gzip"},
		"cut gzip":        {encoding: "gzip", body: gzipped(t, good)[:40], want: 400, error: "could not be read"},
		"other encoding": {encoding: "br", body: []byte(good), want: 415, error: `the content encoding "br" is not supported`,
			header: [2]string{"Accept-Encoding", "gzip, zstd, deflate, zlib, snappy"}},
		"other type": {contentType: "application/xml", body: []byte(good), want: 415, error: `"application/xml" is not supported`,
			header: [2]string{"Accept-Post", acceptPost}},
		"broken type": {contentType: "a b;;", body: []byte(good), want: 415, error: "not supported"},
		"GET":         {method: "GET", want: 405, error: "GET is not allowed", header: [2]string{"Allow", "POST"}},
		"PUT":         {method: "PUT", body: []byte(good), want: 405, error: "PUT is not allowed", header: [2]string{"Allow", "POST"}},
		"other path":  {path: "/v1/traces", body: []byte(good), want: 404, error: "post events to /v1/events"},
		"deeper path": {path: "/v1/events/", body: []byte(good), want: 404, error: "post events to /v1/events"},
	} {
		t.Run(name, func(t *testing.T) {
			sink := new(consumertest.LogsSink)
			r := start(t, sink, small)
			method, path := "POST", defaultPath
			if test.method != "" {
				method = test.method
			}
			if test.path != "" {
				path = test.path
			}
			request, err := http.NewRequest(method, r.url(path), bytes.NewReader(test.body))
			require.NoError(t, err)
			if test.contentType != "" {
				request.Header.Set("Content-Type", test.contentType)
			}
			if test.encoding != "" {
				request.Header.Set("Content-Encoding", test.encoding)
			}
			response, err := http.DefaultClient.Do(request)
			require.NoError(t, err)
			assert.Equal(t, test.want, response.StatusCode)
			if test.header[0] != "" {
				assert.Equal(t, test.header[1], response.Header.Get(test.header[0]))
			}
			got := decodeAnswer(t, response)
			assert.Equal(t, test.accepted, got.Accepted)
			assert.Equal(t, test.accepted, sink.LogRecordCount())
			assert.Equal(t, test.refused, got.RefusedCount)
			assert.Len(t, got.Refused, test.refused)
			assert.Contains(t, got.Error, test.error)
			assert.Equal(t, test.error == "", got.Error == "")
		})
	}
}

func TestAnswerNamesItemFieldAndRemedy(t *testing.T) {
	r := start(t, consumertest.NewNop(), nil)
	response := post(t, r, good+"\n"+strings.Replace(good, "2026-06-01T", "June ", 1))
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.JSONEq(t, `{"accepted":1,"refused_count":1,"refused":[{
		"index":1,"line":2,"field":"occurred_at","code":"time","reason":"occurred_at is not a time of RFC 3339",
		"remedy":"send a time such as \"2026-06-01T12:00:00.036885123Z\", or leave occurred_at out"}]}`, string(text))
}

func TestErrorsOfThePipeline(t *testing.T) {
	exhausted := status.New(codes.ResourceExhausted, "full")
	withWait, err := exhausted.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(1500 * 1e6)})
	require.NoError(t, err)
	plain := errors.New("down")
	for name, test := range map[string]struct {
		err   error
		want  int
		retry string
	}{
		"plain":                 {plain, 503, "5"},
		"wrapped":               {errors.Join(errors.New("a"), plain), 503, "5"},
		"permanent":             {consumererror.NewPermanent(plain), 500, ""},
		"downstream, permanent": {consumererror.NewDownstream(consumererror.NewPermanent(plain)), 500, ""},
		"cancelled":             {context.Canceled, 503, "5"},
		"unavailable":           {status.Error(codes.Unavailable, "x"), 503, "5"},
		"exhausted":             {exhausted.Err(), 429, "5"},
		"exhausted for a while": {withWait.Err(), 429, "2"},
		"invalid":               {status.Error(codes.InvalidArgument, "x"), 400, ""},
		"the backend's auth":    {status.Error(codes.Unauthenticated, "x"), 500, ""},
		"retryable":             {consumererror.NewRetryableError(plain), 503, "5"},
		"HTTP 429":              {consumererror.NewOTLPHTTPError(plain, 429), 429, "5"},
		"HTTP 502":              {consumererror.NewOTLPHTTPError(plain, 502), 503, "5"},
		"HTTP 400":              {consumererror.NewOTLPHTTPError(plain, 400), 400, ""},
		"HTTP 404":              {consumererror.NewOTLPHTTPError(plain, 404), 500, ""},
	} {
		t.Run(name, func(t *testing.T) {
			response := post(t, start(t, failing(t, test.err), nil), good+"\n{}")
			assert.Equal(t, test.want, response.StatusCode)
			assert.Equal(t, test.retry, response.Header.Get("Retry-After"))
			got := decodeAnswer(t, response)
			assert.Zero(t, got.Accepted)
			assert.Empty(t, got.Refused)
			assert.NotEmpty(t, got.Error)
		})
	}
}

func TestOwnTelemetry(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	settings := receivertest.NewNopSettings(metadata.Type)
	settings.TelemetrySettings = telemetry.NewTelemetrySettings()
	var answer error
	next := consumerOf(t, func(context.Context, plog.Logs) error { return answer })
	r := startWith(t, settings, componenttest.NewNopHost(), next, nil)

	for _, body := range []string{
		good + "\n{}\nx\n" + `{"event":"e","occured_at":"2026","payload":{}}`,
		strings.Replace(good, "2026", "9999", 1),
		`{"event":"e","payload":{"timestamp":"2026-06-01T12:00:00Z"}}`,
		"",
	} {
		decodeAnswer(t, post(t, r, body))
	}
	answer = errors.New("down")
	decodeAnswer(t, post(t, r, good+"\n{}")) // will be retried: its refusals are not counted yet
	response, err := http.Get(r.url(defaultPath))
	require.NoError(t, err)
	decodeAnswer(t, response)

	point := func(value int64, labels ...attribute.KeyValue) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Value: value, Attributes: attribute.NewSet(labels...)}
	}
	ignoring := []metricdatatest.Option{metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars()}
	metadatatest.AssertEqualReceiverTaskerEventsRefusedItems(t, telemetry, []metricdata.DataPoint[int64]{
		point(1, attribute.String("reason", "field")), point(1, attribute.String("reason", "syntax")),
		point(1, attribute.String("reason", "empty_body")),
	}, ignoring...)
	metadatatest.AssertEqualReceiverTaskerEventsClockFallbacks(t, telemetry, []metricdata.DataPoint[int64]{
		point(1, attribute.String("clock", "payload")), point(2, attribute.String("clock", "receipt")),
	}, ignoring...)
	metadatatest.AssertEqualReceiverTaskerEventsImpossibleTimes(t, telemetry, []metricdata.DataPoint[int64]{point(1)}, ignoring...)
	metadatatest.AssertEqualReceiverTaskerEventsUnknownFields(t, telemetry, []metricdata.DataPoint[int64]{point(1)}, ignoring...)
	metadatatest.AssertEqualReceiverTaskerEventsRefusedRequests(t, telemetry, []metricdata.DataPoint[int64]{
		point(1, attribute.Int("http.response.status_code", 405)),
	}, ignoring...)
	for name, want := range map[string]int64{
		"otelcol_receiver_accepted_log_records": 4, "otelcol_receiver_refused_log_records": 1,
	} {
		metric, err := telemetry.GetMetric(name)
		require.NoError(t, err)
		assert.Equal(t, want, metric.Data.(metricdata.Sum[int64]).DataPoints[0].Value, name)
	}
}

func gzipped(t testing.TB, text string) []byte {
	var out bytes.Buffer
	return compressed(t, &out, gzip.NewWriter(&out), text)
}

func deflated(t testing.TB, text string) []byte {
	var out bytes.Buffer
	return compressed(t, &out, zlib.NewWriter(&out), text)
}

func zstandard(t testing.TB, text string) []byte {
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out)
	require.NoError(t, err)
	return compressed(t, &out, w, text)
}

func compressed(t testing.TB, out *bytes.Buffer, w io.WriteCloser, text string) []byte {
	t.Helper()
	_, err := io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

// With log_records: batched the events of a request are in one record, and counted as events.
func TestBatchedRecords(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	sink := new(consumertest.LogsSink)
	r := startWith(t, metadatatest.NewSettings(telemetry), componenttest.NewNopHost(), sink, func(c *Config) { c.LogRecords = recordsBatched })
	decodeAnswer(t, post(t, r, good+good+good+good))
	require.Len(t, sink.AllLogs(), 1)
	require.Equal(t, 2, sink.AllLogs()[0].LogRecordCount(), "one more for the first event, whose shape is not known yet")
	expanded, err := eventbatch.Records(sink.AllLogs()[0])
	require.NoError(t, err)
	require.Equal(t, 4, expanded.LogRecordCount())
	accepted, err := telemetry.GetMetric("otelcol_receiver_accepted_log_records")
	require.NoError(t, err)
	require.EqualValues(t, 4, accepted.Data.(metricdata.Sum[int64]).DataPoints[0].Value)
}

// Values that event_router would remove are not decoded unless included, and are counted.
func TestBulkyValues(t *testing.T) {
	for name, test := range map[string]struct {
		include []string
		want    map[string]any
		counted int64
	}{
		"left out": {nil, map[string]any{"tasker.task_id": int64(7)}, 2},
		"included": {[]string{"task_context"}, map[string]any{"tasker.task_id": int64(7), "tasker.task_context": map[string]any{"card": "4111"}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			telemetry := componenttest.NewTelemetry()
			t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
			sink := new(consumertest.LogsSink)
			r := startWith(t, metadatatest.NewSettings(telemetry), componenttest.NewNopHost(), sink, func(c *Config) { c.Payload.Include = test.include })
			decodeAnswer(t, post(t, r, `{"event":"task.completed","payload":{"task_id":7,"task_context":{"card":"4111"},"results":[1],"route.signals":"none"}}`))
			attrs := sink.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes()
			attrs.Remove(lifecycle.AttrClock)
			attrs.Remove(lifecycle.AttrIdentity)
			require.Equal(t, test.want, attrs.AsRaw())
			metadatatest.AssertEqualReceiverTaskerEventsRemovedValues(t, telemetry, []metricdata.DataPoint[int64]{
				{Value: test.counted, Attributes: attribute.NewSet(attribute.String("reason", "bulky"))},
				{Value: 1, Attributes: attribute.NewSet(attribute.String("reason", "stamp"))},
			}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
		})
	}
}
