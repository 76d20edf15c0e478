// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// story writes the events of one task. Every call advances its clock by a millisecond.
type story struct {
	at       time.Duration
	events   []*event.Event
	identity uint64
}

func (s *story) say(name string, set ...func(*event.Event)) *story {
	s.at += time.Millisecond
	s.identity++
	e := &event.Event{
		Name: name, At: int64(s.at), Identity: s.identity, TraceID: event.TraceID{1}, TaskID: event.ID{Text: "1", Integer: true},
		TaskName: "process_order", Attempt: -1, JobRun: -1,
	}
	for _, f := range set {
		f(e)
	}
	s.events = append(s.events, e)
	return s
}

func (s *story) wait(d time.Duration) *story { s.at += d; return s }

func step(id string) func(*event.Event) {
	return func(e *event.Event) { e.StepID, e.StepName = event.ID{Text: id, Integer: true}, "step_"+id }
}

func final(status string) func(*event.Event) {
	return func(e *event.Event) { e.FinalStatus = status }
}

func (s *story) created() *story {
	return s.say(lifecycle.TaskStartRequested, func(e *event.Event) { e.StepCount = 2 }).say(lifecycle.ObservabilityTaskEnqueue)
}

func (s *story) job() *story {
	return s.say(lifecycle.ObservabilityTaskEnqueue, func(e *event.Event) { e.HasJob, e.JobRun = true, 2 })
}

func (s *story) passBegins() *story {
	return s.job().say(lifecycle.TaskStartRequested).say(lifecycle.WorkflowTaskStarted)
}

func (s *story) attempt(id, outcome string) *story {
	s.say(lifecycle.WorkflowViableStepsDiscovered, func(e *event.Event) { e.StepIDs = []string{id} })
	s.say(lifecycle.WorkflowStepsExecutionStarted, func(e *event.Event) { e.StepCount = 1 })
	for range 3 {
		s.say(lifecycle.StepExecutionRequested, step(id))
	}
	s.say(lifecycle.StepBeforeHandle, step(id)).wait(50 * time.Millisecond)
	for range 3 {
		s.say(outcome, step(id), func(e *event.Event) {
			if outcome == lifecycle.StepFailed {
				e.ErrorClass, e.ErrorMessage = "Broken", "it broke"
			}
		})
	}
	return s.say(lifecycle.WorkflowStepsExecutionCompleted)
}

func (s *story) spin(id string, times int) *story {
	for range times {
		s.say(lifecycle.WorkflowViableStepsDiscovered, func(e *event.Event) { e.StepIDs = []string{id} })
		s.say(lifecycle.WorkflowViableStepsDiscovered, func(e *event.Event) { e.StepIDs = []string{id} })
		s.say(lifecycle.WorkflowStepsExecutionStarted, func(e *event.Event) { e.StepCount = 1 })
		s.say(lifecycle.WorkflowStepsExecutionCompleted)
	}
	return s
}

func (s *story) passEnds(terminal, status string) *story {
	s.say(lifecycle.WorkflowTaskFinalizationStarted).say(lifecycle.WorkflowTaskFinalizationStarted)
	if terminal != "" {
		s.say(terminal).say(terminal)
	}
	return s.say(lifecycle.WorkflowTaskFinalizationCompleted, final(status)).say(lifecycle.WorkflowTaskFinalizationCompleted, final(status))
}

// summary is what a test compares of a tree.
type summary struct {
	run        int64
	start, end time.Duration
	status     string
	passes     int
	attempts   int
	incomplete bool
	linked     bool
	queued     int
	batches    int // where different from attempts
	reason     tree.Reason
}

func summarize(tree *tree.Tree) summary {
	root := &tree.Spans[0]
	got := summary{start: time.Duration(root.Start), end: time.Duration(root.End), linked: root.Link != nil, reason: tree.Reason}
	for _, attr := range root.Attributes {
		switch attr.Key {
		case lifecycle.AttrRun:
			got.run = attr.Value.Int
		case lifecycle.AttrStatus:
			got.status = attr.Value.Text
		case lifecycle.AttrIncomplete:
			got.incomplete = true
		}
	}
	for _, s := range tree.Spans {
		switch s.Name {
		case lifecycle.SpanOrchestration:
			got.passes++
		case lifecycle.SpanStep:
			got.attempts++
		case lifecycle.SpanQueued:
			got.queued++
		case lifecycle.SpanBatch:
			got.batches++
		}
	}
	if got.batches == got.attempts {
		got.batches = 0
	}
	return got
}

// replayed returns the trees of a story that arrives at once; live, of one that arrives as it happens.
func replayed(t *testing.T, s *story) (trees []summary) {
	now := time.Unix(1, 0)
	a := assembly.New(limits(), func(tree *tree.Tree) { requireWellFormed(t, tree); trees = append(trees, summarize(tree)) })
	for _, e := range s.events {
		a.Observe(e, now)
	}
	a.Advance(now.Add(limits().SettleTimeout))
	a.Flush()
	return trees
}

