// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/receiver/taskerevents/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/receiver/taskerevents/internal/metadatatest"
)

// TestAttackIdleConnectionsAtTheLimit: connections that are opened and kept do not block others.
func TestAttackIdleConnectionsAtTheLimit(t *testing.T) {
	const limit = 4
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	r := startWith(t, metadatatest.NewSettings(tel), componenttest.NewNopHost(), consumertest.NewNop(), func(c *Config) { c.MaxConnections = limit })
	idle := make([]*bufio.Reader, limit)
	for i := range idle {
		idle[i] = connect(t, r, "")
		require.Eventually(t, func() bool { return r.connections.count() == i+1 }, time.Minute, time.Millisecond)
	}
	response := post(t, r, good)
	assert.Equal(t, http.StatusOK, response.StatusCode)
	require.NoError(t, response.Body.Close())
	_, err := idle[0].ReadByte()
	require.ErrorIs(t, err, io.EOF, "the one that was silent for the longest time has gone")
	assert.Equal(t, limit, r.connections.count())
	metadatatest.AssertEqualReceiverTaskerEventsClosedConnections(t, tel, []metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp())
}

// TestStopWithNewConnections: a connection that has not sent anything yet does not delay a stop until the deadline of the
// server, which is five seconds. The stop's own deadline is shorter.
func TestStopWithNewConnections(t *testing.T) {
	r := startWith(t, receivertest.NewNopSettings(metadata.Type), componenttest.NewNopHost(), consumertest.NewNop(), nil)
	silent := connect(t, r, "")
	require.Eventually(t, func() bool { return r.connections.count() == 1 }, time.Minute, time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	require.NoError(t, r.Shutdown(ctx))
	_, err := silent.ReadByte()
	require.Error(t, err)
}

func (c *connections) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open)
}

// wireEnd is a connection without any effect.
type wireEnd struct {
	net.Conn
	closed bool
}

func (w *wireEnd) Close() error {
	w.closed = true
	return nil
}

// Connections never exceed the limit, none with a request is closed for another one, and a new one is closed only if all others
// have requests.
func TestConnections(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		closed := 0
		c := newConnections(limit, func() { closed++ })
		var all []*wireEnd
		busy := map[*wireEnd]bool{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if len(all) == 0 || rapid.IntRange(0, 2).Draw(t, "what") == 0 {
				w := &wireEnd{}
				c.changed(w, http.StateNew)
				if !w.closed {
					all = append(all, w)
				} else if len(busy) < limit {
					t.Fatal("closed, though another one waits")
				}
			} else {
				w := rapid.SampledFrom(all).Draw(t, "which")
				switch {
				case w.closed:
				case busy[w] && rapid.Bool().Draw(t, "gone"):
					c.changed(w, http.StateClosed)
					w.closed = true
					delete(busy, w)
				case busy[w]:
					c.changed(w, http.StateIdle)
					delete(busy, w)
				default:
					c.changed(w, http.StateActive)
					busy[w] = true
				}
			}
			open := 0
			for _, w := range all {
				if !w.closed {
					open++
				} else if busy[w] {
					t.Fatal("one with a request was closed")
				}
			}
			if open != c.count() || open > limit {
				t.Fatalf("%d open, %d counted, limit %d", open, c.count(), limit)
			}
		}
	})
}
