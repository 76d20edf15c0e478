// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// sendNDJSON posts each batch over several concurrent connections, and retries as long as it is asked to.
func (c *collector) sendNDJSON(connections int, batches [][][]byte) {
	c.tb.Helper()
	bodies := make([][]byte, len(batches))
	for i, batch := range batches {
		bodies[i] = bytes.Join(batch, []byte("\n"))
	}
	c.post(connections, "http://"+c.events+"/v1/events", "application/x-ndjson", bodies)
}

func (c *collector) post(connections int, url, contentType string, bodies [][]byte) {
	c.tb.Helper()
	client, done := newClient(connections)
	defer done()
	var senders errgroup.Group
	senders.SetLimit(connections)
	for _, body := range bodies {
		senders.Go(func() error { return postOne(client, url, contentType, body) })
	}
	require.NoError(c.tb, senders.Wait())
}

func newClient(connections int) (client *http.Client, done func()) {
	transport := &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}, transport.CloseIdleConnections
}

// errComeBack is a retryable response.
var errComeBack = errors.New("asked to come back")

// postOne posts a body and retries retryable responses, as a well-behaved sender.
func postOne(client *http.Client, url, contentType string, body []byte) error {
	pause := time.NewTicker(100 * time.Millisecond)
	defer pause.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-pause.C {
		err := postOnce(client, url, contentType, body)
		if !errors.Is(err, errComeBack) || time.Now().After(deadline) {
			return err
		}
	}
}

func postOnce(client *http.Client, url, contentType string, body []byte) error {
	response, err := client.Post(url, contentType, bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case response.StatusCode/100 == 2:
		return nil
	case response.StatusCode == http.StatusTooManyRequests || response.StatusCode == http.StatusServiceUnavailable:
		return fmt.Errorf("%w: %s", errComeBack, response.Status)
	}
	return fmt.Errorf("%s answers %s: %.300s", url, response.Status, answer)
}

// sendOTLP sends the batches as OTLP logs, one after the other.
func (c *collector) sendOTLP(prefix string, batches [][][]byte) {
	c.tb.Helper()
	connection, err := grpc.NewClient(c.otlp, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(c.tb, err)
	defer connection.Close()
	client := plogotlp.NewGRPCClient(connection)
	for _, batch := range batches {
		ld, err := streamtest.ToLogs(batch, prefix)
		require.NoError(c.tb, err)
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		_, err = client.Export(ctx, plogotlp.NewExportRequestFromLogs(ld))
		cancel()
		require.NoError(c.tb, err)
	}
}

// sendLogs posts each batch to tasker_events, as OTLP logs.
func (c *collector) sendLogs(prefix string, batches [][][]byte) {
	c.tb.Helper()
	var bodies [][]byte
	for _, batch := range batches {
		ld, err := streamtest.ToLogs(batch, prefix)
		require.NoError(c.tb, err)
		body, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
		require.NoError(c.tb, err)
		bodies = append(bodies, body)
	}
	c.post(connections, "http://"+c.events+"/v1/logs", "application/x-protobuf", bodies)
}

// awaitTasks waits until the spans of that many tasks have come.
func awaitTasks(t testing.TB, sink *sink, tasks int) {
	t.Helper()
	await(t, 60*time.Second, fmt.Sprintf("spans of %d tasks", tasks),
		func() bool { return sink.taskSpans() >= tasks },
		func() any { return fmt.Sprintf("%d tasks, %d spans", sink.taskSpans(), len(sink.all())) })
}