func live(t *testing.T, s *story) (trees []summary) {
	a := assembly.New(limits(), func(tree *tree.Tree) { requireWellFormed(t, tree); trees = append(trees, summarize(tree)) })
	for _, e := range s.events {
		now := time.Unix(0, e.At)
		a.Advance(now)
		a.Observe(e, now)
	}
	a.Advance(time.Unix(0, int64(s.at)).Add(limits().SettleTimeout))
	a.Flush()
	return trees
}

func TestStories(t *testing.T) {
	ms := time.Millisecond
	for name, test := range map[string]struct {
		story *story
		want  []summary
	}{
		"the job's own retries after the end extend nothing": {
			new(story).created().passBegins().attempt("1", lifecycle.StepFailed).passEnds(lifecycle.TaskFailed, "error").
				wait(3 * time.Second).job().wait(3 * time.Second).job(),
			[]summary{{run: 1, start: ms, end: 71 * ms, status: "failure", passes: 1, attempts: 1, queued: 1}},
		},
		"a failed task that is reset and completes is a second run, linked to the first": {
			new(story).created().passBegins().attempt("1", lifecycle.StepFailed).passEnds(lifecycle.TaskFailed, "error").
				wait(3*time.Second).job().wait(time.Minute).say(lifecycle.StepInitializeRequested, step("1")).
				passBegins().attempt("1", lifecycle.StepCompleted).passEnds(lifecycle.TaskCompleted, "complete"),
			[]summary{
				{run: 1, start: ms, end: 71 * ms, status: "failure", passes: 1, attempts: 1, queued: 1, reason: tree.ReasonEnded},
				{run: 2, start: 63073 * ms, end: 63142 * ms, status: "success", passes: 1, attempts: 1, queued: 1, linked: true},
			},
		},
		"a task cancelled while it runs ends with its pass": {
			new(story).created().passBegins().attempt("1", lifecycle.StepCompleted).say(lifecycle.TaskCancelled).
				attempt("2", lifecycle.StepCompleted).passEnds("", "cancelled").wait(3 * time.Second).job(),
			[]summary{{run: 1, start: ms, end: 130 * ms, status: "cancelled", passes: 1, attempts: 2, queued: 1}},
		},
		"a task cancelled in the queue": {
			new(story).created().wait(time.Second).say(lifecycle.TaskCancelled).wait(3 * time.Second).job(),
			[]summary{{run: 1, start: ms, end: 1003 * ms, status: "cancelled", queued: 1}},
		},
		"a cancellation after the end is a run of its own, however soon it comes": {
			new(story).created().passBegins().attempt("1", lifecycle.StepCompleted).passEnds(lifecycle.TaskCompleted, "complete").
				wait(time.Second).say(lifecycle.TaskCancelled),
			[]summary{
				{run: 1, start: ms, end: 71 * ms, status: "success", passes: 1, attempts: 1, queued: 1},
				{run: 2, start: 1072 * ms, end: 1072 * ms, status: "cancelled", linked: true},
			},
		},
		"a resolution by hand long after the failure is a run of its own": {
			new(story).created().passBegins().attempt("1", lifecycle.StepFailed).passEnds(lifecycle.TaskFailed, "error").
				wait(48 * time.Hour).say(lifecycle.TaskResolvedManually),
			[]summary{
				{run: 1, start: ms, end: 71 * ms, status: "failure", passes: 1, attempts: 1, queued: 1},
				{run: 2, start: 48*time.Hour + 72*ms, end: 48*time.Hour + 72*ms, status: "resolved_manually", linked: true},
			},
		},
		"a pass that dies is taken up by another": {
			new(story).created().passBegins().attempt("1", lifecycle.StepCompleted).wait(time.Second).
				passBegins().attempt("2", lifecycle.StepCompleted).passEnds(lifecycle.TaskCompleted, "complete"),
			[]summary{{run: 1, start: ms, end: 1134 * ms, status: "success", passes: 2, attempts: 2, queued: 2, reason: tree.ReasonSettled}},
		},
		"a task that never ends": {
			new(story).created().passBegins().attempt("1", lifecycle.StepCompleted).passEnds("", "pending"),
			[]summary{{run: 1, start: ms, end: 69 * ms, passes: 1, attempts: 1, queued: 1, incomplete: true, reason: tree.ReasonShutdown}},
		},
		"a pass that spins through empty batches until the step is put back": {
			new(story).created().passBegins().attempt("1", lifecycle.StepFailed).spin("1", 300).
				say(lifecycle.StepInitializeRequested, step("1")).attempt("1", lifecycle.StepCompleted).
				passEnds(lifecycle.TaskCompleted, "complete"),
			[]summary{{run: 1, start: ms, end: 1332 * ms, status: "success", passes: 1, attempts: 2, batches: 302, queued: 1}},
		},
		"a task refused at creation": {
			new(story).say(lifecycle.TaskFailed, func(e *event.Event) { e.Refused = true }),
			[]summary{{run: 1, start: ms, end: ms, status: "failure"}},
		},
		"a lost terminal event is read from the pass": {
			new(story).created().passBegins().attempt("1", lifecycle.StepCompleted).passEnds("", "complete"),
			[]summary{{run: 1, start: ms, end: 69 * ms, status: "success", passes: 1, attempts: 1, queued: 1, reason: tree.ReasonSettled}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			withoutReason := func(trees []summary) []summary {
				for i := range trees {
					trees[i].reason = 0
				}
				return trees
			}
			got := replayed(t, test.story)
			for i := range got {
				if i < len(test.want) && test.want[i].reason == 0 {
					got[i].reason = 0
				}
			}
			require.Equal(t, test.want, got, "replayed")
			require.Equal(t, withoutReason(test.want), withoutReason(live(t, test.story)), "live")
		})
	}
}

