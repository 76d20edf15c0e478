// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/tasker-otel/otelcol-tasker/receiver/taskerevents/internal/metadata"
)

const good = `{"event":"task.completed","occurred_at":"2026-06-01T12:00:00Z","service":"shop","payload":{"task_id":1}}`

// start runs a receiver with the factory's defaults on a free port until the test ends.
func start(t testing.TB, next consumer.Logs, change func(*Config)) *eventsReceiver {
	t.Helper()
	return startWith(t, receivertest.NewNopSettings(metadata.Type), componenttest.NewNopHost(), next, change)
}

func startWith(t testing.TB, settings receiver.Settings, host component.Host, next consumer.Logs, change func(*Config)) *eventsReceiver {
	t.Helper()
	config := createDefaultConfig().(*Config)
	config.ServerConfig.NetAddr.Endpoint = "localhost:0"
	if change != nil {
		change(config)
	}
	require.NoError(t, config.Validate())
	created, err := NewFactory().CreateLogs(context.Background(), settings, config, next)
	require.NoError(t, err)
	r := created.(*eventsReceiver)
	require.NoError(t, r.Start(context.Background(), host))
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		require.NoError(t, r.Shutdown(context.Background()))
	})
	return r
}

func (r *eventsReceiver) url(path string) string {
	return "http://" + r.listener.Addr().String() + path
}

func post(t testing.TB, r *eventsReceiver, body string) *http.Response {
	t.Helper()
	response, err := http.Post(r.url(defaultPath), "application/json", strings.NewReader(body))
	require.NoError(t, err)
	return response
}

// consumerOf makes a consumer of a function.
func consumerOf(t testing.TB, consume func(context.Context, plog.Logs) error) consumer.Logs {
	t.Helper()
	next, err := consumer.NewLogs(consume)
	require.NoError(t, err)
	return next
}

// failing returns a consumer that returns one error.
func failing(t testing.TB, err error) consumer.Logs {
	return consumerOf(t, func(context.Context, plog.Logs) error { return err })
}

// statusHost publishes the status events that components report.
type statusHost struct {
	component.Host
	reported chan *componentstatus.Event
}

var _ componentstatus.Reporter = statusHost{}

func (h statusHost) Report(event *componentstatus.Event) { h.reported <- event }
