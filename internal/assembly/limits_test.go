// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// begun returns the first event of a task.
func begun(task int, at time.Time) *event.Event {
	e := &event.Event{Name: lifecycle.TaskStartRequested, At: at.UnixNano(), StepCount: 1, TaskID: event.ID{Text: strconv.Itoa(task), Integer: true}}
	binary.BigEndian.PutUint64(e.TraceID[:], uint64(task))
	return e
}

func TestBytesOverTheLimitEvictTheTasksThatWereIdleLongest(t *testing.T) {
	tight := limits()
	tight.HeldBytes = 40_000
	var evicted []string
	a := assembly.New(tight, func(emitted *tree.Tree) {
		require.Equal(t, tree.ReasonEvictedBytes, emitted.Reason)
		evicted = append(evicted, emitted.Spans[0].Attributes[0].Value.Text+strconv.FormatInt(emitted.Spans[0].Attributes[0].Value.Int, 10))
	})
	now := time.Unix(1, 0)
	for task := range 5 {
		a.Observe(begun(task, now), now)
		now = now.Add(time.Second)
	}
	a.Observe(begun(0, now), now) // no longer idle
	large := begun(9, now)
	large.Name, large.ErrorMessage = lifecycle.TaskFailed, strings.Repeat("x", 38_500)
	a.Observe(large, now)
	require.Equal(t, []string{"1", "2", "3"}, evicted)
	require.EqualValues(t, 3, a.Stats().Released[tree.ReasonEvictedBytes])
	require.LessOrEqual(t, a.Stats().HeldBytes, tight.HeldBytes)

	large.ErrorMessage = strings.Repeat("x", 50_000)
	large.At++
	a.Observe(large, now.Add(time.Second))
	require.Zero(t, a.Stats().OpenTasks, "one task alone can be over the limit")
	require.Zero(t, a.Stats().HeldBytes)
}

// Held memory is counted up and down exactly, whatever tasks do, and the limits hold at every moment.
func TestWhatIsHeldIsCounted(t *testing.T) {
	t.Parallel()
	events := readStream(t, "real/retry")
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		tight := limits()
		tight.OpenTasks = rapid.IntRange(1, 20).Draw(t, "open tasks")
		tight.HeldBytes = rapid.Int64Range(1_000, 100_000).Draw(t, "bytes")
		tight.EventsPerTask = rapid.IntRange(5, 200).Draw(t, "events")
		tight.Finished = rapid.IntRange(0, 20).Draw(t, "finished tasks")
		a := assembly.New(tight, func(*tree.Tree) {})
		now := time.Unix(1, 0)
		for range 300 {
			e := *events[random.IntN(len(events))]
			binary.BigEndian.PutUint64(e.TraceID[:], uint64(random.IntN(25)))
			e.At += now.UnixNano()
			a.Observe(&e, now)
			stats := a.Stats()
			require.LessOrEqual(t, stats.HeldBytes, tight.HeldBytes)
			require.LessOrEqual(t, stats.OpenTasks, int64(tight.OpenTasks))
			due, open := a.NextDue()
			require.Equal(t, stats.OpenTasks > 0, open)
			if open && random.IntN(10) == 0 {
				now = due.Add(time.Duration(random.IntN(3)-1) * time.Second)
				a.Advance(now)
			}
		}
		a.Flush()
		stats := a.Stats()
		require.Zero(t, stats.OpenTasks)
		require.Zero(t, stats.HeldBytes)
		require.Zero(t, stats.HeldEvents)
		_, open := a.NextDue()
		require.False(t, open)
	})
}

// A task is checked exactly when it is due, whatever other tasks wait for.
func TestEachTaskWaitsItsOwnTime(t *testing.T) {
	end := func(task int, at time.Time) *event.Event {
		e := begun(task, at)
		e.Name, e.StepCount = lifecycle.TaskCancelled, 0
		return e
	}
	released := map[string]time.Duration{}
	now := time.Unix(1000, 0)
	began := now
	a := assembly.New(limits(), func(tree *tree.Tree) {
		id := strconv.FormatInt(tree.Spans[0].Attributes[0].Value.Int, 10)
		released[tree.Reason.String()+" "+id] = now.Sub(began)
	})
	a.Observe(begun(1, now), now) // never ends
	a.Observe(begun(2, now), now)
	a.Observe(end(2, now.Add(1)), now) // ends, nothing is missing
	a.Observe(end(3, now), now)        // ends, its creation is missing
	resumed := begun(4, now)           // ends and resumes
	a.Observe(resumed, now)
	a.Observe(end(4, now.Add(1)), now)
	again := begun(4, now.Add(10*time.Second))
	again.Name, again.StepCount = lifecycle.WorkflowTaskStarted, 0
	a.Observe(again, now)
	for {
		due, open := a.NextDue()
		if !open {
			break
		}
		require.False(t, due.Before(now))
		now = due
		a.Advance(now)
	}
	l := limits()
	require.Equal(t, map[string]time.Duration{
		"ended 2": l.ReorderWindow, "settled 3": l.SettleTimeout, "idle 1": l.IdleTimeout, "idle 4": l.IdleTimeout,
	}, released)
}

