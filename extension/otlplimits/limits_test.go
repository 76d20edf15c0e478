// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package otlplimits

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tasker-otel/otelcol-tasker/extension/otlplimits/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/extension/otlplimits/internal/metadatatest"
)

const exportLogs = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"

// fixture is the collector's OTLP receiver with the limits.
type fixture struct {
	*limits
	grpc, http string
	client     *grpc.ClientConn
	tel        *componenttest.Telemetry
}

// host has the extension.
type host struct {
	component.Host
	extensions map[component.ID]component.Component
}

func (h host) GetExtensions() map[component.ID]component.Component { return h.extensions }

func start(t *testing.T, change func(*Config), consume func(plog.Logs) error) *fixture {
	t.Helper()
	config := createDefaultConfig().(*Config)
	if change != nil {
		change(config)
	}
	require.NoError(t, config.Validate())
	f := &fixture{grpc: free(t), http: free(t), tel: componenttest.NewTelemetry()}
	settings := extensiontest.NewNopSettings(metadata.Type)
	settings.TelemetrySettings = f.tel.NewTelemetrySettings()
	made, err := NewFactory().Create(t.Context(), settings, config)
	require.NoError(t, err)
	f.limits = made.(*limits)
	require.NoError(t, made.Start(t.Context(), componenttest.NewNopHost()))

	factory := otlpreceiver.NewFactory()
	cfg := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{
		"grpc": map[string]any{"endpoint": f.grpc, "middlewares": []any{map[string]any{"id": "otlp_limits"}}},
		"http": map[string]any{"endpoint": f.http, "middlewares": []any{map[string]any{"id": "otlp_limits"}}},
	}}).Unmarshal(cfg))
	next, err := consumer.NewLogs(func(_ context.Context, logs plog.Logs) error { return consume(logs) })
	require.NoError(t, err)
	var r receiver.Logs
	r, err = factory.CreateLogs(t.Context(), receivertest.NewNopSettings(factory.Type()), cfg, next)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), host{componenttest.NewNopHost(), map[component.ID]component.Component{component.NewID(metadata.Type): made}}))
	f.client, err = grpc.NewClient(f.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, f.client.Close())
		http.DefaultClient.CloseIdleConnections()
		require.NoError(t, r.Shutdown(context.Background()))
		assert.Zero(t, f.room.InFlight())
		assert.Zero(t, f.room.Reading())
		require.NoError(t, made.Shutdown(context.Background()))
		require.NoError(t, made.Shutdown(context.Background()), "twice")
		require.NoError(t, f.tel.Shutdown(context.Background()))
	})
	return f
}

func free(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close() //nolint:errcheck // a test
	return listener.Addr().String()
}

// raw is an encoded request.
type raw struct{ proto []byte }

// rawCodec sends bytes unchanged.
type rawCodec struct{}

func (rawCodec) Name() string                  { return "proto" }
func (rawCodec) Marshal(v any) ([]byte, error) { return v.(raw).proto, nil }
func (rawCodec) Unmarshal([]byte, any) error   { return nil }

// overGRPC and overHTTP send a request and return the answer as a gRPC code.
func (f *fixture) overGRPC(t *testing.T, request []byte) codes.Code {
	return status.Code(f.client.Invoke(t.Context(), exportLogs, raw{request}, &raw{}, grpc.ForceCodec(rawCodec{})))
}

func (f *fixture) overHTTP(t *testing.T, contentType string, request []byte) int {
	t.Helper()
	response, err := http.Post("http://"+f.http+"/v1/logs", contentType, bytes.NewReader(request))
	if !assert.NoError(t, err) {
		return 0
	}
	defer response.Body.Close() //nolint:errcheck // a test
	_, err = io.Copy(io.Discard, response.Body)
	assert.NoError(t, err)
	if response.StatusCode == http.StatusServiceUnavailable {
		assert.Equal(t, "1", response.Header.Get("Retry-After"))
	}
	return response.StatusCode
}

