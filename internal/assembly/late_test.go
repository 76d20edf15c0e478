package assembly_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/streamtest"
	"pgregory.net/rapid"
)

// lateTask is a task of a generated stream, with what is true of it.
type lateTask struct {
	events []*assembly.Event
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

// unmissed is an event of which nothing tells that it happened.
func unmissed(e *assembly.Event) bool {
	return e.Name == lifecycle.DatabaseQueryExecuted || e.Name == lifecycle.ObservabilityStepBackoff
}

// requireTruth wants the tree to be true although a part of the events comes after the reorder window.
func (task *lateTask) requireTruth(t require.TestingT, from, to int) {
	var spans []streamtest.Span
	a := assembly.New(limits(), func(tree *assembly.Tree) { spans = append(spans, comparable(tree)...) })
	now := time.Unix(1, 0)
	for _, e := range slices.Concat(task.events[:from], task.events[to:]) {
		a.Observe(e, now)
	}
	now = now.Add(limits().SettleTimeout - 1)
	a.Advance(now)
	for _, e := range task.events[from:to] {
		a.Observe(e, now)
	}
	a.Advance(now.Add(limits().ReorderWindow))
	require.Empty(t, streamtest.Compare([]streamtest.Task{task.truth}, spans), "without events %d to %d, from %s", from, to, task.events[from].Name)
}

// A stretch of events, such as one request has, is waited for when it comes later than the reorder window, whichever it is: the
// others tell that it is missing.
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
