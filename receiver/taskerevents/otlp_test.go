// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/tasker-otel/otelcol-tasker/internal/origin"
	"github.com/tasker-otel/otelcol-tasker/receiver/taskerevents/internal/metadatatest"
)

// otlpRequest has log records of one event each, with texts of these lengths.
func otlpRequest(t testing.TB, lengths ...int) []byte {
	t.Helper()
	logs := plog.NewLogs()
	records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for i, length := range lengths {
		record := records.AppendEmpty()
		record.SetEventName("step.completed")
		record.SetTimestamp(1780315200894390678)
		record.Attributes().PutInt("tasker.task_id", int64(i))
		record.Attributes().PutInt("tasker.retry_limit", 3)
		record.Attributes().PutStr("tasker.note", strings.Repeat("x", length))
	}
	body, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	require.NoError(t, err)
	return body
}

// postLogs returns the answer of a request, and its content as a response or a status.
func postLogs(t testing.TB, r *eventsReceiver, body []byte, header ...string) (*http.Response, plogotlp.ExportPartialSuccess, *spb.Status) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, r.url(defaultOTLPPath), bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", otlpContentType)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, otlpContentType, response.Header.Get("Content-Type"))
	if response.StatusCode != http.StatusOK {
		status := &spb.Status{}
		require.NoError(t, proto.Unmarshal(content, status))
		return response, plogotlp.ExportPartialSuccess{}, status
	}
	answer := plogotlp.NewExportResponse()
	require.NoError(t, answer.UnmarshalProto(content))
	return response, answer.PartialSuccess(), nil
}

func TestOTLP(t *testing.T) {
	var from origin.Maker
	sink := &consumertest.LogsSink{}
	next := consumerOf(t, func(ctx context.Context, logs plog.Logs) error {
		from = origin.Of(ctx)
		return sink.ConsumeLogs(ctx, logs)
	})
	r := start(t, next, func(c *Config) { c.MaxValueBytes, c.Payload.Decode = 100, decodeUsed })
	response, partial, _ := postLogs(t, r, otlpRequest(t, 1, 2))
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Zero(t, partial.RejectedLogRecords())
	require.Empty(t, partial.ErrorMessage())
	require.Equal(t, 2, sink.LogRecordCount())
	require.Equal(t, origin.LogDecoder, from)
	record := sink.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	require.False(t, record.TraceID().IsEmpty())
	_, found := record.Attributes().Get("tasker.retry_limit")
	require.False(t, found, "it is not decoded")

	var zipped bytes.Buffer
	writer := gzip.NewWriter(&zipped)
	_, err := writer.Write(otlpRequest(t, 1, 200, 1, 200))
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	response, partial, _ = postLogs(t, r, zipped.Bytes(), "Content-Encoding", "gzip")
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.EqualValues(t, 2, partial.RejectedLogRecords())
	require.Equal(t, "log record 1: a text of the record is longer than 100 bytes: leave bulky values out of the payload, or raise max_value_bytes; "+
		"log record 3: a text of the record is longer than 100 bytes: leave bulky values out of the payload, or raise max_value_bytes", partial.ErrorMessage())
	require.Equal(t, 4, sink.LogRecordCount())

	response, partial, _ = postLogs(t, r, nil)
	require.Equal(t, http.StatusOK, response.StatusCode, "an empty request is valid")
	require.Zero(t, partial.RejectedLogRecords())
}

