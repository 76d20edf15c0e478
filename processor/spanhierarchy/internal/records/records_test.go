// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"math"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/journal/fields"
)

// anyEvent draws a value for every field of an event, also for fields added later: a field that is not stored fails the test.
func anyEvent(t *rapid.T, traces []event.TraceID, resources []*event.Resource) event.Event {
	var e event.Event
	v := reflect.ValueOf(&e).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		draw(t, v.Field(i), name)
	}
	e.TraceID = rapid.SampledFrom(traces).Draw(t, "trace")
	e.Resource = rapid.SampledFrom(resources).Draw(t, "resource")
	e.Attempt = rapid.IntRange(-1, 5).Draw(t, "attempt")
	e.JobRun = rapid.IntRange(-1, 5).Draw(t, "run")
	e.TaskID = rapid.SampledFrom([]event.ID{{Text: "1", Integer: true}, {Text: "1"}, {}}).Draw(t, "task")
	e.StepID = rapid.SampledFrom([]event.ID{{Text: "7", Integer: true}, {Text: "8"}, {}}).Draw(t, "step")
	return e
}

func draw(t *rapid.T, v reflect.Value, name string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(rapid.SampledFrom([]string{"", "a", "step.completed", "naïve\x00"}).Draw(t, name))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, name))
	case reflect.Uint8:
		v.SetUint(rapid.Uint64Range(0, 4).Draw(t, name))
	case reflect.Uint64:
		v.SetUint(rapid.Uint64().Draw(t, name))
	case reflect.Float64:
		v.SetFloat(rapid.Float64().Draw(t, name))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, name))
	case reflect.Slice:
		n := rapid.IntRange(0, 2).Draw(t, name)
		if n == 0 {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			draw(t, v.Index(i), name)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			draw(t, v.Field(i), name)
		}
	case reflect.Array, reflect.Pointer: // the trace id and the resource, which are drawn from few
	default:
		t.Fatalf("teach the test to draw a %s for %s", v.Kind(), name)
	}
}

func TestEventsComeBackAsTheyWere(t *testing.T) {
	w, r := NewWriter(), NewReader()
	rapid.Check(t, func(t *rapid.T) {
		traces := []event.TraceID{{1}, {2}, {3}}
		resources := []*event.Resource{
			{Attributes: []attribute.KeyValue{attribute.String("service.name", "shop"), attribute.Int("n", -3), attribute.Bool("b", true)}},
			{Attributes: []attribute.KeyValue{attribute.Double("d", 0.5), attribute.Strings("s", []string{"", "x"})}},
			nil,
		}
		arrival := time.Unix(0, rapid.Int64().Draw(t, "arrival"))
		list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) event.Event { return anyEvent(t, traces, resources) }), 0, 20).Draw(t, "events")
		w.Begin(arrival)
		want := map[event.TraceID][]event.Event{}
		for i := range list {
			w.Event(&list[i])
			want[list[i].TraceID] = append(want[list[i].TraceID], list[i])
		}
		require.Equal(t, len(list), w.Events())
		got := map[event.TraceID][]event.Event{}
		err := r.Events(w.End(), func(e *event.Event, at time.Time) {
			require.True(t, arrival.Equal(at))
			copied := *e
			copied.StepIDs, copied.Dependencies = append([]string(nil), e.StepIDs...), append([]string(nil), e.Dependencies...)
			copied.Attributes = append([]attribute.KeyValue(nil), e.Attributes...)
			if copied.Resource != nil && len(copied.Resource.Attributes) == 0 {
				copied.Resource = nil
			}
			got[e.TraceID] = append(got[e.TraceID], copied)
		})
		require.NoError(t, err)
		for trace, events := range want {
			// A task's events keep their order as long as they have one resource.
			for _, resource := range resources {
				require.Equal(t, of(events, resource), of(got[trace], resource))
			}
		}
	})
}

func of(events []event.Event, resource *event.Resource) []event.Event {
	var list []event.Event
	for _, e := range events {
		if reflect.DeepEqual(e.Resource, resource) {
			list = append(list, e)
		}
	}
	return list
}

