// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

var pagesStreams = []string{"order_processing", "mixed", "planned", "real/linear5", "real/retry"}

func watching(sink func(*tree.Tree)) *assembly.Assembler {
	a := assembly.New(limits(), sink)
	a.Watch()
	return a
}

// openTasks visits all, a few at a time.
func openTasks(a *assembly.Assembler, now time.Time, text string) map[event.TraceID]assembly.OpenTask {
	found := map[event.TraceID]assembly.OpenTask{}
	search := assembly.NewSearch(text)
	for place := math.MaxInt; place != 0; {
		place = a.VisitOpen(place, 7, now, search, func(task *assembly.OpenTask) { found[task.Key] = *task })
	}
	return found
}

// outline returns everything of a tree but the reason of its release.
func outline(tree *tree.Tree) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%x %x cut %d %d\n", tree.Trace, tree.Key, tree.Cut, tree.SpanEventsCut)
	for i := range tree.Spans {
		s := tree.Spans[i]
		s.Attributes = slices.DeleteFunc(slices.Clone(s.Attributes), func(a attribute.KeyValue) bool { return a.Key == lifecycle.AttrReleaseReason })
		link := ""
		if s.Link != nil {
			link = fmt.Sprintf("%x", *s.Link)
			s.Link = nil
		}
		fmt.Fprintf(&out, "%+v %s\n", s, link)
	}
	return out.String()
}

// A snapshot at any time is the tree that the assembler would emit if stopped then.
func TestASnapshotIsTheTreeOfTheMoment(t *testing.T) {
	t.Parallel()
	for _, name := range pagesStreams {
		t.Run(name, func(t *testing.T) {
			events := readStream(t, name)
			random := rand.New(rand.NewPCG(1, 2))
			for range 6 {
				cut := random.IntN(len(events)) + 1
				shown, emitted := map[event.TraceID]string{}, map[event.TraceID]string{}
				a := watching(func(tree *tree.Tree) { emitted[tree.Key] += outline(tree) })
				now := time.Unix(1, 0)
				for _, e := range events[:cut] {
					a.Observe(e, now)
				}
				for key := range openTasks(a, now, "") {
					snapshot := a.Snapshot(key)
					for _, emitted := range snapshot.Trees() {
						assert.Equal(t, tree.ReasonOpen, emitted.Reason)
						shown[key] += outline(emitted)
					}
				}
				a.Flush()
				require.Equal(t, emitted, shown, "cut after %d events", cut)
			}
		})
	}
}

func TestASnapshotStaysAsItIs(t *testing.T) {
	events := readStream(t, "mixed")
	a := watching(func(*tree.Tree) {})
	now := time.Unix(1, 0)
	for _, e := range events[:1000] {
		a.Observe(e, now)
	}
	before, snapshots := map[event.TraceID]string{}, map[event.TraceID]*assembly.Snapshot{}
	for key := range openTasks(a, now, "") {
		for _, tree := range a.Snapshot(key).Trees() {
			before[key] += outline(tree)
		}
		snapshots[key] = a.Snapshot(key)
	}
	for _, e := range events[1000:] {
		a.Observe(e, now)
	}
	a.Flush()
	after := map[event.TraceID]string{}
	for key, snapshot := range snapshots {
		for _, tree := range snapshot.Trees() {
			after[key] += outline(tree)
		}
	}
	require.NotEmpty(t, before)
	require.Equal(t, before, after)
	require.Nil(t, a.Snapshot(event.TraceID{1}), "no such task")
}

// What a list shows of a task agrees with its tree, in any order of the events.
func TestOpenTasksAgreeWithTheirTrees(t *testing.T) {
	t.Parallel()
	for _, name := range pagesStreams {
		t.Run(name, func(t *testing.T) {
			events := readStream(t, name)
			random := rand.New(rand.NewPCG(3, 4))
			for round := range 6 {
				cut := slices.Clone(events[:random.IntN(len(events))+1])
				if round%2 == 1 {
					random.Shuffle(len(cut), func(i, j int) { cut[i], cut[j] = cut[j], cut[i] })
				}
				a := watching(func(*tree.Tree) {})
				now := time.Unix(1, 0)
				for _, e := range cut {
					a.Observe(e, now)
				}
				open := openTasks(a, now, "")
				require.Len(t, open, int(a.Stats().OpenTasks))
				for key, task := range open {
					trees := a.Snapshot(key).Trees()
					if len(trees) != 1 {
						continue
					}
					agrees(t, &task, trees[0])
				}
				a.Flush()
				require.Empty(t, openTasks(a, now, ""))
				require.Zero(t, a.Stats().HeldBytes)
			}
		})
	}
}

