// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventbatch_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

func newReader() *eventbatch.Reader[int] {
	return eventbatch.NewReader(func(s *eventbatch.Shape) int { return len(s.Keys) })
}

// event is what an event is drawn as.
type event struct {
	shape  *eventbatch.Shape
	head   eventbatch.Head
	values []any
}

func drawValue(t *rapid.T) any {
	scalars := []*rapid.Generator[any]{
		rapid.SampledFrom([]any{"", "x", strings.Repeat("long ", 100), "ü", int64(0), int64(-1), int64(math.MinInt64), int64(math.MaxInt64)}),
		rapid.SampledFrom([]any{0.0, 0.25, -1.0, math.MaxFloat64, true, false, nil}),
	}
	scalar := rapid.OneOf(scalars...)
	if rapid.IntRange(0, 5).Draw(t, "list") == 0 {
		return rapid.SliceOfN(scalar, 0, 3).Draw(t, "elements")
	}
	return scalar.Draw(t, "value")
}

func drawShapes(t *rapid.T) []*eventbatch.Shape {
	names := rapid.SampledFrom([]string{"step.completed", "order.placed", "ü"})
	keys := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"tasker.task_id", "tasker.step_name", "k", "", "ö"}), 0, 4, rapid.ID[string])
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *eventbatch.Shape {
		return eventbatch.NewShape(names.Draw(t, "name"), keys.Draw(t, "keys"), rapid.Bool().Draw(t, "message"))
	}), 1, 3).Draw(t, "shapes")
}

func drawEvent(t *rapid.T, shapes []*eventbatch.Shape) event {
	e := event{shape: rapid.SampledFrom(shapes).Draw(t, "shape"), head: drawHead(t)}
	for range e.shape.Keys {
		e.values = append(e.values, drawValue(t))
	}
	return e
}

func drawHead(t *rapid.T) (head eventbatch.Head) {
	head = eventbatch.Head{
		TraceID: pcommon.TraceID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "trace")), Identity: rapid.Uint64().Draw(t, "identity"),
		Time: pcommon.Timestamp(rapid.Uint64().Draw(t, "time")), Routed: rapid.Bool().Draw(t, "routed"),
		AtReceipt: rapid.Bool().Draw(t, "receipt"),
		Signals:   lifecycle.SignalsAll, Priority: lifecycle.PriorityNormal,
	}
	if head.Routed {
		head.Signals = lifecycle.Signals(rapid.IntRange(0, int(lifecycle.SignalsAll)).Draw(t, "signals"))
		head.Priority = rapid.SampledFrom([]lifecycle.Priority{
			lifecycle.PriorityLow, lifecycle.PriorityNormal, lifecycle.PriorityHigh, lifecycle.PriorityCritical,
		}).Draw(t, "priority")
	}
	return head
}

func (e *event) write(t require.TestingT, w *eventbatch.Writer) {
	require.True(t, w.Begin(e.shape))
	for _, raw := range e.values {
		value := pcommon.NewValueEmpty()
		require.NoError(t, value.FromRaw(raw))
		w.Value(eventbatch.ValueOf(value))
	}
	require.True(t, w.End(&e.head))
}

func (e *event) same(t require.TestingT, r *eventbatch.Reader[int]) {
	require.Equal(t, e.head, r.Head())
	e.sameContent(t, r)
}

// sameContent is same without the head.
func (e *event) sameContent(t require.TestingT, r *eventbatch.Reader[int]) {
	require.Equal(t, e.shape.Name, r.Shape().Name)
	require.Equal(t, e.shape.Message, r.Shape().Message)
	require.Equal(t, len(e.shape.Keys), *r.Known())
	require.ElementsMatch(t, e.shape.Keys, r.Shape().Keys)
	for i, value := range r.Values() {
		to := pcommon.NewValueEmpty()
		value.CopyTo(to)
		require.Equal(t, e.values[i], to.AsRaw())
		require.Equal(t, to.AsString(), value.String())
	}
	sameValues(t, r)
	require.NoError(t, r.Err())
}

// sameValues requires that values are the same, whichever others are needed.
func sameValues(t require.TestingT, r *eventbatch.Reader[int]) {
	all := slices.Clone(r.Values())
	for _, places := range []eventbatch.Places{0, eventbatch.Places(0).With(1).With(3).With(70), eventbatch.AllPlaces} {
		for place, value := range r.ValuesAt(places) {
			if place >= 64 || places == places.With(place) {
				require.Equal(t, all[place], value)
			}
		}
	}
}

