// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"slices"
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
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// lateTask is a task of a generated stream, with its truth.
type lateTask struct {
	events []*event.Event
	truth  streamtest.Task
}

func lateTasks(t *testing.T) []lateTask {
	var tasks []lateTask
	for seed := range uint64(12) {
		lines, truth := streamtest.Generate(streamtest.Options{Tasks: 1, Seed: 100 + seed, Failures: true, Planned: seed%3 == 0})
		task := lateTask{truth: truth[0]}
		for _, line := range lines {
			task.events = append(task.events, parseEvent(t, line))
		}
		tasks = append(tasks, task)
	}
	return tasks
}

// unmissed reports whether no other event shows that the event is missing.
func unmissed(e *event.Event) bool {
	return e.Name == lifecycle.DatabaseQueryExecuted || e.Name == lifecycle.ObservabilityStepBackoff
}

// requireTruth requires the true tree although some of the events arrive after the reorder window.
func (task *lateTask) requireTruth(t require.TestingT, from, to int) {
	var spans []streamtest.Span
	a := assembly.New(limits(), func(tree *tree.Tree) { spans = append(spans, comparable(tree)...) })
	now := time.Unix(1, 0)
	for _, e := range slices.Concat(task.events[:from], task.events[to:]) {
		a.Observe(e, now)
	}
	now = now.Add(limits().SettleTimeout - time.Second)
	a.Advance(now)
	for _, e := range task.events[from:to] {
		a.Observe(e, now)
	}
	a.Advance(now.Add(limits().ReorderWindow))
	require.Empty(t, streamtest.Compare([]streamtest.Task{task.truth}, spans), "without events %d to %d, from %s", from, to, task.events[from].Name)
}

// A stretch of events, such as one request has, is waited for when it comes later than the reorder window, whichever it is: other
// events show that it is missing.
func TestEveryStretchOfEventsIsMissed(t *testing.T) {
	tasks := lateTasks(t)
	rapid.Check(t, func(t *rapid.T) {
		task := tasks[rapid.IntRange(0, len(tasks)-1).Draw(t, "task")]
		from := rapid.IntRange(0, len(task.events)-1).Draw(t, "from")
		to := rapid.IntRange(from+1, len(task.events)).Draw(t, "to")
		if slices.ContainsFunc(task.events[from:to], unmissed) {
			t.Skip("queries are not missed")
		}
		task.requireTruth(t, from, to)
	})
}

// Late events split a run of which spans are out already: of the runs that it becomes, each has a task's span of its own.
func TestRunsThatLateEventsSplitHaveTheirOwnSpans(t *testing.T) {
	union := union{}
	withParts := limits()
	withParts.Parts, withParts.EventsPerTask = true, 7
	a := assembly.New(withParts, func(tree *tree.Tree) { union.add(t, tree) })
	identity := uint64(0)
	observe := func(name string, second int64) {
		identity++
		a.Observe(&event.Event{
			TraceID: event.TraceID{1}, TaskID: event.ID{Text: "1", Integer: true}, Identity: identity, Name: name,
			At: second*int64(time.Second) + int64(identity), JobRun: -1,
		}, time.Unix(1, 0))
		a.Advance(time.Unix(1, 0))
	}
	for range withParts.EventsPerTask - 2 {
		observe(lifecycle.TaskInitializeRequested, 5)
	}
	observe(lifecycle.TaskStartRequested, 8)
	observe(lifecycle.StepExecutionRequested, 7)
	observe(lifecycle.WorkflowStepFailed, 6)
	require.NotEmpty(t, union, "a part is out")
	observe(lifecycle.TaskFailed, 1)
	observe(lifecycle.TaskResolvedManually, 4)
	a.Flush()
	roots := 0
	for _, s := range union[event.TraceID{1}] {
		if s.Name == lifecycle.SpanTask {
			roots++
		}
	}
	require.Equal(t, 3, roots)
	union.requireConnected(t)
}

