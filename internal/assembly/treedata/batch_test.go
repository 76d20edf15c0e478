// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package treedata

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

func drawRecord(t *rapid.T) plog.LogRecord {
	record := plog.NewLogRecord()
	record.SetEventName(rapid.SampledFrom([]string{
		lifecycle.StepFailed, lifecycle.WorkflowViableStepsDiscovered, lifecycle.ObservabilityTaskEnqueue, lifecycle.TaskCancelled, "order.placed",
	}).Draw(t, "name"))
	keys := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
		lifecycle.AttrTaskID, lifecycle.AttrTaskName, lifecycle.AttrAttemptNumber, lifecycle.AttrStepIDs, lifecycle.AttrStepDependencies, lifecycle.AttrJobID,
		lifecycle.AttrAttempt, lifecycle.AttrErrorMessage, lifecycle.AttrBacktrace, lifecycle.AttrDuration, lifecycle.AttrEventType, lifecycle.AttrTimestamp, "other",
	}), 0, 5, rapid.ID[string]).Draw(t, "keys")
	values := []any{
		"", "text", "7", "0.5", "initialization_failed", int64(7), int64(-1), int64(1) << 60, 0.5, 3.0, true, nil,
		[]any{"a", int64(2), nil, true, 0.25}, []any{}, map[string]any{"k": []any{int64(1)}}, []any{[]any{"nested"}, map[string]any{"k": "v"}},
	}
	for _, key := range keys {
		of := values
		if key == lifecycle.AttrTaskID {
			of = values[:len(values)-1] // such a list has texts in a batch, which differs if the list becomes a text
		}
		if err := record.Attributes().PutEmpty(key).FromRaw(rapid.SampledFrom(of).Draw(t, "value")); err != nil {
			t.Fatal(err)
		}
	}
	return record
}

// An event read of a batch equals the one read of its attributes, whatever these are and was read before.
func TestEventsOfBatches(t *testing.T) {
	pdata, batches := NewReader(), NewReader()
	offsets := eventbatch.NewPlainReader()
	got := new(event.Event)
	rapid.Check(t, func(t *rapid.T) {
		var w eventbatch.RecordWriter
		w.Reset(0)
		records := rapid.SliceOfN(rapid.Custom(drawRecord), 1, 4).Draw(t, "records")
		head := eventbatch.Head{TraceID: [16]byte{1}, Identity: 7, Time: 9}
		for _, record := range records {
			require.True(t, w.Add(record, &head, func(string) bool { return true }))
		}
		batch, resource := w.Batch(), &event.Resource{}
		require.NoError(t, offsets.Open(batch))
		require.NoError(t, batches.Open(batch.Events))
		defer batches.Close()
		for _, record := range records {
			require.True(t, offsets.Next())
			want := plain(pdata.Event(record.EventName(), [16]byte{1}, 7, 9, resource, record.Attributes()))
			read, err := batches.At(offsets.Offset(), resource)
			require.NoError(t, err)
			require.Equal(t, want, plain(read))
			require.NoError(t, batches.ReadAt(got, offsets.Offset(), resource))
			require.Equal(t, want, plain(got))
			Empty(got)
		}
		require.Error(t, batches.ReadAt(got, len(batch.Events)-1, resource))
		_, err := batches.At(len(batch.Events)-1, resource)
		require.Error(t, err)
	})
}

// A reader between batches has nothing of the previous one, and no long lists.
func TestAClosedReaderIsEmpty(t *testing.T) {
	record := plog.NewLogRecord()
	record.SetEventName(lifecycle.WorkflowViableStepsDiscovered)
	ids := record.Attributes().PutEmptySlice(lifecycle.AttrStepIDs)
	r, places := NewReader(), eventbatch.NewPlainReader()
	for steps := range 2 * longestKept {
		ids.AppendEmpty().SetStr("a step")
		var w eventbatch.RecordWriter
		w.Reset(0)
		require.True(t, w.Add(record, &eventbatch.Head{}, func(string) bool { return true }))
		batch := w.Batch()
		require.NoError(t, places.Open(batch))
		require.True(t, places.Next())
		require.NoError(t, r.Open(batch.Events))
		e, err := r.At(places.Offset(), &event.Resource{})
		require.NoError(t, err)
		require.Len(t, e.StepIDs, steps+1)
		r.Close()
		for _, id := range e.StepIDs[:cap(e.StepIDs)] {
			require.Empty(t, id)
		}
		require.LessOrEqual(t, cap(e.StepIDs), longestKept)
		e.StepIDs, e.Dependencies, e.Attributes = nil, nil, nil
		require.Zero(t, *e)
	}
}

// plain returns an event without the memory of lists.
func plain(e *event.Event) event.Event {
	e.StepIDs = append([]string{}, e.StepIDs...)
	e.Dependencies = append([]string{}, e.Dependencies...)
	if len(e.Attributes) == 0 {
		e.Attributes = nil
	}
	return *e
}

// BenchmarkReadBatch measures reading the events of a batch.
func BenchmarkReadBatch(b *testing.B) {
	lines, _ := streamtest.Generate(streamtest.Options{Tasks: 30, Seed: 5, Failures: true, SpacingMS: 20})
	logs, err := streamtest.ToLogs(lines, "")
	require.NoError(b, err)
	var w eventbatch.RecordWriter
	w.Reset(0)
	for _, rl := range logs.ResourceLogs().All() {
		for _, record := range rl.ScopeLogs().At(0).LogRecords().All() {
			w.Add(record, &eventbatch.Head{Identity: 7}, func(string) bool { return true })
		}
	}
	batch, offsets := w.Batch(), []int{}
	places := eventbatch.NewPlainReader()
	require.NoError(b, places.Open(batch))
	for places.Next() {
		offsets = append(offsets, places.Offset())
	}
	require.NotEmpty(b, offsets)
	r, resource := NewReader(), &event.Resource{}
	for b.Loop() {
		require.NoError(b, r.Open(batch.Events))
		for _, at := range offsets {
			if _, err := r.At(at, resource); err != nil {
				b.Fatal(err)
			}
		}
		r.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(offsets)), "ns/event")
}
