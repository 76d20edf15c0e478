// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventbatch_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/treedata"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

func records(t testing.TB, tasks int) []plog.LogRecord {
	t.Helper()
	lines, _ := streamtest.Generate(streamtest.Options{Tasks: tasks, Seed: 3, Failures: true, SpacingMS: 5})
	logs, err := streamtest.ToLogs(lines, "")
	require.NoError(t, err)
	var list []plog.LogRecord
	var normalizer eventrecord.Normalizer
	for _, rl := range logs.ResourceLogs().All() {
		for _, record := range rl.ScopeLogs().At(0).LogRecords().All() {
			normalizer.Normalize(eventrecord.ApplicationOf(rl.Resource().Attributes()), record)
			list = append(list, record)
		}
	}
	return list
}

func read(reader *treedata.Reader, record plog.LogRecord) *event.Event {
	return reader.Event(record.EventName(), record.TraceID(), eventrecord.Identity(record), record.Timestamp(), nil, record.Attributes())
}

// drawEvent draws an event with any fields.
func drawEvent(t *rapid.T) event.Event {
	text := rapid.SampledFrom([]string{"", "", "x", "step.completed", strings.Repeat("long ", 100), "\xff\x00ü"})
	id := func(name string) event.ID {
		if text := text.Draw(t, name); text != "" {
			return event.ID{Text: text, Integer: rapid.Bool().Draw(t, name)}
		}
		return event.ID{}
	}
	number := rapid.SampledFrom([]int{-1, 0, 1, 300, math.MaxInt32, math.MinInt32})
	double := rapid.SampledFrom([]float64{0, 0.25, -1, math.MaxFloat64})
	e := event.Event{
		TraceID: event.TraceID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "trace")), Identity: rapid.Uint64().Draw(t, "identity"),
		At: rapid.Int64().Draw(t, "at"), Name: text.Draw(t, "name"), TaskID: id("task"), TaskName: text.Draw(t, "task name"),
		StepID: id("step"), StepName: text.Draw(t, "step name"), CorrelationID: text.Draw(t, "correlation"), Traceparent: text.Draw(t, "parent"),
		Attempt: number.Draw(t, "attempt"), StepCount: number.Draw(t, "count"), TotalSteps: number.Draw(t, "total"), JobRun: number.Draw(t, "run"),
		HasJob: rapid.Bool().Draw(t, "job"), Refused: rapid.Bool().Draw(t, "refused"), QueueName: text.Draw(t, "queue"),
		FinalStatus: text.Draw(t, "final"), Mode: text.Draw(t, "mode"), ErrorClass: text.Draw(t, "class"), Exception: text.Draw(t, "exception"),
		ErrorMessage: text.Draw(t, "message"), Backtrace: text.Draw(t, "trace text"), BackoffType: text.Draw(t, "backoff"),
		BackoffFor: double.Draw(t, "backoff for"), QueryDuration: double.Draw(t, "duration"), SQL: text.Draw(t, "sql"),
		QueryName: text.Draw(t, "query"), MemoryDeltaMB: double.Draw(t, "memory"),
		StepIDs: rapid.SliceOfN(text, 0, 3).Draw(t, "ids"), Dependencies: rapid.SliceOfN(text, 0, 3).Draw(t, "dependencies"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "attributes") {
		e.Attributes = append(e.Attributes, rapid.SampledFrom([]attribute.KeyValue{
			attribute.String("a", "b"), attribute.Int("n", -7), attribute.Double("d", 0.5), attribute.Bool("on", true),
			attribute.Strings("list", []string{"", "x"}), attribute.String("empty", ""),
		}).Draw(t, "attribute"))
	}
	return e
}