// Nothing shows that a query or a backoff is missing. A late one follows the tree as the same span that it would have been in the
// tree.
func TestLateSpansFollowTheirTree(t *testing.T) {
	tasks := slices.DeleteFunc(lateTasks(t), func(task lateTask) bool { return !slices.ContainsFunc(task.events, unmissed) })
	rapid.Check(t, func(t *rapid.T) {
		task := tasks[rapid.IntRange(0, len(tasks)-1).Draw(t, "task")]
		var (
			late   []*event.Event
			inTime []*event.Event
		)
		for i, e := range task.events {
			if unmissed(e) && rapid.Bool().Draw(t, "late "+strconv.Itoa(i)) {
				late = append(late, e)
			} else {
				inTime = append(inTime, e)
			}
		}
		want, _ := assembled(task.events, nil)
		got, stats := assembled(inTime, rapid.Permutation(late).Draw(t, "late"))
		require.Empty(t, streamtest.Compare([]streamtest.Task{task.truth}, got))
		require.Equal(t, belowTask(want), belowTask(got))
		require.EqualValues(t, len(late), stats.LateSpans)
		require.Zero(t, stats.Late)
	})
}

// assembled returns the spans of a task some of whose events arrive after its tree.
func assembled(inTime, late []*event.Event) (spans []streamtest.Span, stats assembly.Stats) {
	a := assembly.New(limits(), func(tree *tree.Tree) { spans = append(spans, comparable(tree)...) })
	now := time.Unix(1, 0)
	for _, e := range inTime {
		a.Observe(e, now)
	}
	now = now.Add(limits().ReorderWindow)
	a.Advance(now)
	for _, e := range late {
		a.Observe(e, now)
	}
	return spans, a.Stats()
}

// belowTask returns the spans by id, without the task's: its totals were emitted before the late events.
func belowTask(spans []streamtest.Span) map[[8]byte]streamtest.Span {
	below := map[[8]byte]streamtest.Span{}
	for _, s := range spans {
		if s.Name != lifecycle.SpanTask {
			below[s.SpanID] = s
		}
	}
	return below
}

func TestLateEventsOfTasksThatAreNotKept(t *testing.T) {
	task := lateTasks(t)[0]
	query := slices.IndexFunc(task.events, func(e *event.Event) bool { return e.Name == lifecycle.DatabaseQueryExecuted })
	inTime, late := slices.Delete(slices.Clone(task.events), query, query+1), task.events[query]
	for name, test := range map[string]struct {
		change func(*assembly.Limits)
		after  time.Duration
		other  string // how another task ends
		spans  int64
	}{
		"in time":      {after: limits().SettleTimeout - 1, spans: 1},
		"too late":     {after: limits().SettleTimeout},
		"none is kept": {change: func(l *assembly.Limits) { l.Finished = 0 }},
		"no place":     {change: func(l *assembly.Limits) { l.Finished = 1 }, other: lifecycle.TaskCancelled},
		"no memory":    {change: func(l *assembly.Limits) { l.HeldBytes = 40_000 }, other: lifecycle.TaskFailed},
	} {
		t.Run(name, func(t *testing.T) {
			l := limits()
			if test.change != nil {
				test.change(&l)
			}
			a := assembly.New(l, func(*tree.Tree) {})
			now := time.Unix(1, 0)
			for _, e := range inTime {
				a.Observe(e, now)
			}
			now = now.Add(l.ReorderWindow)
			a.Advance(now)
			if test.other != "" {
				a.Observe(begun(1000, now), now)
				end := begun(1000, now.Add(1))
				end.Name, end.StepCount, end.ErrorMessage = test.other, 0, strings.Repeat("x", 38_500)
				a.Observe(end, now)
				require.EqualValues(t, 1, a.Stats().OpenTasks, "what is kept makes room first")
				now = now.Add(l.ReorderWindow)
			}
			now = now.Add(test.after)
			a.Advance(now)
			for range 2 { // the second one is a repetition
				a.Observe(late, now)
			}
			require.Equal(t, test.spans, a.Stats().LateSpans)
			require.Equal(t, 2-test.spans, a.Stats().Late)
		})
	}
}