// Every error is a Status, as OTLP has it, and nothing of the request is accepted.
func TestOTLPErrors(t *testing.T) {
	for name, test := range map[string]struct {
		body    []byte
		header  []string
		status  int
		code    codes.Code
		message string
	}{
		"not protobuf":    {[]byte("{}"), nil, http.StatusBadRequest, codes.InvalidArgument, "the body is not an OTLP request in protobuf: "},
		"cut":             {otlpRequest(t, 5)[:30], nil, http.StatusBadRequest, codes.InvalidArgument, "the body is not an OTLP request in protobuf: a field is longer"},
		"all refused":     {otlpRequest(t, 500, 500, 500, 500), nil, http.StatusBadRequest, codes.InvalidArgument, "log record 2: a text of the record is longer than 100 bytes: leave bulky values out of the payload, or raise max_value_bytes; and 1 more"},
		"too many":        {otlpRequest(t, 1, 1, 1, 1, 1), nil, http.StatusRequestEntityTooLarge, codes.ResourceExhausted, "the request has more than 4 log records"},
		"too large":       {otlpRequest(t, 10_000), nil, http.StatusRequestEntityTooLarge, codes.ResourceExhausted, "larger than 5000 bytes"},
		"JSON":            {[]byte("{}"), []string{"Content-Type", "application/json"}, http.StatusUnsupportedMediaType, codes.InvalidArgument, `the content type "application/json" is not supported: send OTLP in protobuf (application/x-protobuf)`},
		"unknown coding":  {otlpRequest(t, 1), []string{"Content-Encoding", "br"}, http.StatusUnsupportedMediaType, codes.InvalidArgument, `the content encoding "br" is not supported`},
		"not compressed":  {otlpRequest(t, 1), []string{"Content-Encoding", "gzip"}, http.StatusBadRequest, codes.InvalidArgument, "send a whole body that is gzip"},
		"no content type": {otlpRequest(t, 1), []string{"Content-Type", ""}, http.StatusUnsupportedMediaType, codes.InvalidArgument, "is not supported"},
	} {
		t.Run(name, func(t *testing.T) {
			sink := &consumertest.LogsSink{}
			r := start(t, sink, func(c *Config) { c.MaxValueBytes, c.MaxItems, c.ServerConfig.MaxRequestBodySize = 100, 4, 5000 })
			response, _, status := postLogs(t, r, test.body, test.header...)
			assert.Equal(t, test.status, response.StatusCode)
			assert.Equal(t, test.code, codes.Code(status.GetCode()))
			assert.Contains(t, status.GetMessage(), test.message)
			assert.Zero(t, sink.LogRecordCount())
		})
	}
	r := start(t, consumertest.NewNop(), nil)
	response, err := http.Get(r.url(defaultOTLPPath))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusMethodNotAllowed, response.StatusCode)
	r = start(t, consumertest.NewNop(), func(c *Config) { c.OTLPPath = "" })
	response, err = http.Post(r.url(defaultOTLPPath), otlpContentType, bytes.NewReader(otlpRequest(t, 1)))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusNotFound, response.StatusCode)
}

// Errors of the pipeline are retryable or not, as for events.
func TestOTLPErrorsOfThePipeline(t *testing.T) {
	for _, test := range []struct {
		err    error
		status int
		code   codes.Code
		retry  string
	}{
		{errors.New("full"), http.StatusServiceUnavailable, codes.Unavailable, "5"},
		{consumererror.NewPermanent(errors.New("wrong")), http.StatusInternalServerError, codes.Internal, ""},
	} {
		r := start(t, failing(t, test.err), nil)
		response, _, status := postLogs(t, r, otlpRequest(t, 1))
		assert.Equal(t, test.status, response.StatusCode)
		assert.Equal(t, test.code, codes.Code(status.GetCode()))
		assert.Equal(t, test.retry, response.Header.Get("Retry-After"))
	}
}

func TestOTLPTelemetry(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	r := startWith(t, metadatatest.NewSettings(telemetry), componenttest.NewNopHost(), consumertest.NewNop(), func(c *Config) {
		c.MaxValueBytes, c.Payload.Decode = 100, decodeUsed
	})
	postLogs(t, r, otlpRequest(t, 1, 200))
	postLogs(t, r, []byte("{}"))
	metadatatest.AssertEqualReceiverTaskerEventsRefusedItems(t, telemetry, []metricdata.DataPoint[int64]{
		{Attributes: attribute.NewSet(attribute.String("reason", "value_size")), Value: 1},
		{Attributes: attribute.NewSet(attribute.String("reason", "syntax")), Value: 1},
	}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	metadatatest.AssertEqualReceiverTaskerEventsRemovedValues(t, telemetry, []metricdata.DataPoint[int64]{
		{Attributes: attribute.NewSet(attribute.String("reason", "unused")), Value: 1},
	}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}