// Reading returns what was written, in order and out of order, whatever was read before; and what a router has decided on it.
func TestRoundTrip(t *testing.T) {
	var w eventbatch.Writer
	r := newReader()
	rapid.Check(t, func(t *rapid.T) {
		shapes := drawShapes(t)
		w.Reset(7)
		var events []event
		for range rapid.IntRange(0, 5).Draw(t, "events") {
			e := drawEvent(t, shapes)
			if rapid.IntRange(0, 4).Draw(t, "cancelled") == 0 {
				require.True(t, w.Begin(e.shape))
				w.Int(1)
				w.Cancel()
			}
			e.write(t, &w)
			events = append(events, e)
		}
		require.Equal(t, len(events), w.Events())
		batch := w.Batch()
		require.True(t, utf8.ValidString(batch.Events+batch.Decisions), "they are string attributes")
		require.NoError(t, r.Open(batch))
		require.Equal(t, uint64(7), r.Application())
		var decisions []byte
		var offsets []int
		var kept []event
		for r.Next() {
			events[len(offsets)].same(t, r)
			require.Equal(t, len(offsets), r.Index())
			if rapid.Bool().Draw(t, "kept") {
				e, decided := events[len(offsets)], drawHead(t)
				e.head.Signals, e.head.Priority, e.head.Routed = decided.Signals, decided.Priority, true
				decisions = eventbatch.AppendDecision(decisions, decided.Signals, decided.Priority)
				kept = append(kept, e)
			} else {
				decisions = eventbatch.AppendDropped(decisions)
			}
			offsets = append(offsets, r.Offset())
		}
		require.NoError(t, r.Err())
		require.Len(t, offsets, len(events))
		for i := len(offsets) - 1; i >= 0; i-- {
			require.True(t, r.Seek(offsets[i]))
			events[i].sameContent(t, r)
			_, decided := r.Signals()
			require.False(t, decided)
		}
		require.NoError(t, r.Open(batch), "again")
		for i := range events {
			require.True(t, r.Next())
			events[i].same(t, r)
		}
		require.False(t, r.Next())
		require.NoError(t, r.Open(eventbatch.Batch{Events: batch.Events, Decisions: string(decisions)}))
		for i := range kept {
			require.True(t, r.Next())
			kept[i].same(t, r)
		}
		require.False(t, r.Next())
		require.NoError(t, r.Err())
		require.Equal(t, len(events)-1, r.Index())

		for _, wrong := range []string{string(decisions) + "\x01", strings.Repeat("\x09", len(events)+1)} {
			require.NoError(t, r.Open(eventbatch.Batch{Events: batch.Events, Decisions: wrong}))
			for r.Next() {
				_ = r.Head()
			}
			require.Error(t, r.Err())
		}
	})
}

func records(t testing.TB, tasks int) plog.Logs {
	t.Helper()
	lines, _ := streamtest.Generate(streamtest.Options{Tasks: tasks, Seed: 3, Failures: true, SpacingMS: 5})
	logs, err := streamtest.ToLogs(lines, "")
	require.NoError(t, err)
	var normalizer eventrecord.Normalizer
	for _, rl := range logs.ResourceLogs().All() {
		for _, record := range rl.ScopeLogs().At(0).LogRecords().All() {
			normalizer.Normalize(eventrecord.ApplicationOf(rl.Resource().Attributes()), record)
			eventrecord.SetIdentity(record.Attributes(), eventrecord.Identity(record))
		}
	}
	return logs
}

func headOf(record plog.LogRecord) *eventbatch.Head {
	identity, _ := eventrecord.Given(record)
	return &eventbatch.Head{TraceID: record.TraceID(), Identity: identity, Time: record.Timestamp()}
}

func written(t testing.TB, w *eventbatch.RecordWriter, logs plog.Logs) eventbatch.Batch {
	t.Helper()
	w.Reset(0)
	for _, rl := range logs.ResourceLogs().All() {
		for _, record := range rl.ScopeLogs().At(0).LogRecords().All() {
			require.True(t, w.Add(record, headOf(record), func(key string) bool { return key != lifecycle.AttrIdentity }))
		}
	}
	return w.Batch()
}

