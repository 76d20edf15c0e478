// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"math"
	"strconv"

	"github.com/zeebo/xxh3"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/active"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/plan"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// trackActive maintains the sets of open tasks and steps. A task is open from its first event until it ends, and again when
// a later pass begins; an enqueue after the end is the job's own retry and opens nothing. The final status of a pass also
// ends a task, because the job of a cancelled task still runs without a terminal event. A step is open from the request for
// its execution until it ends.
func (b *batch) trackActive(e *event) {
	if e.trace.IsEmpty() || b.recorder.plans.Tasks == nil && b.recorder.plans.Steps == nil {
		return
	}
	change := active.Event{Trace: e.trace, At: e.at, Change: e.plan.Change.Task, StepChange: e.plan.Change.Step}
	if e.plan.Change.Finalizes && lifecycle.FinalStatus(e.attrs.Text(plan.FinalStatus)) != "" {
		change.Change = active.Ended
	}
	if change.StepChange != active.NoStep {
		step, ok := idKey(e.attrs.Get(plan.StepID))
		if !ok {
			change.StepChange = active.NoStep
		}
		change.Step = step
	}
	b.recorder.state.Active.Observe(&change, b.now, &b.labeler)
}

// idKey hashes the ID of a task or step as text, so that integer and string IDs are equal. ok is false if the value is no ID.
func idKey(id eventbatch.Value) (key uint64, ok bool) {
	switch id.Kind {
	case eventbatch.KindInt:
		return integerKey(id.Int()), true
	case eventbatch.KindDouble:
		// Some JSON libraries have only floats: 7.0 means 7.
		return integerKey(int64(id.Double())), id.Double() == math.Trunc(id.Double())
	case eventbatch.KindText:
		return xxh3.HashString(id.Text), id.Text != ""
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
	_, ok := idKey(l.batch.recorder.item.Attribute(plan.TaskID))
	return ok
}

// Task returns the gauge of the event's task. complete is false if a later event may complete its labels.
func (l *labeler) Task(state active.State) (gauge series.Gauge, complete bool) {
	return l.Set.Tasks.Gauge(&l.batch.recorder.item, state, &l.batch.out)
}

// Step returns the gauge of the event's step. complete is as in Task.
func (l *labeler) Step() (gauge series.Gauge, complete bool) {
	return l.Set.Steps.Gauge(&l.batch.recorder.item, active.Closed, &l.batch.out)
}
