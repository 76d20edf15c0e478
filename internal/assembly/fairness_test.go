// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// hostileTask is the id of a task that is in no stream.
const hostileTask = 1 << 40

// hostileEvent returns the nth event of a task beyond its limit: an end of the task, an end of a pass, a query, a repetition, or of
// an attempt.
func hostileEvent(n int, at time.Time) *event.Event {
	e := cancelled(hostileTask, at.Add(time.Duration(n)))
	switch n % 7 {
	case 4, 5, 6:
		e.Name = []string{lifecycle.StepBeforeHandle, lifecycle.StepBeforeHandle, lifecycle.StepFailed}[n%7-4]
		e.StepID, e.StepName = event.ID{Text: strconv.Itoa(n % 97), Integer: true}, "s"+strconv.Itoa(n%97)
	case 1:
		e.Name = lifecycle.WorkflowTaskFinalizationCompleted
	case 2:
		e.Name, e.SQL = lifecycle.DatabaseQueryExecuted, "SELECT 1"
	case 3:
		e.At = at.UnixNano()
	}
	return e
}

// work is the cost of the events of a stream.
type work struct {
	others  []int64 // records read per event of the stream
	checks  int64   // records read when time passed
	hostile int64   // records read when events of the hostile task came
	worst   int64   // the maximum for one of those
}

// worked plays a stream with some events of the hostile task between any two of its events.
func worked(limits assembly.Limits, events []*event.Event, hostile int) (w work) {
	now := time.Unix(1000, 0)
	a := assembly.New(limits, func(*tree.Tree) {})
	read := func(do func()) int64 {
		before := a.Stats().Read
		do()
		return a.Stats().Read - before
	}
	n := 0
	for _, e := range events {
		w.others = append(w.others, read(func() { a.Observe(e, now) }))
		for range hostile {
			cost := read(func() { a.Observe(hostileEvent(n, time.Unix(500, 0)), now) })
			w.hostile += cost
			w.worst = max(w.worst, cost)
			n++
		}
		now = now.Add(10 * time.Millisecond)
		w.checks += read(func() { a.Advance(now) })
	}
	return w
}

// A task over its limit, each event of which ends something, does not affect other tasks: their events cost the same as without it,
// none of its events holds the shard's lock for longer than reading the task once, and on average its events cost no more than
// those of a small task.
func TestAHostileTaskLeavesTheOthersAlone(t *testing.T) {
	t.Parallel()
	for _, parts := range []bool{false, true} {
		for _, limit := range []int{1000, 5_000} {
			t.Run(fmt.Sprintf("parts=%v/%d", parts, limit), func(t *testing.T) {
				tight := limits()
				tight.Parts, tight.EventsPerTask = parts, limit
				events := readStream(t, "mixed")
				perEvent := 4*limit/len(events) + 1 // events of the hostile task for each of the stream
				alone, beside := worked(tight, events, 0), worked(tight, events, perEvent)
				require.Equal(t, alone.others, beside.others, "records read for the others' events")
				require.LessOrEqual(t, beside.worst, int64(2*2*limit), "records read at once for one hostile event")
				hostile := int64(len(events) * perEvent)
				t.Logf("%d hostile events: %d records read as they come, %d more by checks, %d at once", hostile, beside.hostile, beside.checks-alone.checks, beside.worst)
				require.Less(t, beside.hostile+beside.checks-alone.checks, 64*hostile, "records read for %d hostile events", hostile)
			})
		}
	}
}