func records(t *testing.T, n int) []byte {
	t.Helper()
	logs := plog.NewLogs()
	all := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for range n {
		record := all.AppendEmpty()
		record.Attributes().PutStr("tasker.step_name", "process_payment")
		record.Attributes().PutEmptyMap("tasker.nested").PutEmptySlice("list").AppendEmpty().SetInt(3)
	}
	request, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	require.NoError(t, err)
	return request
}

func in(field protowire.Number, body []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), body)
}

// deep returns a record whose body is nested lists.
func deep(depth int) []byte {
	var value []byte
	for range depth {
		value = in(5, in(1, value))
	}
	return in(1, in(2, in(2, in(5, value))))
}

// wide returns records of two bytes each.
func wide(n int) []byte { return in(1, in(2, bytes.Repeat(in(2, nil), n))) }

func TestOrdinaryRequestsPass(t *testing.T) {
	received := make(chan int, 3)
	f := start(t, nil, func(logs plog.Logs) error { received <- logs.LogRecordCount(); return nil })
	request := records(t, 5000)
	assert.Equal(t, codes.OK, f.overGRPC(t, request))
	assert.Equal(t, 5000, <-received)
	assert.Equal(t, http.StatusOK, f.overHTTP(t, "application/x-protobuf", request))
	assert.Equal(t, 5000, <-received)
	logs := plogotlp.NewExportRequest()
	require.NoError(t, logs.UnmarshalProto(request))
	asJSON, err := logs.MarshalJSON()
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, f.overHTTP(t, "application/json; charset=utf-8", asJSON))
	assert.Equal(t, 5000, <-received)
	assert.NotEqual(t, codes.OK, f.overGRPC(t, []byte{0xff}), "malformed")
	assert.Equal(t, http.StatusBadRequest, f.overHTTP(t, "application/x-protobuf", []byte{0xff}))
	assert.Equal(t, http.StatusUnsupportedMediaType, f.overHTTP(t, "text/html", request), "the receiver's to refuse")
}

// TestAttackHostileOTLP: OTLP requests that, decoded, take a hundred times their bytes or overflow the stack.
func TestAttackHostileOTLP(t *testing.T) {
	f := start(t, nil, func(plog.Logs) error { t.Error("it was taken"); return nil })
	nested := []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":` + strings.Repeat(`{"arrayValue":{"values":[`, 100_000) + strings.Repeat(`]}}`, 100_000) + `}]}]}]}`)
	assert.Equal(t, codes.InvalidArgument, f.overGRPC(t, deep(1000)))
	assert.Equal(t, codes.InvalidArgument, f.overGRPC(t, wide(2_000_000)))
	assert.Equal(t, http.StatusBadRequest, f.overHTTP(t, "application/x-protobuf", deep(1000)))
	assert.Equal(t, http.StatusBadRequest, f.overHTTP(t, "application/json", nested))
	assert.Equal(t, http.StatusRequestEntityTooLarge, f.overHTTP(t, "application/x-protobuf", wide(2_000_000)))
	point := func(transport, reason string, n int64) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Value: n, Attributes: attribute.NewSet(attribute.String("transport", transport), attribute.String("reason", reason))}
	}
	metadatatest.AssertEqualExtensionOtlpLimitsRefusedRequests(t, f.tel, []metricdata.DataPoint[int64]{
		point("grpc", "depth", 1), point("grpc", "size", 1), point("grpc", "busy", 0), point("grpc", "slow", 0),
		point("http", "depth", 2), point("http", "size", 1), point("http", "busy", 0), point("http", "slow", 0),
	}, metricdatatest.IgnoreTimestamp())
}

