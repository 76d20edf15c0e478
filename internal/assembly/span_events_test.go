// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// An application fires events of its own and makes queries at any time, also between two announcements of the same change. They
// become span events and child spans, and change no span.
func TestSpanEventsChangeNoSpan(t *testing.T) {
	t.Parallel()
	streams := scenarioEvents(t)
	for _, name := range []string{"mixed", "real/retry"} {
		streams[name] = readStream(t, name)
	}
	names := slices.Sorted(maps.Keys(streams))
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names).Draw(t, "stream")
		plain := slices.SortedStableFunc(slices.Values(streams[name]), func(a, b *event.Event) int { return cmp.Compare(a.At, b.At) })
		last := map[event.TraceID]*event.Event{}
		for _, e := range plain {
			last[e.TraceID] = e
		}
		of := rapid.SampledFrom([]string{"order.noted", lifecycle.ObservabilityTaskFinalize, lifecycle.DatabaseQueryExecuted}).Draw(t, "note")
		often := rapid.IntRange(1, 20).Draw(t, "one of")
		var noted []*event.Event
		for i, e := range plain {
			noted = append(noted, e)
			if i%often == 0 && e != last[e.TraceID] {
				note := event.Event{
					TraceID: e.TraceID, TaskID: e.TaskID, Name: of, Identity: uint64(i), At: e.At + 1,
					CorrelationID: e.CorrelationID, Attempt: -1, JobRun: -1, Resource: e.Resource,
				}
				noted = append(noted, &note)
			}
		}
		require.Equal(t, withoutSpanEvents(plain), withoutSpanEvents(noted), name)
	})
}

// withoutSpanEvents assembles and returns the text of every span but for its events, by trace.
func withoutSpanEvents(events []*event.Event) map[event.TraceID][]string {
	spans := map[event.TraceID][]string{}
	a := assembly.New(patient(), func(tree *tree.Tree) {
		for i := range tree.Spans {
			s := tree.Spans[i]
			if s.Events, s.EventsDropped = nil, 0; s.Name == lifecycle.SpanQuery {
				continue
			}
			spans[tree.Trace] = append(spans[tree.Trace], fmt.Sprint(tree.Reason, " ", describeSpan(&s)))
		}
	})
	now := time.Unix(1, 0)
	for _, e := range events {
		a.Observe(e, now)
	}
	a.Advance(now.Add(limits().ReorderWindow))
	a.Flush()
	return spans
}
