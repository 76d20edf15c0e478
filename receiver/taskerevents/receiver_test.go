// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/tasker-otel/otelcol-tasker/receiver/taskerevents/internal/metadata"
)

// Streams arrive completely: as many records as lines, with the same names.
func TestStreams(t *testing.T) {
	for _, name := range []string{"order_processing", "mixed", "planned", "real/linear5", "real/retry"} {
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile(filepath.Join("../../tests/streamtest/testdata", name+".ndjson"))
			require.NoError(t, err)
			want := map[string]int{}
			for line := range bytes.Lines(body) {
				event := bytes.SplitN(line, []byte{'"'}, 5)[3]
				want[string(event)]++
			}
			sink := new(consumertest.LogsSink)
			r := start(t, sink, nil)
			response, err := http.Post(r.url(defaultPath), "application/x-ndjson", bytes.NewReader(body))
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, response.StatusCode)
			assert.Equal(t, bytes.Count(body, []byte{'\n'}), decodeAnswer(t, response).Accepted)

			got := map[string]int{}
			for _, logs := range sink.AllLogs() {
				for _, record := range logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
					got[record.EventName()]++
				}
			}
			assert.Equal(t, want, got)
		})
	}
}

func TestShutdownIsSafeAtAnyTime(t *testing.T) {
	settings := receivertest.NewNopSettings(metadata.Type)
	created, err := NewFactory().CreateLogs(context.Background(), settings, createDefaultConfig(), consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, created.Shutdown(context.Background()), "before Start")

	r := start(t, consumertest.NewNop(), nil)
	require.NoError(t, r.Shutdown(context.Background()))
	require.NoError(t, r.Shutdown(context.Background()), "twice")
}

// A request that is being answered when the collector stops still gets its answer.
func TestShutdownWaitsForRequests(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	r := start(t, consumerOf(t, func(context.Context, plog.Logs) error {
		close(entered)
		<-release
		return nil
	}), nil)
	address := r.listener.Addr().String()

	answered := make(chan int)
	go func() { answered <- postStatus("http://" + address + defaultPath) }()
	<-entered
	stopped := make(chan error)
	go func() { stopped <- r.Shutdown(context.Background()) }()
	require.Eventually(t, func() bool { return !reachable(address) }, 10*time.Second, time.Millisecond)
	select {
	case <-stopped:
		t.Fatal("it did not wait")
	default:
	}
	close(release)
	assert.Equal(t, http.StatusOK, <-answered)
	assert.NoError(t, <-stopped)
}

// The end of the context is respected: the request is aborted, and its sender will retry.
func TestShutdownIsCutShort(t *testing.T) {
	entered := make(chan struct{})
	r := start(t, consumerOf(t, func(ctx context.Context, _ plog.Logs) error {
		close(entered)
		<-ctx.Done()
		return ctx.Err()
	}), nil)
	answered := make(chan int)
	url := r.url(defaultPath)
	go func() { answered <- postStatus(url) }()
	<-entered
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, r.Shutdown(ended), context.Canceled)
	assert.Zero(t, <-answered)
	assert.NoError(t, r.Shutdown(context.Background()))
}

// postStatus returns the status of the answer, or 0 for none.
func postStatus(url string) int {
	response, err := http.Post(url, "application/json", bytes.NewBufferString(good))
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}

func reachable(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err == nil {
		err = conn.Close()
	}
	return err == nil
}

func TestStartFails(t *testing.T) {
	taken, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	for name, test := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"port in use": {
			func(c *Config) { c.ServerConfig.NetAddr.Endpoint = taken.Addr().String() },
			"listening on 'endpoint' \"" + taken.Addr().String() + "\"",
		},
		"unknown authenticator": {
			func(c *Config) {
				c.ServerConfig.Auth = configoptional.Some(confighttp.AuthConfig{
					Config: configauth.Config{AuthenticatorID: component.MustNewID("missing")}})
			},
			"making the HTTP server: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			config := createDefaultConfig().(*Config)
			config.ServerConfig.NetAddr.Endpoint = "localhost:0"
			test.change(config)
			created, err := NewFactory().CreateLogs(
				context.Background(), receivertest.NewNopSettings(metadata.Type), config, consumertest.NewNop())
			require.NoError(t, err)
			err = created.Start(context.Background(), componenttest.NewNopHost())
			require.ErrorContains(t, err, test.want)
			require.NoError(t, created.Shutdown(context.Background()))
		})
	}
}

// Start does not change the settings, which belong to the collector.
func TestStartDoesNotChangeTheConfig(t *testing.T) {
	r := start(t, consumertest.NewNop(), func(c *Config) { c.ServerConfig.MaxRequestBodySize = 0 })
	assert.Zero(t, r.config.ServerConfig.MaxRequestBodySize)
}

func TestAFailingServerIsReported(t *testing.T) {
	host := statusHost{Host: componenttest.NewNopHost(), reported: make(chan *componentstatus.Event, 1)}
	r := startWith(t, receivertest.NewNopSettings(metadata.Type), host, consumertest.NewNop(), nil)
	require.NoError(t, r.listener.Close())
	event := <-host.reported
	assert.Equal(t, componentstatus.StatusFatalError, event.Status())
	assert.ErrorContains(t, event.Err(), "serving events")
}