func agrees(t *testing.T, task *assembly.OpenTask, emitted *tree.Tree) {
	t.Helper()
	latest := map[string]*tree.Span{}
	passes, openPasses := 0, 0
	for i := range emitted.Spans {
		switch s := &emitted.Spans[i]; s.Name {
		case lifecycle.SpanStep:
			id := fmt.Sprint(valueOf(s, lifecycle.AttrStepID))
			if before := latest[id]; before == nil || valueOf(before, lifecycle.AttrAttemptNumber).Int < valueOf(s, lifecycle.AttrAttemptNumber).Int {
				latest[id] = s
			}
		case lifecycle.SpanOrchestration:
			passes++
			if valueOf(s, lifecycle.AttrIncomplete).Int != 0 {
				openPasses++
			}
		}
	}
	running, done, failed := 0, 0, 0
	for _, s := range latest {
		switch valueOf(s, lifecycle.AttrStatus).Text {
		case "":
			running++
		case "failure":
			failed++
		default:
			done++
		}
	}
	root := &emitted.Spans[0]
	require.Equal(t, running, task.Running)
	require.Equal(t, done, task.Done)
	require.LessOrEqual(t, task.Failed, failed, "fewer where a step was put back")
	require.Equal(t, valueOf(root, lifecycle.AttrTaskName).Text, task.Name)
	ended := valueOf(root, lifecycle.AttrIncomplete).Int == 0
	require.Equal(t, ended, task.State == assembly.StateSettling, "%s", task.State)
	switch task.State {
	case assembly.StateQueued:
		require.Zero(t, passes)
	case assembly.StateBackingOff, assembly.StateBlocked:
		require.Positive(t, failed)
		require.NotEmpty(t, task.Error+task.ErrorType)
		require.NotEmpty(t, task.FailedStep)
	case assembly.StateWaiting:
		require.Zero(t, openPasses)
		require.Positive(t, passes)
	}
}

func valueOf(s *tree.Span, key string) attribute.Value {
	for i := range s.Attributes {
		if s.Attributes[i].Key == key {
			return s.Attributes[i].Value
		}
	}
	return attribute.Value{}
}

// A failed step is expected to be retried until its backoff is over, or for five minutes where none was announced.
func TestAFailedStepBacksOffAndThenBlocks(t *testing.T) {
	id := event.ID{Text: "1", Integer: true}
	now := time.Unix(1000, 0)
	a := watching(func(*tree.Tree) {})
	n := uint64(0)
	observe := func(e event.Event) {
		n++
		e.TraceID, e.TaskID, e.Identity, e.At = event.TraceID{1}, id, n, now.UnixNano()+int64(n)
		a.Observe(&e, now)
	}
	state := func(after time.Duration) string {
		tasks := openTasks(a, now.Add(after), "")
		require.Len(t, tasks, 1)
		task := tasks[event.TraceID{1}]
		return task.State.String()
	}
	step := event.ID{Text: "7", Integer: true}
	observe(event.Event{Name: lifecycle.TaskStartRequested, StepCount: 2, TaskName: "w"})
	require.Equal(t, "queued", state(0))
	observe(event.Event{Name: lifecycle.WorkflowTaskStarted})
	require.Equal(t, "running", state(0))
	observe(event.Event{Name: lifecycle.StepExecutionRequested, StepID: step, StepName: "charge"})
	observe(event.Event{Name: lifecycle.StepFailed, StepID: step, ErrorClass: "Timeout", ErrorMessage: "Gateway gone"})
	observe(event.Event{Name: lifecycle.WorkflowTaskFinalizationCompleted, FinalStatus: "pending"})
	require.Equal(t, "backing_off", state(0))
	require.Equal(t, "backing_off", state(4*time.Minute))
	require.Equal(t, "blocked", state(6*time.Minute))
	observe(event.Event{Name: lifecycle.ObservabilityStepBackoff, StepID: step, BackoffFor: 600})
	require.Equal(t, "backing_off", state(9*time.Minute))
	require.Equal(t, "blocked", state(11*time.Minute))
	observe(event.Event{Name: lifecycle.StepInitializeRequested, StepID: step})
	require.Equal(t, "waiting", state(11*time.Minute))
	observe(event.Event{Name: lifecycle.StepExecutionRequested, StepID: step, Attempt: 1})
	require.Equal(t, "running", state(time.Hour))
	observe(event.Event{Name: lifecycle.TaskCancelled})
	require.Equal(t, "settling", state(0))

	for _, text := range []string{"", "gateway", "TIMEOUT", "charge", "1", "0100000000"} {
		require.Len(t, openTasks(a, now, text), 1, text)
	}
	for _, text := range []string{"refund", "0200000000", "2"} {
		require.Empty(t, openTasks(a, now, text), text)
	}
}