func TestLateEventsChangeNothing(t *testing.T) {
	s := new(story).created().passBegins().attempt("1", lifecycle.StepCompleted).passEnds(lifecycle.TaskCompleted, "complete")
	now := time.Unix(1, 0)
	trees := 0
	a := assembly.New(limits(), func(*tree.Tree) { trees++ })
	for range 3 {
		for _, e := range s.events {
			a.Observe(e, now)
		}
		now = now.Add(time.Minute)
		a.Advance(now)
	}
	require.Equal(t, 1, trees)
	require.EqualValues(t, 2*len(s.events), a.Stats().Late)
	require.Zero(t, a.Stats().OpenTasks)
}

func TestTheOpenTaskThatWasIdleLongestIsEvicted(t *testing.T) {
	few := limits()
	few.OpenTasks = 2
	var evicted []event.TraceID
	a := assembly.New(few, func(emitted *tree.Tree) {
		require.Equal(t, tree.ReasonEvicted, emitted.Reason)
		evicted = append(evicted, emitted.Trace)
	})
	now := time.Unix(1, 0)
	for i, trace := range []byte{1, 2, 1, 3, 1} {
		a.Observe(&event.Event{TraceID: event.TraceID{trace}, Name: lifecycle.TaskStartRequested, At: int64(i + 1), StepCount: 1, Identity: uint64(i)}, now)
	}
	require.Equal(t, []event.TraceID{{2}}, evicted)
	require.EqualValues(t, 2, a.Stats().OpenTasks)
}

// A tree that is too large in bytes omits span events and children, counts them and is marked as truncated.
func TestTreesAreCutInBytes(t *testing.T) {
	s := new(story).created().passBegins()
	for range 50 {
		s.attempt("1", lifecycle.StepFailed).say(lifecycle.StepInitializeRequested, step("1"))
	}
	s.passEnds(lifecycle.TaskFailed, "error")
	for _, e := range s.events {
		if e.Name == lifecycle.StepFailed {
			e.Backtrace = strings.Repeat("app/services/payment.rb:45\n", 40)
		}
	}
	few := limits()
	assembled := func() (emitted *tree.Tree, size int, stats assembly.Stats) {
		a := assembly.New(few, func(of *tree.Tree) {
			requireWellFormed(t, of)
			copied := *of
			emitted = &copied
			size = len(describe(of))
		})
		for _, e := range s.events {
			a.Observe(e, time.Unix(1, 0))
		}
		a.Flush()
		return emitted, size, a.Stats()
	}
	whole, _, stats := assembled()
	require.Zero(t, stats.SpansCut+stats.SpanEventsCut)
	few.BytesPerTree = 64 << 10
	cut, size, stats := assembled()
	require.Less(t, len(cut.Spans), len(whole.Spans))
	require.Positive(t, stats.SpansCut)
	require.Positive(t, stats.SpanEventsCut)
	require.EqualValues(t, stats.SpanEventsCut, cut.SpanEventsCut)
	require.Less(t, size, 10*64<<10, "as text, which is longer")
	require.Contains(t, cut.Spans[0].Attributes, attribute.Bool(lifecycle.AttrTruncated, true))
}

func TestEventsOverTheLimitAreCountedAndTheTaskStillEnds(t *testing.T) {
	few := limits()
	few.EventsPerTask = 10
	s := new(story).created().passBegins().attempt("1", lifecycle.StepCompleted).passEnds(lifecycle.TaskCompleted, "complete")
	var got []summary
	a := assembly.New(few, func(tree *tree.Tree) { got = append(got, summarize(tree)) })
	now := time.Unix(1, 0)
	for _, e := range s.events {
		a.Observe(e, now)
	}
	a.Advance(now.Add(few.SettleTimeout))
	require.Len(t, got, 1)
	require.Equal(t, "success", got[0].status)
	require.Positive(t, a.Stats().OverLimit)
}
