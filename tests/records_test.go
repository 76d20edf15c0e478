// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// customer is a personal value in each task_context and step_inputs of the streams.
const customer = "a@example.com"

// allFacts records every fact, not only those of config.yaml.
const allFacts = `
connectors:
  routed_events:
    records: [task.started, task.completed, task.failed, task.cancelled, task.resolved_manually, step.completed, step.failed,
      step.cancelled, step.resolved_manually, observability.step.backoff]
`

// shippedFacts returns the facts that the shipped configurations record.
func shippedFacts() []string {
	return []string{
		lifecycle.TaskStarted, lifecycle.TaskFailed, lifecycle.TaskCancelled, lifecycle.TaskResolvedManually, lifecycle.StepFailed,
		lifecycle.ObservabilityStepBackoff,
	}
}

// facts returns the records without those of backoffs, whose number is not in the truth, and without duplicates, and the
// number of duplicates: after a crash or an exporter's retry a record may be sent again, but identical.
func facts(t *testing.T, records []streamtest.Record) (once []streamtest.Record, again int) {
	t.Helper()
	seen := map[string]streamtest.Record{}
	for _, r := range records {
		if r.Event == lifecycle.ObservabilityStepBackoff {
			continue
		}
		if before, repeated := seen[r.UID()]; repeated {
			again++
			if r.Event != lifecycle.TaskStarted { // another announcement of which may have arrived first
				require.Equal(t, before, r)
			}
			continue
		}
		seen[r.UID()] = r
		once = append(once, r)
	}
	return once, again
}

// awaitRecords waits until the records of facts equal the truth, and returns the number of duplicates.
func awaitRecords(t *testing.T, sink *sink, truth []streamtest.Task, recorded ...string) int {
	t.Helper()
	again := 0
	awaitEqual(t, "exact records", func() []string {
		var once []streamtest.Record
		once, again = facts(t, sink.allRecords())
		return streamtest.CompareRecords(truth, once, recorded...)
	})
	return again
}

// TestRecords checks that each fact is one record that equals the truth, with any order and repetitions, and with a restart
// in the middle.
func TestRecords(t *testing.T) {
	t.Parallel()
	generated := func() ([][]byte, []streamtest.Task) {
		return streamtest.Generate(streamtest.Options{Tasks: 150, Seed: 61, Failures: true, Planned: true})
	}
	load := func(name string) func() ([][]byte, []streamtest.Task) {
		return func() ([][]byte, []streamtest.Task) {
			lines, truth, err := streamtest.Load(name)
			require.NoError(t, err)
			return lines, truth
		}
	}
	for name, stream := range map[string]func() ([][]byte, []streamtest.Task){
		streamtest.OrderProcessing: load(streamtest.OrderProcessing), streamtest.Mixed: load(streamtest.Mixed),
		streamtest.Planned: load(streamtest.Planned), "generated": generated,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines, truth := stream()
			sink := newSink(t)
			c := start(t, sink, append(durable(t), allFacts, patient)...)
			batches := shuffledBatches(lines, 9)
			c.sendNDJSON(connections, batches[:len(batches)/2])
			assert.Zero(t, c.stop())
			c.relaunch()
			c.sendNDJSON(connections, batches[len(batches)/2:])
			awaitTasks(t, sink, len(truth))
			assert.Zero(t, awaitRecords(t, sink, truth), "records that came again")
			assert.Zero(t, c.stop())
			once, again := facts(t, sink.allRecords())
			assert.Zero(t, again)
			equal(t, streamtest.CompareRecords(truth, once))

			backoffs := 0
			for _, r := range sink.allRecords() {
				if r.Event == lifecycle.ObservabilityStepBackoff {
					backoffs++
				}
			}
			counts, err := streamtest.CountEvents(lines)
			require.NoError(t, err)
			assert.Equal(t, counts[lifecycle.ObservabilityStepBackoff], backoffs)
		})
	}
}

// TestRecordsOfRealStreams checks that captured streams have the measured number of records per fact.
func TestRecordsOfRealStreams(t *testing.T) {
	t.Parallel()
	for _, name := range []string{streamtest.RealLinear, streamtest.RealRetry} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines, truth, err := streamtest.LoadReal(name)
			require.NoError(t, err)
			ended := 0
			for i := range truth {
				if truth[i].Status != "" {
					ended++
				}
			}
			sink := newSink(t)
			c := start(t, sink, allFacts)
			c.sendNDJSON(connections, shuffledBatches(lines, 9))
			awaitTasks(t, sink, ended)
			assert.Zero(t, c.stop())
			once, again := facts(t, sink.allRecords())
			assert.Zero(t, again)
			equal(t, streamtest.CompareRealRecords(truth, once))
		})
	}
}