// A round of visits visits each task that stays open exactly once, whatever happens between the calls.
func TestARoundVisitsEachTaskOnce(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	a := watching(func(*tree.Tree) {})
	now := time.Unix(1000, 0)
	add := func(i int, name string) {
		a.Observe(&event.Event{Name: name, TraceID: event.TraceID{byte(i), byte(i >> 8), 1}, Identity: random.Uint64(),
			TaskID: event.ID{Text: fmt.Sprint(i)}, At: now.UnixNano()}, now)
	}
	for i := range 200 {
		add(i, lifecycle.ObservabilityTaskEnqueue)
	}
	seen := map[string]int{}
	gone := 0
	for place := math.MaxInt; place != 0; {
		place = a.VisitOpen(place, 9, now, nil, func(task *assembly.OpenTask) { seen[task.ID.Text]++ })
		add(1000+place, lifecycle.ObservabilityTaskEnqueue)
		for range 3 { // some end
			add(gone, lifecycle.TaskCancelled)
			gone += 2
		}
		now = now.Add(31 * time.Second)
		a.Advance(now)
	}
	for i := 1; i < 200; i += 2 {
		require.Equal(t, 1, seen[fmt.Sprint(i)], i)
	}
	for id, n := range seen {
		require.Equal(t, 1, n, id)
	}
}

// With a complete stream nothing is missing of ended tasks; with a lost event the missing part is named.
func TestWhatHasNotComeIsNamed(t *testing.T) {
	lost := func(name string, n int) []history.Missing {
		a := watching(func(*tree.Tree) {})
		now := time.Unix(1, 0)
		var key event.TraceID
		for _, e := range readStream(t, "order_processing") {
			if key = e.TraceID; e.Name == name {
				if n--; n == 0 {
					continue
				}
			}
			a.Observe(e, now)
		}
		snapshot := a.Snapshot(key)
		snapshot.Trees()
		return snapshot.Missing()
	}
	require.Empty(t, lost("none", 0))
	for event, want := range map[string]string{
		lifecycle.StepExecutionRequested: "1 of 3 announcements that it begins", lifecycle.StepBeforeHandle: "that its handler begins",
		lifecycle.StepCompleted: "1 of 3 announcements of its end", lifecycle.WorkflowTaskFinalizationCompleted: "1 of 2 announcements of its end",
		lifecycle.WorkflowTaskFinalizationStarted: "1 of 2 announcements that its finalization begins", lifecycle.WorkflowStepsExecutionCompleted: "its end",
		lifecycle.TaskCompleted: "1 of 2 announcements of its end", lifecycle.TaskStartRequested: "its creation",
	} {
		found := lost(event, 1)
		require.Len(t, found, 1, event)
		require.Equal(t, want, found[0].What, event)
		require.NotEmpty(t, found[0].Of)
	}
}

// Lists show the same for a task whose events are forgotten after emission as for one whose events are all held.
func TestOpenTasksOfPartsAreThoseOfWholeTasks(t *testing.T) {
	t.Parallel()
	for _, name := range pagesStreams {
		t.Run(name, func(t *testing.T) {
			whole := watching(func(*tree.Tree) {})
			parts := assembly.New(inParts(limits()), func(*tree.Tree) {})
			parts.Watch()
			now, compared := time.Unix(1<<31, 0), 0
			for i, event := range readStream(t, name) {
				parts.Observe(event, now)
				whole.Observe(event, now)
				if i%5 != 0 {
					continue
				}
				now = now.Add(10 * time.Second)
				parts.Advance(now)
				whole.Advance(now)
				held := openTasks(whole, now, "")
				for key, task := range openTasks(parts, now, "") {
					if same, open := held[key]; open {
						compared++
						assert.Equal(t, same.CorrelationID, task.CorrelationID)
						assert.Equal(t, same.State, task.State)
						assert.Equal(t, same.Started, task.Started)
					}
				}
			}
			assert.Positive(t, compared)
		})
	}
}
