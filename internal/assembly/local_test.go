// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Everything that determines a span is known before it is emitted, so no later event changes it.

const callerContext = "00-0000000000000000000000000000000f-000000000000000e-01"

func traceOf(t *testing.T, s *story) (trace event.TraceID, spans int) {
	t.Helper()
	a := assembly.New(limits(), func(tree *tree.Tree) { trace, spans = tree.Trace, len(tree.Spans) })
	feed(a, s.events, time.Unix(1, 0))
	a.Flush()
	return trace, spans
}

func withCaller(e *event.Event) { e.Traceparent = callerContext }

// The caller is the earliest named up to the beginning of the first pass.
func TestTheCallerIsNamedBeforeTheFirstPass(t *testing.T) {
	named, _ := traceOf(t, new(story).created().say(lifecycle.TaskBeforeTransition, withCaller).passBegins().attempt("1", lifecycle.StepCompleted))
	require.Equal(t, event.TraceID{15: 15}, named)
	late, _ := traceOf(t, new(story).created().passBegins().attempt("1", lifecycle.StepCompleted).say(lifecycle.TaskBeforeTransition, withCaller))
	require.Equal(t, event.TraceID{1}, late)
}

// An announcement of an attempt's end that happens after the settle timeout changes nothing, and begins no attempt.
func TestAnEndThatIsAnnouncedTooLateIsARepetition(t *testing.T) {
	for wait, want := range map[time.Duration]time.Duration{time.Second: 1064 * time.Millisecond, time.Minute: 63 * time.Millisecond} {
		s := new(story).created().passBegins().attempt("1", lifecycle.StepCompleted)
		end := s.events[len(s.events)-2]
		require.Equal(t, lifecycle.StepCompleted, end.Name)
		end.At = int64(time.Duration(s.events[len(s.events)-3].At) + wait)
		var ends []int64
		a := assembly.New(limits(), func(tree *tree.Tree) {
			for i := range tree.Spans {
				if tree.Spans[i].Name == lifecycle.SpanStep {
					ends = append(ends, tree.Spans[i].End)
				}
			}
		})
		feed(a, s.events, time.Unix(1, 0))
		a.Flush()
		require.Len(t, ends, 1, wait)
		require.InDelta(t, int64(want), ends[0], 3e6, wait)
	}
}

// A pass that spins puts an event on its span with each search. A span has at most 128, and counts the dropped ones.
func TestASpanHasABoundedNumberOfEvents(t *testing.T) {
	s := new(story).created().passBegins().attempt("1", lifecycle.StepFailed).spin("1", 300)
	dropped := uint32(0)
	a := assembly.New(limits(), func(tree *tree.Tree) {
		for i := range tree.Spans {
			require.LessOrEqual(t, len(tree.Spans[i].Events), 128)
			dropped += tree.Spans[i].EventsDropped
		}
	})
	feed(a, s.events, time.Unix(1, 0))
	a.Flush()
	require.EqualValues(t, 301-128, dropped)
	require.EqualValues(t, dropped, a.Stats().SpanEventsCut)
}

// A worker that was given up a thousand records ago can no longer end its attempt.
func TestAnAttemptOfADeadPassIsGivenUp(t *testing.T) {
	attempts := func(spins int) int64 {
		s := new(story).created().passBegins()
		s.say(lifecycle.WorkflowViableStepsDiscovered, func(e *event.Event) { e.StepIDs = []string{"1"} })
		s.say(lifecycle.WorkflowStepsExecutionStarted, func(e *event.Event) { e.StepCount = 1 })
		s.say(lifecycle.StepExecutionRequested, step("1"))
		s.passBegins().spin("1", spins).say(lifecycle.StepCompleted, step("1"))
		n := int64(0)
		a := assembly.New(limits(), func(tree *tree.Tree) { n = int64(summarize(tree).attempts) })
		feed(a, s.events, time.Unix(1, 0))
		a.Flush()
		return n
	}
	require.EqualValues(t, 1, attempts(200))
	require.EqualValues(t, 2, attempts(300))
}
