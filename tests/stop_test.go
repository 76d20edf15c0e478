// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// TestStopUnderLoad checks that everything acknowledged before a graceful stop is in the spans, although senders were
// active.
func TestStopUnderLoad(t *testing.T) {
	t.Parallel()
	lines, _ := streamtest.Generate(streamtest.Options{Tasks: 1500, Seed: 31, Failures: true, SpacingMS: 5})
	batches := streamtest.Batches(lines, batchLines)
	sink := newSink(t)
	c := start(t, sink)

	// Senders continue until the first error, which is the stop.
	next := make(chan [][]byte, len(batches))
	for _, batch := range batches {
		next <- batch
	}
	close(next)
	var (
		mu           sync.Mutex
		acknowledged [][]byte
		senders      sync.WaitGroup
	)
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(acknowledged)
	}
	client, done := newClient(connections)
	defer done()
	for range connections {
		senders.Go(func() {
			for batch := range next {
				if postOnce(client, "http://"+c.events+"/v1/events", "application/x-ndjson", bytes.Join(batch, []byte("\n"))) != nil {
					return
				}
				mu.Lock()
				acknowledged = append(acknowledged, batch...)
				mu.Unlock()
			}
		})
	}
	await(t, 30*time.Second, "a third of the stream", func() bool { return count() > len(lines)/3 }, func() any { return count() })
	assert.Zero(t, c.stop())
	senders.Wait()
	require.Less(t, count(), len(lines), "the stream was through before the stop")

	spans := sink.all()
	equal(t, streamtest.WellFormed(spans))
	handlers := map[handlerStart]int{}
	for _, span := range spans {
		if span.Name == lifecycle.SpanHandler {
			id, _ := span.Attributes[lifecycle.AttrStepID].(int64)
			handlers[handlerStart{id, span.Start}]++
		}
	}
	lost := 0
	for _, line := range acknowledged {
		if start, is := parseHandlerStart(t, line); is && handlers[start] != 1 {
			lost++
		}
	}
	assert.Zero(t, lost, "handlers that began, in acknowledged batches, and are not there once")
}

// TestAttackStopWhileTheBackendRefuses: spans that only an exporter's memory holds when the collector is stopped are not
// lost: span_hierarchy retains what it has passed on within emit_again_within before the stop, and emits it again after the
// start.
func TestAttackStopWhileTheBackendRefuses(t *testing.T) {
	t.Parallel()
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 40, Seed: 32, Failures: true, SpacingMS: 5})
	sink := newSink(t)
	sink.refuses.Store(true)
	c := start(t, sink, append(durable(t), "processors: {span_hierarchy: {emit_again_within: 10m}}")...)
	c.sendNDJSON(1, streamtest.Batches(lines, batchLines))
	want, metrics := expected(t, lines, truth), measured()
	exact := func() {
		t.Helper()
		awaitEqual(t, "exact metrics", func() []string { return want.differences(collect(c.samples(plainText), metrics)) })
	}
	exact() // every span was passed on: span_to_metrics has counted it
	require.Zero(t, sink.spanCount())
	require.Zero(t, c.stop())

	sink.refuses.Store(false)
	c.launch(c.cmd.Args[1:]...)
	awaitTasks(t, sink, len(truth))
	exact()
	require.Zero(t, c.stop())
	equal(t, streamtest.Compare(truth, sink.all()))
}

// handlerStart is a step.before_handle, and a handler's span.
type handlerStart struct {
	step int64
	at   int64
}

func parseHandlerStart(t *testing.T, line []byte) (start handlerStart, is bool) {
	t.Helper()
	if !bytes.Contains(line, []byte(lifecycle.StepBeforeHandle)) {
		return handlerStart{}, false
	}
	var item struct {
		OccurredAt time.Time `json:"occurred_at"`
		Payload    struct {
			StepID int64 `json:"step_id"`
		} `json:"payload"`
	}
	require.NoError(t, json.Unmarshal(line, &item))
	return handlerStart{item.Payload.StepID, item.OccurredAt.UnixNano()}, true
}
