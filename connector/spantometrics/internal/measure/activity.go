// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"math"
	"strconv"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/active"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/plan"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// trackActive maintains the sets of open tasks and steps. A task is open from its first event until it ends, and again when
// a later pass begins; an enqueue after the end is the job's own retry and opens nothing. The final status of a pass also
// ends a task, because the job of a cancelled task still runs without a terminal event. A step is open from the request for
// its execution until it ends.
func (b *batch) trackActive() {
	e := &b.event
	if e.trace.IsEmpty() || b.recorder.plans.Tasks == nil && b.recorder.plans.Steps == nil {
		return
	}
	change := active.Event{Trace: e.trace, At: e.at, Change: e.taskChange(), StepChange: stepChange(e.name)}
	if change.StepChange != active.NoStep {
		step, ok := stepKey(e.attrs)
		if !ok {
			change.StepChange = active.NoStep
		}
		change.Step = step
	}
	b.recorder.state.Active.Observe(&change, b.now, &b.labeler)
}

// taskChange returns what an event means for its task.
func (e *event) taskChange() active.TaskChange {
	switch e.name {
	case lifecycle.WorkflowTaskStarted:
		return active.Began
	case lifecycle.TaskCompleted, lifecycle.TaskFailed, lifecycle.TaskCancelled, lifecycle.TaskResolvedManually:
		return active.Ended
	case lifecycle.WorkflowTaskFinalizationCompleted:
		if lifecycle.FinalStatus(eventrecord.Text(e.attrs, lifecycle.AttrFinalStatus)) != "" {
			return active.Ended
		}
		return active.Left
	case lifecycle.WorkflowTaskReenqueueRequested, lifecycle.WorkflowTaskReenqueueDelayed:
		return active.Left
	case lifecycle.ObservabilityTaskEnqueue:
		return active.Enqueued
	}
	return active.Mentioned
}

// stepChange returns what an event of that name means for its step.
func stepChange(name string) active.StepChange {
	switch name {
	case lifecycle.StepExecutionRequested:
		return active.Requested
	case lifecycle.StepFailed:
		return active.Failed
	case lifecycle.StepCompleted, lifecycle.StepCancelled, lifecycle.StepResolvedManually:
		return active.StepEnded
	case lifecycle.StepInitializeRequested, lifecycle.StepRetryRequested:
		return active.PutBack
	case lifecycle.ObservabilityStepBackoff:
		return active.BackoffAnnounced
	}
	return active.NoStep
}

// stepKey hashes the step's ID as text, so that integer and string IDs are equal.
func stepKey(attrs pcommon.Map) (uint64, bool) {
	id, found := attrs.Get(lifecycle.AttrStepID)
	if !found {
		return 0, false
	}
	switch id.Type() {
	case pcommon.ValueTypeInt:
		return integerKey(id.Int()), true
	case pcommon.ValueTypeDouble:
		// Some JSON libraries have only floats: 7.0 means 7.
		return integerKey(int64(id.Double())), id.Double() == math.Trunc(id.Double())
	case pcommon.ValueTypeStr:
		return xxh3.HashString(id.Str()), id.Str() != ""
	}
	return 0, false
}

func integerKey(id int64) uint64 {
	var room [20]byte
	return xxh3.Hash(strconv.AppendInt(room[:0], id, 10))
}

// labeler finds the gauges of the current event.
type labeler struct {
	batch *batch
	plan.Gauges
}

// IsOfTask is false for events without a task, whose trace is the application's.
func (l *labeler) IsOfTask() bool {
	_, found := eventrecord.TaskID(l.batch.event.attrs)
	return found
}

// Task returns the gauge of the event's task. complete is false if a later event may complete its labels.
func (l *labeler) Task(state active.State) (gauge series.Gauge, complete bool) {
	return l.Set.Tasks.Gauge(&l.batch.recorder.item, state, &l.batch.out)
}

// Step returns the gauge of the event's step. complete is as in Task.
func (l *labeler) Step() (gauge series.Gauge, complete bool) {
	return l.Set.Steps.Gauge(&l.batch.recorder.item, active.Closed, &l.batch.out)
}
