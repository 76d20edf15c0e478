// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"testing"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// cloudEvent is the line as the CloudEvents SDK makes it.
func cloudEvent(t *testing.T, line []byte, number int) cloudevents.Event {
	t.Helper()
	item, err := streamtest.ReadLine(line)
	require.NoError(t, err)
	event := cloudevents.NewEvent(cloudevents.VersionV1)
	event.SetType("tasker." + item.Event)
	event.SetSource("https://example.com/apps/" + item.Service)
	event.SetID(strconv.Itoa(number))
	event.SetTime(item.OccurredAt)
	event.SetSubject("a task")
	event.SetExtension("correlationid", item.CorrelationID)
	require.NoError(t, event.SetData(cloudevents.ApplicationJSON, item.Payload))
	require.NoError(t, event.Validate())
	return event
}

// TestCloudEvents: the CloudEvents SDK, which nobody here wrote, sends a stream in each of its modes, shuffled and in part
// twice; the trees are the truth.
func TestCloudEvents(t *testing.T) {
	t.Parallel()
	for name, send := range map[string]func(context.Context, string, []cloudevents.Event) error{
		"binary": func(ctx context.Context, url string, events []cloudevents.Event) error {
			return sendEach(cloudevents.WithEncodingBinary(ctx), url, events)
		},
		"structured": func(ctx context.Context, url string, events []cloudevents.Event) error {
			return sendEach(cloudevents.WithEncodingStructured(ctx), url, events)
		},
		"batched": sendBatch,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines, truth, err := streamtest.Load(streamtest.Planned)
			require.NoError(t, err)
			var events []cloudevents.Event
			for i, line := range lines {
				events = append(events, cloudEvent(t, line, i))
			}
			sink := newSink(t)
			c := start(t, sink)
			var senders errgroup.Group
			senders.SetLimit(connections)
			for i := range connections {
				var part []cloudevents.Event
				for j := i; j < len(events); j += connections {
					part = append(part, events[j])
				}
				part = append(part, part[:len(part)/resendEvery]...)
				senders.Go(func() error { return send(context.Background(), "http://"+c.events+"/v1/events", part) })
			}
			require.NoError(t, senders.Wait())
			awaitTasks(t, sink, len(truth))
			assert.Zero(t, c.stop())
			equal(t, streamtest.Compare(truth, sink.all()))
		})
	}
}

// sendEach posts one event a request.
func sendEach(ctx context.Context, url string, events []cloudevents.Event) error {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client, err := cloudevents.NewClientHTTP(cehttp.WithTarget(url), cehttp.WithRoundTripper(transport))
	if err != nil {
		return err
	}
	for _, event := range events {
		if result := client.Send(ctx, event); !cloudevents.IsACK(result) {
			return result
		}
	}
	return nil
}

// sendBatch posts all events in one request.
func sendBatch(ctx context.Context, url string, events []cloudevents.Event) error {
	request, err := cehttp.NewHTTPRequestFromEvents(ctx, url, events)
	if err != nil {
		return err
	}
	client, done := newClient(1)
	defer done()
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}
