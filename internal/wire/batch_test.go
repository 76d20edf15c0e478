// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/wire"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// sameEvents compares the events of logs with those of logs with batches, in any order. A batch has one time of receipt, no flags,
// and the severity that the engine's events have.
func sameEvents(t require.TestingT, want, batched plog.Logs) {
	got, err := eventbatch.Records(batched)
	require.NoError(t, err)
	require.Equal(t, partsOf(want), partsOf(got))
}

// partsOf returns the parts of logs in an order of their own, without what a batch does not have.
func partsOf(logs plog.Logs) (parts []string) {
	copied := plog.NewLogs()
	logs.CopyTo(copied)
	for i, rl := range copied.ResourceLogs().All() {
		for j, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				if record.ObservedTimestamp() != record.Timestamp() {
					record.SetObservedTimestamp(0)
				}
				record.SetFlags(0)
				if severity := lifecycle.SeverityOf(record.EventName()); lifecycle.Defines(record.EventName()) && record.SeverityNumber() == 0 {
					record.SetSeverityNumber(plog.SeverityNumber(severity))
				}
				if severity := lifecycle.SeverityOf(record.EventName()); record.SeverityText() == "" {
					record.SetSeverityText(severity.String())
				}
			}
			one := plog.NewLogs()
			sl.CopyTo(one.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty())
			for _, part := range texts(one) {
				parts = append(parts, fmt.Sprint(i, j, part))
			}
		}
	}
	slices.Sort(parts)
	return parts
}

// carried counts the events in batches, and the records besides them.
func carried(t *testing.T, logs plog.Logs) (events, others int) {
	t.Helper()
	for _, record := range records(logs) {
		if _, found := eventbatch.Of(record); !found {
			others++
			continue
		}
		count, found := record.Attributes().Get(lifecycle.AttrEventCount)
		require.True(t, found)
		events += int(count.Int())
	}
	return events, others
}

// Streams are decoded into batches of the same events, as JSON and as OTLP logs, whatever is left out.
func TestBatches(t *testing.T) {
	for _, name := range []string{"order_processing", "mixed", "planned", "real/linear5", "real/retry"} {
		for _, settings := range []wire.Settings{{}, {LeaveOut: lifecycle.BulkyPayloadKeys()}, {LeaveOut: lifecycle.BulkyPayloadKeys(), Unused: lifecycle.UnusedPayloadKeys()}} {
			settings.Now = func() time.Time { return time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC) }
			single := wire.NewDecoder(settings)
			settings.Batch = true
			batching := wire.NewDecoder(settings)
			body := stream(t, name)
			asLogs, err := streamtest.ToLogs(bytes.Split(bytes.TrimSpace(body), []byte("\n")), "tasker.")
			require.NoError(t, err)
			request := exportRequest(t, asLogs)
			for range 2 {
				want, report := single.Decode(body, wire.FormatNDJSON)
				got, twin := batching.Decode(body, wire.FormatNDJSON)
				require.Equal(t, report, twin)
				sameEvents(t, want, got)
				batched, others := carried(t, got)
				require.Equal(t, report.Accepted, batched+others)

				wantOTLP, report, err := single.DecodeOTLP(request)
				require.NoError(t, err)
				gotOTLP, twin, err := batching.DecodeOTLP(request)
				require.NoError(t, err)
				require.Equal(t, report, twin)
				sameEvents(t, wantOTLP, gotOTLP)
			}
		}
	}
}

// Few events of a stream become records: the first ones of each shape.
func TestNearlyAllIsBatched(t *testing.T) {
	for _, name := range []string{"order_processing", "mixed", "planned", "real/linear5", "real/retry"} {
		decoder := wire.NewDecoder(wire.Settings{LeaveOut: lifecycle.BulkyPayloadKeys(), Batch: true})
		body := stream(t, name)
		logs, _ := decoder.Decode(bytes.Repeat(body, 1+5000/bytes.Count(body, []byte("\n"))), wire.FormatNDJSON)
		batched, others := carried(t, logs)
		assert.Greater(t, batched, 50*others, name)

		asLogs, err := streamtest.ToLogs(bytes.Split(bytes.TrimSpace(body), []byte("\n")), "")
		require.NoError(t, err)
		for _, record := range records(asLogs) { // what is not Tasker's may belong to another program
			if !lifecycle.Defines(record.EventName()) {
				record.SetEventName(lifecycle.StepCompleted)
			}
		}
		var request []byte
		for len(request) < 1<<20 {
			request = append(request, exportRequest(t, asLogs)...) // a request may be sent in parts
		}
		logs, _, err = decoder.DecodeOTLP(request)
		require.NoError(t, err)
		batched, others = carried(t, logs)
		assert.Greater(t, batched, 20*others, name)
	}
}

// An item that a batch cannot have becomes a record, and the others of its shape do not.
func TestBatchOfOneShape(t *testing.T) {
	settings := wire.Settings{Now: func() time.Time { return now }}
	single := wire.NewDecoder(settings)
	settings.Batch = true
	item := func(more, payload string) string {
		return fmt.Sprintf(`{"event": "task.failed"%s, "payload": {%s}}`+"\n", more, payload)
	}
	const timed = `, "occurred_at": "2026-06-01T12:00:00.5Z"`
	first := item(timed, `"task_id": 7, "correlation_id": "a", "list": [1, "x", null, 0.5, true]`)
	for _, test := range []struct {
		name, item string
		batched    bool
	}{
		{"the same", first, true},
		{"an id", item(timed+`, "id": "i", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"`, `"task_id": "7", "correlation_id": "a", "list": []`), true},
		{"another id besides that of the payload", item(timed+`, "correlation_id": "b"`, `"task_id": 7.0, "correlation_id": "a", "list": 0`), true},
		{"an id instead of that of the payload", item(timed+`, "correlation_id": "b"`, `"task_id": 7, "correlation_id": "", "list": 0`), false},
		{"numbers beyond 64 bits", item(timed, `"task_id": 99999999999999999999, "correlation_id": 1e999, "list": [99999999999999999999]`), true},
		{"no time", item("", `"task_id": 7, "correlation_id": "a", "list": []`), false},
		{"no task", item(timed, `"task_id": "", "correlation_id": "a", "list": []`), false},
		{"another shape", item(timed, `"task_id": 7, "correlation_id": "a", "lists": []`), false},
		{"another application", item(timed+`, "service": "s", "namespace": "n"`, `"task_id": 7, "correlation_id": "a", "list": []`), true},
		{"a list in a list", item(timed, `"task_id": 7, "correlation_id": "a", "list": [[]]`), false},
		{"a list in a list before", item(timed, `"task_id": 7, "correlation_id": "a", "list": [[]]`) + first, false},
	} {
		want, report := single.Decode([]byte(first+test.item), wire.FormatNDJSON)
		got, twin := wire.NewDecoder(settings).Decode([]byte(first+test.item), wire.FormatNDJSON)
		require.Equal(t, report, twin)
		sameEvents(t, want, got)
		batched, _ := carried(t, got)
		assert.Equal(t, test.batched, batched == 1, test.name)
	}
}
