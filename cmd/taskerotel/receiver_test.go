// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/tasker-otel/otelcol-tasker/receiver/taskerevents"
)

// startReceiver starts a receiver at a free address. Another process may take the address between the probe and the start,
// so a failed start is repeated with another one.
func startReceiver(t *testing.T, sink *consumertest.LogsSink) (address string) {
	t.Helper()
	factory := taskerevents.NewFactory()
	for {
		probe, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		address = probe.Addr().String()
		require.NoError(t, probe.Close())
		config := factory.CreateDefaultConfig().(*taskerevents.Config)
		config.ServerConfig.NetAddr.Endpoint = address
		config.MaxItems = 20
		receiver, err := factory.CreateLogs(t.Context(), receivertest.NewNopSettings(factory.Type()), config, sink)
		require.NoError(t, err)
		err = receiver.Start(t.Context(), componenttest.NewNopHost())
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, receiver.Shutdown(context.Background())) })
		return address
	}
}

// The sender and the receiver of this project work together: batches that are too large are halved, and refusals have line
// numbers.
func TestSendToTheReceiver(t *testing.T) {
	sink := &consumertest.LogsSink{}
	address := startReceiver(t, sink)
	text, err := os.ReadFile(testdata + "order_processing.ndjson")
	require.NoError(t, err)
	events := strings.Count(string(text), "\n")
	for _, compression := range []string{"none", "gzip"} {
		sink.Reset()
		got := execute(t, string(text)+`{"event":"","payload":{}}`+"\n",
			"send", "--endpoint", "http://"+address+"/v1/events", "--compression", compression, "--retries", "0", "-")
		assert.Equal(t, exitFailed, got.status)
		assert.Contains(t, got.out, "refused      1\n  stdin:73: event: event is empty (", got.out)
		assert.Equal(t, events, sink.LogRecordCount())
	}
}
