// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Whichever events of a task have a caller, and in any order, its records are in the trace of its spans.
func TestRecordsAndSpansOfATaskAreInOneTrace(t *testing.T) {
	names := []string{
		lifecycle.TaskStartRequested, lifecycle.ObservabilityTaskEnqueue, lifecycle.TaskBeforeTransition, lifecycle.WorkflowTaskStarted,
		lifecycle.WorkflowViableStepsDiscovered, lifecycle.WorkflowStepsExecutionStarted, lifecycle.StepExecutionRequested,
		lifecycle.StepBeforeHandle, "order.fulfilled", lifecycle.StepCompleted, lifecycle.WorkflowStepsExecutionCompleted,
		lifecycle.WorkflowTaskFinalizationStarted, lifecycle.TaskCompleted, lifecycle.WorkflowTaskFinalizationCompleted,
	}
	task := pcommon.TraceID{1, 2, 3}
	rapid.Check(t, func(t *rapid.T) {
		var (
			events []*event.Event
			trace  pcommon.TraceID
		)
		missing := rapid.IntRange(-1, len(names)-1).Draw(t, "missing")
		for i, name := range names {
			e := &event.Event{
				Name: name, At: int64(i + 1), Identity: uint64(i), TraceID: task, TaskID: event.ID{Text: "7"}, TaskName: "process_order",
				Attempt: -1, JobRun: -1,
			}
			switch name {
			case lifecycle.TaskStartRequested:
				e.StepCount = 1
			case lifecycle.StepExecutionRequested, lifecycle.StepBeforeHandle, lifecycle.StepCompleted:
				e.StepID = event.ID{Text: "9"}
			}
			if rapid.IntRange(0, 3).Draw(t, "called") == 0 {
				e.Traceparent = fmt.Sprintf("00-%032x-%016x-01", i+1, i+1)
			}
			if i != missing {
				events = append(events, e)
			}
		}
		events = rapid.Permutation(events).Draw(t, "order")

		a := assembly.New(assembly.DefaultLimits(), func(tree *tree.Tree) { trace = tree.Trace })
		c := newCallers(10)
		kept := c.note(nil, pcommon.TraceID{9}, 1, lifecycle.TaskStartRequested, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
		for _, e := range events {
			a.Observe(e, time.Unix(1, 0))
			kept = c.note(kept, task, pcommon.Timestamp(e.At), e.Name, e.Traceparent)
		}
		a.Flush()
		require.Equal(t, trace, c.traceOf(task))
		restored := newCallers(10)
		require.NoError(t, restored.restore(kept))
		require.Equal(t, trace, restored.traceOf(task))
	})
}