// cancelled returns the end of a task without any work.
func cancelled(task int, at time.Time) *event.Event {
	e := begun(task, at)
	e.Name, e.StepCount = lifecycle.TaskCancelled, 0
	return e
}

// The task that was idle longest is evicted, also when it has ended and the others have not.
func TestTheOldestMakesRoomWhateverItWaitsFor(t *testing.T) {
	tight := limits()
	tight.OpenTasks = 2
	var evicted []int64
	a := assembly.New(tight, func(emitted *tree.Tree) {
		require.Equal(t, tree.ReasonEvicted, emitted.Reason)
		evicted = append(evicted, emitted.Spans[0].Attributes[0].Value.Int)
	})
	now := time.Unix(1000, 0)
	a.Observe(begun(1, now), now)
	a.Observe(cancelled(1, now.Add(1)), now)
	a.Observe(begun(2, now), now.Add(1))
	a.Observe(begun(3, now), now.Add(2))
	require.Equal(t, []int64{1}, evicted)
}

// Of the tasks that were released only the latest are remembered: an event of an earlier one begins a new task.
func TestOnlyTheLatestReleasedTasksAreRemembered(t *testing.T) {
	tight := limits()
	tight.Remembered, tight.Finished = 2, 0
	a := assembly.New(tight, func(*tree.Tree) {})
	now := time.Unix(1000, 0)
	for task := range 7 {
		a.Observe(begun(task, now), now)
		a.Observe(cancelled(task, now.Add(1)), now)
		now = now.Add(tight.ReorderWindow)
		a.Advance(now)
		require.Zero(t, a.Stats().OpenTasks)
	}
	for task := range 7 {
		before := a.Stats().OpenTasks
		a.Observe(begun(task, time.Unix(1000, 0)), now)
		require.Equal(t, task < 5, a.Stats().OpenTasks > before, "task %d begins anew", task)
	}
}

// Events over the limit are dropped, and the tree waits for other missing events. The task's end is accepted, but not an unlimited
// number of ends.
func TestATaskOverItsLimitSettles(t *testing.T) {
	tight := limits()
	tight.EventsPerTask = 3
	var reasons []tree.Reason
	a := assembly.New(tight, func(tree *tree.Tree) { reasons = append(reasons, tree.Reason) })
	now := time.Unix(1000, 0)
	a.Observe(begun(1, now), now)
	for i := range 10 {
		query := begun(1, now.Add(time.Duration(i+1)))
		query.Name, query.StepCount, query.SQL = lifecycle.DatabaseQueryExecuted, 0, "SELECT 1"
		a.Observe(query, now)
	}
	require.EqualValues(t, 3, a.Stats().HeldEvents)
	for i := range 10 {
		a.Observe(cancelled(1, now.Add(time.Second+time.Duration(i))), now)
	}
	require.EqualValues(t, 6, a.Stats().HeldEvents)
	a.Advance(now.Add(tight.SettleTimeout - 1))
	require.Empty(t, reasons)
	a.Advance(now.Add(tight.SettleTimeout))
	require.Equal(t, []tree.Reason{tree.ReasonSettled}, reasons)
}

// A task at its limit costs no more per event than another, whatever its events are, because other tasks wait for it.
func TestATaskAtItsLimitCostsLinearly(t *testing.T) {
	for _, limit := range []int{1000, 10_000} {
		tight := limits()
		tight.EventsPerTask = limit
		a := assembly.New(tight, func(*tree.Tree) {})
		now := time.Unix(1000, 0)
		const excess = 3
		for i := range limit * (1 + excess) {
			e := cancelled(1, now.Add(time.Duration(i)))
			switch i % 3 { // an end, a query, a repetition
			case 1:
				e.Name, e.SQL = lifecycle.DatabaseQueryExecuted, "SELECT 1"
			case 2:
				e.At = now.UnixNano() // a repetition
			}
			a.Observe(e, now)
		}
		require.LessOrEqual(t, a.Stats().HeldEvents, int64(2*limit))
		require.Less(t, a.Stats().Read, int64(2*8*(excess+1)*limit), "records read, of %d events", limit*(1+excess))
	}
}