// TestStartIsRecordedAtOnce checks that the record of a task's start does not wait for an end.
func TestStartIsRecordedAtOnce(t *testing.T) {
	t.Parallel()
	lines, truth, err := streamtest.Load(streamtest.OrderProcessing)
	require.NoError(t, err)
	sink := newSink(t)
	c := start(t, sink, "processors: {span_hierarchy: {reorder_window: 10m, settle_timeout: 30m}}")
	c.sendNDJSON(1, [][][]byte{lines[:10]})
	await(t, 20*time.Second, "the record of the start", func() bool { return len(sink.allRecords()) > 0 }, func() any { return sink.spanCount() })
	started := sink.allRecords()[0]
	assert.Equal(t, lifecycle.TaskStarted, started.Event)
	assert.Zero(t, sink.spanCount())
	c.sendNDJSON(1, [][][]byte{lines[10:]})
	assert.Zero(t, c.stop())
	equal(t, streamtest.CompareRecords(truth, sink.allRecords(), lifecycle.TaskStarted))
	for _, span := range sink.all() {
		if span.Name == lifecycle.SpanTask {
			assert.Equal(t, started.SpanID, span.SpanID)
			assert.Equal(t, started.TraceID, span.TraceID)
		}
	}
}

// TestStructuredRecords checks that an application's events that are routed to logs become one record each, and that no
// personal data is exported.
func TestStructuredRecords(t *testing.T) {
	t.Parallel()
	lines, truth, err := streamtest.Load(streamtest.Mixed)
	require.NoError(t, err)
	sink := newSink(t)
	c := start(t, sink, `
processors:
  event_router:
    routes:
      - {event: order.fulfilled, signals: [traces, logs]}
      - {event: step.failed, signals: [traces, metrics, logs]}
`)
	c.sendNDJSON(connections, shuffledBatches(lines, 9))
	awaitTasks(t, sink, len(truth))
	assert.Zero(t, c.stop())
	equal(t, streamtest.Compare(truth, sink.all()))

	counts, err := streamtest.CountEvents(lines)
	require.NoError(t, err)
	type place struct {
		trace [16]byte
		span  [8]byte
	}
	spans := map[place]bool{}
	for _, span := range sink.all() {
		spans[place{span.TraceID, span.SpanID}] = true
		assert.NotContains(t, fmt.Sprint(span.Attributes, span.Events), customer, span.Name)
	}
	fulfilled, ofFacts := 0, []streamtest.Record{}
	for _, r := range sink.allRecords() {
		assert.True(t, spans[place{r.TraceID, r.SpanID}], "%s leads to its span", r.Event)
		assert.NotEmpty(t, r.Attributes[lifecycle.AttrEntityType], r.Event)
		assert.NotEmpty(t, r.Attributes[lifecycle.AttrCorrelationID], r.Event)
		assert.NotEmpty(t, r.Body, r.Event)
		assert.Contains(t, r.Attributes, lifecycle.AttrTaskID, r.Event)
		assert.NotContains(t, fmt.Sprint(r.Body, r.Attributes), customer, r.Event)
		switch r.Event {
		case "order.fulfilled":
			fulfilled++
		case lifecycle.ObservabilityStepBackoff:
		default:
			ofFacts = append(ofFacts, r)
		}
	}
	assert.Equal(t, counts["order.fulfilled"], fulfilled)
	equal(t, streamtest.CompareRecords(truth, ofFacts, shippedFacts()...))
}

// TestAnnouncements checks that announcements: all makes a record of every announcement.
func TestAnnouncements(t *testing.T) {
	t.Parallel()
	lines, truth, err := streamtest.Load(streamtest.Mixed)
	require.NoError(t, err)
	sink := newSink(t)
	c := start(t, sink, `
connectors: {routed_events: {announcements: all}}
processors:
  event_router:
    routes:
      - {event: step.failed, signals: [traces, metrics, logs]}
      - {event: task.start_requested, signals: [traces, metrics, logs]}
`)
	c.sendNDJSON(connections, shuffledBatches(lines, 9))
	awaitTasks(t, sink, len(truth))
	assert.Zero(t, c.stop())
	counts, err := streamtest.CountEvents(lines)
	require.NoError(t, err)
	got := map[string]int{}
	for _, r := range sink.allRecords() {
		got[r.Event]++
	}
	assert.Equal(t, map[string]int{lifecycle.StepFailed: counts[lifecycle.StepFailed], lifecycle.TaskStartRequested: counts[lifecycle.TaskStartRequested]}, got)
}

// TestKillBetweenRecords kills the process while records are exported. Each fact is still one record; records that are sent
// again are identical, and not more than were in flight.
func TestKillBetweenRecords(t *testing.T) {
	t.Parallel()
	const kills = 12
	lines, truth := streamtest.Generate(streamtest.Options{Tasks: 400, Seed: 71, Failures: true, SpacingMS: 5})
	batches := streamtest.Batches(streamtest.Shuffle(lines, 2000, 71), killedBatch)
	sink := newSink(t)
	c := start(t, sink, append(durable(t), allFacts, patient, queueOnDisk)...)
	random := rand.New(rand.NewPCG(71, 1))
	for life := range kills {
		c.sendNDJSON(connections, batches[len(batches)*life/kills:len(batches)*(life+1)/kills])
		if life >= kills/2 { // trees are emitted; some are in flight
			await(t, time.Minute, "records between two kills", func() bool { return len(sink.allRecords()) > 0 }, func() any { return sink.spanCount() })
		}
		<-time.After(time.Duration(random.IntN(50)) * time.Millisecond)
		c.kill()
	}
	awaitTasks(t, sink, len(truth))
	again := awaitRecords(t, sink, truth)
	t.Logf("%d records came, %d of them again", len(sink.allRecords()), again)
	assert.Zero(t, c.stop())
}
