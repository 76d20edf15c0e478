// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Command cloudevents posts events, one per input line, with the CloudEvents SDK:
//
//	cloudevents MODE URL < events.ndjson
//
// MODE is binary or structured, with one request per event, or batched, with one request for all.
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"

	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: cloudevents MODE URL < events.ndjson")
	}
	mode, url := args[0], args[1]
	events, err := read(in)
	if err != nil {
		return err
	}
	switch mode {
	case "binary":
		return sendEach(cloudevents.WithEncodingBinary(ctx), url, events)
	case "structured":
		return sendEach(cloudevents.WithEncodingStructured(ctx), url, events)
	case "batched":
		return sendBatch(ctx, url, events)
	}
	return fmt.Errorf("mode %q is none of binary, structured and batched", mode)
}

// read converts each line to a CloudEvent.
func read(in io.Reader) ([]cloudevents.Event, error) {
	var events []cloudevents.Event
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		item, err := streamtest.ReadLine(lines.Bytes())
		if err != nil {
			return nil, err
		}
		event := cloudevents.NewEvent(cloudevents.VersionV1)
		event.SetType("tasker." + item.Event)
		event.SetSource("https://example.com/apps/" + item.Service)
		event.SetID(fmt.Sprintf("%x", sha256.Sum256(lines.Bytes()))) // the same when the event is resent
		event.SetTime(item.OccurredAt)
		event.SetSubject("a task")
		event.SetExtension("correlationid", item.CorrelationID)
		if err := event.SetData(cloudevents.ApplicationJSON, item.Payload); err != nil {
			return nil, err
		}
		if err := event.Validate(); err != nil {
			return nil, err
		}
		events = append(events, event)
	}
	return events, lines.Err()
}

// sendEach posts one event per request.
func sendEach(ctx context.Context, url string, events []cloudevents.Event) error {
	client, err := cloudevents.NewClientHTTP(cehttp.WithTarget(url))
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
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}