// A record written into a batch, and read as a record, is the same but for the order of its attributes, maps, and a body.
func TestRecords(t *testing.T) {
	logs := records(t, 3)
	carriers := plog.NewLogs()
	scope := carriers.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	var w eventbatch.RecordWriter
	batch := written(t, &w, logs)
	eventbatch.Put(scope.LogRecords().AppendEmpty(), batch, w.Events(), 5)
	back, err := eventbatch.Records(carriers)
	require.NoError(t, err)
	i := 0
	read := back.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	for _, rl := range logs.ResourceLogs().All() {
		for _, record := range rl.ScopeLogs().At(0).LogRecords().All() {
			got := read.At(i)
			require.Equal(t, record.EventName(), got.EventName())
			require.Equal(t, record.Timestamp(), got.Timestamp())
			require.Equal(t, record.TraceID(), got.TraceID())
			require.Equal(t, pcommon.Timestamp(5), got.ObservedTimestamp())
			require.Equal(t, flat(record.Attributes()), got.Attributes().AsRaw())
			i++
		}
	}
	require.Equal(t, i, read.Len())

	same, err := eventbatch.Records(logs)
	require.NoError(t, err)
	require.Equal(t, logs, same)
	scope.LogRecords().At(0).Attributes().PutStr(lifecycle.AttrEventBatch, batch.Events[:len(batch.Events)-1])
	_, err = eventbatch.Records(carriers)
	require.ErrorContains(t, err, "malformed")
	scope.LogRecords().At(0).Attributes().PutStr(lifecycle.AttrEventBatch, "\x02 of an older version")
	_, err = eventbatch.Records(carriers)
	require.ErrorContains(t, err, "version 2; this collector reads version 4")
}

// A record with its own strings equals one whose strings are parts of the batch.
func TestOwnRecords(t *testing.T) {
	var w eventbatch.RecordWriter
	batch := written(t, &w, records(t, 1))
	begin := uintptr(unsafe.Pointer(unsafe.StringData(batch.Events)))
	inBatch := func(text string) bool {
		at := uintptr(unsafe.Pointer(unsafe.StringData(text)))
		return at >= begin && at < begin+uintptr(len(batch.Events))
	}
	r := newReader()
	require.NoError(t, r.Open(batch))
	for r.Next() {
		part, own := plog.NewLogRecord(), plog.NewLogRecord()
		r.Record(part, 5)
		r.OwnRecord(own, 5)
		require.Equal(t, part, own)
		name, _ := part.Attributes().Get(lifecycle.AttrCorrelationID)
		require.True(t, inBatch(name.Str()))
		for key, value := range own.Attributes().All() {
			require.False(t, inBatch(key))
			require.False(t, value.Type() == pcommon.ValueTypeStr && value.Str() != "" && inBatch(value.Str()), key)
		}
	}
	require.NoError(t, r.Err())
}

// The number of a carrier's events is what it says, within what its batch has room for: a sender may write anything.
func TestCount(t *testing.T) {
	var w eventbatch.RecordWriter
	record := plog.NewLogRecord()
	batch := written(t, &w, records(t, 1))
	count := func() int64 { return eventbatch.Count(record.EventName(), record.Attributes()) }
	require.EqualValues(t, 1, count())
	eventbatch.Put(record, batch, w.Events(), 0)
	require.EqualValues(t, w.Events(), count())
	for said, want := range map[int64]int64{0: 1, -5: 1, math.MaxInt64: int64(len(batch.Events) / 45)} {
		record.Attributes().PutInt(lifecycle.AttrEventCount, said)
		require.LessOrEqual(t, count(), want)
		require.Positive(t, count())
	}
	record.Attributes().Remove(lifecycle.AttrEventBatch)
	require.EqualValues(t, 1, count())
	record.Attributes().Remove(lifecycle.AttrEventCount)
	require.EqualValues(t, 1, count())
}

