package spantometrics

import (
	"math"
	"strconv"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/active"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// trackActive keeps the sets of open tasks and steps. A task is open from its first event until it ends, and again when a
// pass begins after that; an enqueue after the end is the job's own retry and opens nothing. The final status of a pass ends a
// task too: the job of a task that was cancelled runs all the same, and no terminal event follows. A step is open from a
// request for its execution until it ends.
func (r *recorder) trackActive() {
	e := &r.event
	if e.trace.IsEmpty() {
		return
	}
	change := active.Mentioned
	switch e.name {
	case lifecycle.WorkflowTaskStarted:
		change = active.Started
	case lifecycle.TaskCompleted, lifecycle.TaskFailed, lifecycle.TaskCancelled, lifecycle.TaskResolvedManually:
		change = active.Ended
	case lifecycle.WorkflowTaskFinalizationCompleted:
		if lifecycle.FinalStatus(text(e.attrs, lifecycle.AttrFinalStatus)) != "" {
			change = active.Ended
		}
	}
	if r.plans.tasks != nil {
		r.tasks.Observe(active.ID{Trace: e.trace}, change, e.at, r.instant, (*taskLabeler)(r))
	}

	switch e.name {
	case lifecycle.StepExecutionRequested:
		change = active.Started
	case lifecycle.StepCompleted, lifecycle.StepFailed, lifecycle.StepCancelled, lifecycle.StepResolvedManually:
		change = active.Ended
	default:
		return
	}
	if r.plans.steps == nil {
		return
	}
	if step, ok := stepKey(e.attrs); ok {
		r.steps.Observe(active.ID{Trace: e.trace, Step: step}, change, e.at, r.instant, (*stepLabeler)(r))
	}
}

// stepKey hashes the text form of the step's id, so that an id is the same as an integer and as a string.
func stepKey(attrs pcommon.Map) (uint64, bool) {
	id, found := attrs.Get(lifecycle.AttrStepID)
	if !found {
		return 0, false
	}
	switch id.Type() {
	case pcommon.ValueTypeInt:
		return integerKey(id.Int()), true
	case pcommon.ValueTypeDouble:
		// Some JSON libraries know only floats: 7.0 is the step 7.
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

// taskLabeler counts the event's task, under labels that may become complete with a later event.
type taskLabeler recorder

// Gauge refuses events without a task: their trace is the application's own.
func (l *taskLabeler) Gauge() (gauge series.Gauge, complete, ok bool) {
	if _, found := eventrecord.TaskID(l.event.attrs); !found {
		return series.Gauge{}, false, false
	}
	gauge, complete = (*recorder)(l).openGauge(l.plans.tasks)
	return gauge, complete, true
}

// stepLabeler counts the event's step likewise.
type stepLabeler recorder

// Gauge takes every event: only events of steps come here.
func (l *stepLabeler) Gauge() (gauge series.Gauge, complete, ok bool) {
	gauge, complete = (*recorder)(l).openGauge(l.plans.steps)
	return gauge, complete, true
}

// openGauge is the gauge under the event's labels.
func (r *recorder) openGauge(p *openPlan) (gauge series.Gauge, complete bool) {
	r.begin(&p.fields)
	complete = r.label(p.labels)
	return r.Gauge(p.metric), complete
}