// Decoding returns what was encoded, whatever the reader read before.
func TestRoundTrip(t *testing.T) {
	var w eventbatch.Writer
	var r eventbatch.Reader
	rapid.Check(t, func(t *rapid.T) {
		w.Begin()
		var want []event.Event
		for range rapid.IntRange(0, 5).Draw(t, "events") {
			want = append(want, drawEvent(t))
			w.Add(&want[len(want)-1])
		}
		require.Equal(t, len(want), w.Events())
		batch := w.Batch()
		require.Equal(t, !slices.ContainsFunc(want, hasBrokenText), utf8.ValidString(batch), "a batch is a string attribute")
		i := 0
		resource := &event.Resource{}
		require.NoError(t, eventbatch.Each(batch, func(trace event.TraceID, at int) {
			e, err := r.Event(batch, at, resource)
			require.NoError(t, err)
			require.Equal(t, want[i].TraceID, trace)
			same(t, &want[i], e)
			require.Same(t, resource, e.Resource)
			i++
		}))
		require.Len(t, want, i)
	})
}

// hasBrokenText reports whether one of an event's texts is not UTF-8.
func hasBrokenText(e event.Event) bool {
	e.TraceID, e.Resource, e.Attributes = event.TraceID{}, nil, nil
	return strings.Contains(fmt.Sprint(e), "\xff")
}

func same(t require.TestingT, want, got *event.Event) {
	a, b := *want, *got
	for _, e := range []*event.Event{&a, &b} {
		e.Resource = nil
		e.StepIDs, e.Dependencies, e.Attributes = slices.Clone(e.StepIDs), slices.Clone(e.Dependencies), slices.Clone(e.Attributes)
		if len(e.StepIDs) == 0 {
			e.StepIDs = nil
		}
		if len(e.Dependencies) == 0 {
			e.Dependencies = nil
		}
		if len(e.Attributes) == 0 {
			e.Attributes = nil
		}
	}
	require.Equal(t, a, b)
}

// FuzzRead checks that no bytes make the reader panic, and that what it accepts is written as it was read.
func FuzzRead(f *testing.F) {
	var w eventbatch.Writer
	w.Begin()
	reader := treedata.NewReader()
	for _, record := range records(f, 1) {
		w.Add(read(reader, record))
	}
	whole := w.Batch()
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add("")
	f.Add("\t")
	w.Begin()
	w.Add(&event.Event{Name: "order.placed", StepIDs: []string{"1"}, Dependencies: []string{"", "a"}, Attributes: []attribute.KeyValue{attribute.Int("n", 1)}})
	f.Add(w.Batch())
	f.Fuzz(func(t *testing.T, batch string) {
		var r, again eventbatch.Reader
		var w eventbatch.Writer
		_ = eventbatch.Each(batch, func(_ event.TraceID, at int) {
			e, err := r.Event(batch, at, nil)
			if err != nil {
				return
			}
			w.Begin()
			w.Add(e)
			copied, err := again.Event(w.Batch(), 1, nil)
			require.NoError(t, err)
			if e.BackoffFor == e.BackoffFor && e.QueryDuration == e.QueryDuration && e.MemoryDeltaMB == e.MemoryDeltaMB && len(e.Attributes) == 0 { // no NaN
				same(t, e, copied)
			}
		})
	})
}

// BenchmarkWrite measures writing an event of a record into a batch, and BenchmarkRead reading it.
func BenchmarkWrite(b *testing.B) {
	all := records(b, 20)
	for _, record := range all {
		eventrecord.SetIdentity(record.Attributes(), eventrecord.Identity(record))
	}
	var w eventbatch.Writer
	reader := treedata.NewReader()
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if n%len(all) == 0 {
			w.Begin()
		}
		w.Add(read(reader, all[n%len(all)]))
		n++
	}
	b.ReportMetric(float64(len(w.Batch()))/float64(w.Events()), "bytes/event")
}

func BenchmarkRead(b *testing.B) {
	var w eventbatch.Writer
	w.Begin()
	reader := treedata.NewReader()
	for _, record := range records(b, 20) {
		w.Add(read(reader, record))
	}
	var places []int
	batch := w.Batch()
	require.NoError(b, eventbatch.Each(batch, func(_ event.TraceID, at int) { places = append(places, at) }))
	var r eventbatch.Reader
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if _, err := r.Event(batch, places[n%len(places)], nil); err != nil {
			b.Fatal(err)
		}
		n++
	}
}