// An event that a batch cannot have is not in it, and the others are.
func TestAnEventWithAKeyTwice(t *testing.T) {
	unmarshaler := plog.JSONUnmarshaler{}
	twice, err := unmarshaler.UnmarshalLogs([]byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"eventName":"order.placed","attributes":[
		{"key":"a","value":{"intValue":"1"}},{"key":"b"},{"key":"a","value":{"intValue":"2"}}]}]}]}]}`))
	require.NoError(t, err)
	record := twice.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	once := plog.NewLogRecord()
	once.SetEventName("order.placed")
	once.Attributes().PutInt("b", 1)
	var w eventbatch.RecordWriter
	w.Reset(0)
	for range 2 {
		require.False(t, w.Add(record, headOf(record), func(string) bool { return true }))
		require.True(t, w.Add(once, headOf(once), func(string) bool { return true }))
	}
	r := newReader()
	require.NoError(t, r.Open(w.Batch()))
	for range 2 {
		require.True(t, r.Next())
		require.Equal(t, []string{"b"}, r.Shape().Keys)
	}
	require.False(t, r.Next())
	require.NoError(t, r.Err())
}

// Nor can a batch have an event with many or long keys.
func TestAnEventWithLongKeys(t *testing.T) {
	record := plog.NewLogRecord()
	record.SetEventName("order.placed")
	record.Attributes().PutInt(strings.Repeat("k", 4090), 1)
	var w eventbatch.RecordWriter
	w.Reset(0)
	require.False(t, w.Add(record, headOf(record), func(string) bool { return true }))
	require.False(t, w.Begin(eventbatch.NewShape("order.placed", []string{strings.Repeat("k", 4090)}, true)))
	record.SetEventName("order.shipped")
	require.True(t, w.Add(record, headOf(record), func(string) bool { return false }))
	require.Equal(t, 1, w.Events())
}

// Lists of keys differ whatever bytes the keys have.
func TestKeysWithSeparators(t *testing.T) {
	var w eventbatch.RecordWriter
	w.Reset(0)
	var want [][]string
	for _, keys := range [][]string{{"a", "b"}, {"a\x00b"}, {"a\x00", "b"}, {"a", "\x00b"}, {"a\x01b"}} {
		record := plog.NewLogRecord()
		for _, key := range keys {
			record.Attributes().PutInt(key, 1)
		}
		require.True(t, w.Add(record, headOf(record), func(string) bool { return true }))
		want = append(want, keys)
	}
	r := newReader()
	require.NoError(t, r.Open(w.Batch()))
	for _, keys := range want {
		require.True(t, r.Next())
		require.Equal(t, keys, r.Shape().Keys)
		require.Len(t, r.Values(), len(keys))
	}
	require.NoError(t, r.Err())
}

// flat returns attributes with maps as texts.
func flat(attrs pcommon.Map) map[string]any {
	raw := attrs.AsRaw()
	for key, value := range attrs.All() {
		if value.Type() == pcommon.ValueTypeMap {
			raw[key] = value.AsString()
		}
	}
	return raw
}

// FuzzRead checks that no bytes make the reader panic, and that what it accepts is written as it was read.
func FuzzRead(f *testing.F) {
	var w eventbatch.RecordWriter
	whole := written(f, &w, records(f, 1)).Events
	f.Add(whole, "")
	f.Add(whole, strings.Repeat("\x09", w.Events()))
	f.Add(whole[:len(whole)-1], "\x00\x7f")
	f.Add("", "")
	f.Add("\x04", "")
	w.Reset(1)
	f.Add(w.Batch().Events, "")
	f.Fuzz(func(t *testing.T, events, decisions string) {
		r, second, checks := newReader(), newReader(), newReader()
		if r.Open(eventbatch.Batch{Events: events, Decisions: decisions}) != nil {
			return
		}
		require.NoError(t, checks.Open(eventbatch.Batch{Events: events, Decisions: decisions}))
		for r.Next() {
			require.True(t, checks.Next())
			head, values := r.Head(), r.Values()
			checks.Head()
			checks.ValuesAt(0)
			require.Equal(t, r.Err(), checks.Err(), "values that are not needed are checked")
			if r.Err() != nil {
				return
			}
			var w eventbatch.Writer
			w.Reset(r.Application())
			require.True(t, w.Begin(eventbatch.NewShape(r.Shape().Name, r.Shape().Keys, r.Shape().Message)))
			for _, value := range values {
				w.Value(value)
				_ = value.String()
			}
			require.True(t, w.End(&head))
			require.NoError(t, second.Open(w.Batch()))
			require.True(t, second.Next())
			require.Equal(t, head, second.Head())
			require.Equal(t, values, second.Values())
			require.False(t, second.Next())
			require.NoError(t, second.Err())
		}
	})
}

// BenchmarkWrite measures writing an event of a record into a batch, and BenchmarkRead reading it.
func BenchmarkWrite(b *testing.B) {
	all := records(b, 20)
	list := all.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	var w eventbatch.RecordWriter
	wanted := func(key string) bool { return key != lifecycle.AttrIdentity }
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if n%list.Len() == 0 {
			w.Reset(0)
		}
		record := list.At(n % list.Len())
		w.Add(record, headOf(record), wanted)
		n++
	}
	b.ReportMetric(float64(len(w.Batch().Events))/float64(w.Events()), "bytes/event")
}

func BenchmarkRead(b *testing.B) {
	var w eventbatch.RecordWriter
	batch := written(b, &w, records(b, 20))
	r := newReader()
	require.NoError(b, r.Open(batch))
	b.ReportAllocs()
	for b.Loop() {
		if !r.Next() {
			require.NoError(b, r.Open(batch))
			r.Next()
		}
		_ = r.Head()
		_ = r.Values()
	}
}
