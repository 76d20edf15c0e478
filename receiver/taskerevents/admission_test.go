// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/tasker-otel/otelcol-tasker/receiver/taskerevents/internal/metadatatest"
)

// Requests beyond the bytes in flight are asked to retry; requests in progress continue, and a single one is always admitted.
func TestBytesInFlight(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	next := consumerOf(t, func(context.Context, plog.Logs) error {
		entered <- struct{}{}
		<-leave
		return nil
	})
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	r := startWith(t, metadatatest.NewSettings(tel), componenttest.NewNopHost(), next, func(c *Config) {
		c.MaxInFlightBytes = 2 * int64(len(good))
	})
	answers := make(chan int)
	send := func(body string) {
		response, err := http.Post(r.url(defaultPath), "application/json", strings.NewReader(body))
		assert.NoError(t, err)
		assert.NoError(t, response.Body.Close())
		answers <- response.StatusCode
	}
	go send(good)
	<-entered
	go send(good)
	<-entered
	metadatatest.AssertEqualReceiverTaskerEventsInFlightBytes(t, tel,
		[]metricdata.DataPoint[int64]{{Value: 2 * int64(len(good))}}, metricdatatest.IgnoreTimestamp())

	response := post(t, r, good)
	assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode, "exactly the limit is at work")
	assert.Equal(t, "1", response.Header.Get("Retry-After"))
	assert.Contains(t, decodeAnswer(t, response).Error, "max_in_flight_bytes")

	leave <- struct{}{}
	assert.Equal(t, http.StatusOK, <-answers)
	response = post(t, r, " "+good)
	assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode, "one byte more than the limit would be at work")
	require.NoError(t, response.Body.Close())
	leave <- struct{}{}
	assert.Equal(t, http.StatusOK, <-answers)

	go send(strings.Repeat(good, 10))
	<-entered
	leave <- struct{}{}
	assert.Equal(t, http.StatusOK, <-answers, "alone")
	assert.Zero(t, r.room.InFlight())
}

// Senders that announce large bodies and stay silent, or stall, do not block others.
func TestSilentSendersShutNobodyOut(t *testing.T) {
	const limit = 64 << 10
	for name, sent := range map[string]int{"silent": 0, "stalled": limit/4 - 1} {
		t.Run(name, func(t *testing.T) {
			next := consumerOf(t, func(context.Context, plog.Logs) error { return nil })
			r := start(t, next, func(c *Config) { c.MaxInFlightBytes = limit })
			stalled := make([]net.Conn, 4)
			for i := range stalled {
				connection, err := net.Dial("tcp", r.listener.Addr().String())
				require.NoError(t, err)
				defer connection.Close() //nolint:errcheck // a test
				_, err = fmt.Fprintf(connection, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s",
					defaultPath, limit/4, strings.Repeat(" ", sent))
				require.NoError(t, err)
				stalled[i] = connection
			}
			require.Eventually(t, func() bool { return r.room.Reading() == len(stalled) && r.room.InFlight() == int64(4*sent) },
				time.Minute, time.Millisecond)

			// A request that stalled only just now may still continue: the sender retries as asked.
			require.Eventually(t, func() bool {
				response := post(t, r, good)
				defer response.Body.Close() //nolint:errcheck // a test
				return response.StatusCode == http.StatusOK
			}, time.Minute, 10*time.Millisecond)
			if sent == 0 {
				return
			}
			answered := make(chan *http.Response)
			for _, connection := range stalled {
				go func() {
					if response, err := http.ReadResponse(bufio.NewReader(connection), nil); err == nil {
						answered <- response
					}
				}()
			}
			response := <-answered
			assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode, "one was given up")
			assert.Contains(t, decodeAnswer(t, response).Error, "too slowly")
		})
	}
}