func TestReleasesComeBackAsTheyWere(t *testing.T) {
	w, r := NewWriter(), NewReader()
	w.Begin(time.Unix(7, 0))
	want := []assembly.Release{
		{Trace: event.TraceID{1}, End: 42, Serial: 7, State: []byte("state")},
		{Trace: event.TraceID{2}, End: math.MinInt64, Serial: math.MaxInt64},
	}
	for i := range want {
		w.Release(&want[i])
	}
	require.Equal(t, 2, w.Releases())
	var seen []assembly.Release
	arrival, err := r.Releases(w.End(), func(release assembly.Release) error {
		if len(release.State) == 0 {
			release.State = nil
		}
		seen = append(seen, release)
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, time.Unix(7, 0), arrival)
	assert.Equal(t, want, seen)
}

func TestFilterKeepsWhatIsNeeded(t *testing.T) {
	w, r := NewWriter(), NewReader()
	w.Begin(time.Unix(7, 0))
	resource := &event.Resource{}
	for i := range 6 {
		w.Event(&event.Event{TraceID: event.TraceID{byte(i % 3)}, Name: "name", At: int64(i), Resource: resource, Attempt: -1, JobRun: -1})
	}
	w.Release(&assembly.Release{Trace: event.TraceID{9}, End: 9, Serial: 3, State: []byte("state")})
	entry := append([]byte(nil), w.End()...)

	f := Filter{
		Events:  func(trace event.TraceID, last int64) bool { return trace[0] == 1 && last == 4 },
		Release: func(trace event.TraceID, serial int64) bool { return trace[0] == 9 && serial == 3 },
	}
	var times []int64
	kept := append([]byte(nil), f.Keep(entry)...)
	assert.Less(t, len(kept), len(entry))
	err := r.Events(kept, func(e *event.Event, _ time.Time) { times = append(times, e.At) })
	require.NoError(t, err)
	assert.Equal(t, []int64{1, 4}, times)
	assert.Equal(t, kept, f.Keep(kept), "all that is left is needed")

	f.Events = func(event.TraceID, int64) bool { return false }
	f.Release = func(event.TraceID, int64) bool { return false }
	assert.Empty(t, f.Keep(kept))
	assert.Equal(t, []byte("junk"), f.Keep([]byte("junk")), "the start will tell of it")
}

// TestAnotherVersionsEntryIsRead: entries of an earlier version can be read, and fields of a later one are skipped, also when a
// part of the entry is removed. The file is never rewritten.
func TestAnotherVersionsEntryIsRead(t *testing.T) {
	entry, err := os.ReadFile("testdata/first.entry")
	require.NoError(t, err)
	readFirst(t, entry)
	later := fields.Message(fields.Uint(append([]byte{}, entry...), 1000, 7), 1001, []byte("what a later collector adds"))
	readFirst(t, later)
	all := func(event.TraceID, int64) bool { return true }
	f := Filter{Events: all, Release: func(event.TraceID, int64) bool { return false }}
	kept := f.Keep(later)
	assert.Contains(t, string(kept), "what a later collector adds")
	assert.Less(t, len(kept), len(later))
}

func readFirst(t *testing.T, entry []byte) {
	t.Helper()
	r := NewReader()
	var names []string
	err := r.Events(entry, func(e *event.Event, arrival time.Time) {
		names = append(names, e.Name+" of "+e.TaskName)
		assert.Equal(t, "shop", e.Resource.Attributes[0].Value.Text)
		assert.Equal(t, time.Unix(1780315200, 0), arrival)
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"task.start_requested of process_order", "step.failed of process_order"}, names)
	releases := 0
	_, err = r.Releases(entry, func(assembly.Release) error { releases++; return nil })
	require.NoError(t, err)
	assert.Equal(t, 1, releases)
}

// FuzzEntry: whatever the storage returns, reading gives events or an error.
func FuzzEntry(f *testing.F) {
	if entry, err := os.ReadFile("testdata/first.entry"); err == nil {
		f.Add(entry)
	}
	f.Add([]byte{2})
	f.Fuzz(func(_ *testing.T, entry []byte) {
		r := NewReader()
		_ = r.Events(entry, func(*event.Event, time.Time) {})
		_, _ = r.Releases(entry, func(assembly.Release) error { return nil })
		filter := Filter{
			Events:  func(trace event.TraceID, _ int64) bool { return trace[0]%2 == 0 },
			Release: func(event.TraceID, int64) bool { return true },
		}
		_ = filter.Keep(entry)
	})
}