// Concurrent requests, over any number of connections, take no more memory than allowed; the others are retried.
func TestRoomForAll(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	f := start(t, func(c *Config) { c.MaxRequestMemoryMiB, c.MaxMemoryMiB = 2, 3 }, func(plog.Logs) error {
		entered <- struct{}{}
		<-leave
		return nil
	})
	request := wide(9000) // a little less than 2 MiB
	first := make(chan codes.Code)
	go func() { first <- f.overGRPC(t, request) }()
	<-entered
	metadatatest.AssertEqualExtensionOtlpLimitsInFlightBytes(t, f.tel, []metricdata.DataPoint[int64]{{Value: f.room.InFlight()}}, metricdatatest.IgnoreTimestamp())
	require.Greater(t, f.room.InFlight(), int64(1<<20))
	assert.Equal(t, codes.Unavailable, f.overGRPC(t, request))
	assert.Equal(t, http.StatusServiceUnavailable, f.overHTTP(t, "application/x-protobuf", request))
	leave <- struct{}{}
	assert.Equal(t, codes.OK, <-first)

	over := make(chan int)
	go func() { over <- f.overHTTP(t, "application/x-protobuf", request) }()
	<-entered
	assert.Equal(t, codes.Unavailable, f.overGRPC(t, request))
	leave <- struct{}{}
	assert.Equal(t, http.StatusOK, <-over)
}

// TestAttackSilentStreams: gRPC streams that begin a request and never send it, each on its own connection.
func TestAttackSilentStreams(t *testing.T) {
	const places = 3
	f := start(t, func(c *Config) { c.MaxReceiving = places }, func(plog.Logs) error { return nil })
	ended := make(chan error, places)
	for range places {
		client, err := grpc.NewClient(f.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
		require.NoError(t, err)
		defer client.Close() //nolint:errcheck // a test
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stream, err := client.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, exportLogs)
		require.NoError(t, err)
		go func() { ended <- stream.RecvMsg(&raw{}) }()
	}
	require.Eventually(t, func() bool { return f.receiving.len() == places }, time.Minute, time.Millisecond)
	require.Eventually(t, func() bool {
		code := f.overGRPC(t, records(t, 1))
		require.Contains(t, []codes.Code{codes.OK, codes.Unavailable}, code)
		return code == codes.OK
	}, time.Minute, 10*time.Millisecond)
	assert.Equal(t, codes.Canceled, status.Code(<-ended), "the oldest was given up")
	require.Eventually(t, func() bool { return f.receiving.len() == places-1 }, time.Minute, time.Millisecond)
}

func TestConfig(t *testing.T) {
	conf := func(name string) *Config {
		config := createDefaultConfig().(*Config)
		all, err := confmaptest.LoadConf("testdata/config.yaml")
		require.NoError(t, err)
		section, err := all.Sub("otlp_limits/" + name)
		require.NoError(t, err)
		require.NoError(t, section.Unmarshal(config))
		return config
	}
	assert.Equal(t, createDefaultConfig(), conf("defaults"))
	all := conf("all")
	require.NoError(t, all.Validate())
	assert.Equal(t, &Config{MaxDepth: 20, MaxRequestMemoryMiB: 10, MaxMemoryMiB: 40, MaxReceiving: 5, ConnectionTimeout: 3 * time.Second, MaxFilesPercentage: 60}, all)
	err := conf("mistakes").Validate()
	for _, want := range []string{
		"max_depth: 0 is out of range; use 1 to 1000", "max_request_memory_mib: 0 is too small; use 1 or more",
		"max_memory_mib: -1 is less than max_request_memory_mib; use 0 or more", "max_receiving: 0 is too small; use 1 or more",
		"max_files_percentage: 100 is out of range; use 0 to 95", "connection_timeout: 15ns is in nanoseconds, as a number without a unit is",
	} {
		assert.ErrorContains(t, err, want)
	}
	none := *all
	none.ConnectionTimeout = 0
	assert.ErrorContains(t, none.Validate(), "connection_timeout: 0s is not above zero; use more, such as 10s")
}

// len returns the number of requests in transit.
func (r *receiving) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.requests)
}
