package spantometrics

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/eventlog"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/sqltext"
)

// event is what an event record and an event span have in common. Its name is canonical.
type event struct {
	name string
	// at is when it happened, in Unix nanoseconds; 0 if nobody said.
	at    int64
	trace pcommon.TraceID
	attrs pcommon.Map
	// fingerprint is the event's identity in its application; 0 if it has none.
	fingerprint uint64
}

// pendingTransition is the event_type of the finalizer's task.initialize_requested.
const pendingTransition = "pending_transition"

// measureEvent counts an event and measures what only its payload has.
func (r *recorder) measureEvent(e event) {
	if !eventlog.SignalsOf(e.attrs).Has(lifecycle.SignalMetrics) {
		r.tally.skipped[skipNotRouted]++
		return
	}
	if e.at <= 0 {
		e.at = r.now
	}
	if r.tooOld(e.at) || !r.firstEvent(&e) {
		return
	}
	r.tally.events++
	r.event, r.attrs = e, e.attrs
	r.Labels().Add(labelEvent, e.name)
	r.count(events)
	r.trackActive()
	if declared := r.declarations.byEvent.Get(e.name); declared != nil {
		r.measureDeclared(declared, r.eventExemplar(0), -1)
	}

	switch e.name {
	case lifecycle.DatabaseQueryExecuted:
		r.measureQuery()
	case lifecycle.PerformanceSlowOperation, lifecycle.PerformanceSlowSQLQuery:
		r.labelOperation()
		r.count(slowOperations)
		r.measureOperation()
	case lifecycle.PerformanceMemorySpike, lifecycle.MemorySpikeDetected:
		r.labelOperation()
		r.measureOperation()
	case lifecycle.TaskInitializeRequested, lifecycle.WorkflowTaskReenqueueRequested:
		r.measureReenqueue()
	case lifecycle.WorkflowViableStepsDiscovered:
		r.measureViableSteps()
	}
}

// measureQuery counts a query by its statement's verb and table, never by its text. Queries that ask the database about
// itself are left out.
func (r *recorder) measureQuery() {
	e := &r.event
	operation, collection := text(e.attrs, lifecycle.AttrDBOperationName), text(e.attrs, lifecycle.AttrDBCollectionName)
	if operation == "" && collection == "" {
		is := r.statements.describe(text(e.attrs, lifecycle.AttrSQL))
		if is.schema || sqltext.AboutSchema(text(e.attrs, lifecycle.AttrName), "") {
			return
		}
		operation, collection = is.operation, is.collection
	}
	r.Labels().Add(lifecycle.AttrDBOperationName, operation).Add(lifecycle.AttrDBCollectionName, collection)
	r.count(sqlQueries)
	r.observeNumber(sqlDuration, lifecycle.AttrDuration, series.Nanoseconds)
}

// labelOperation labels with the operation, or with the query's name where a slow query has no operation.
func (r *recorder) labelOperation() {
	operation := text(r.event.attrs, lifecycle.AttrOperation)
	if operation == "" {
		operation = text(r.event.attrs, lifecycle.AttrName)
	}
	r.Labels().Add(labelOperation, r.bounded(operation))
}

// measureOperation records the duration and the memory that a performance event reports, under the labels that are set.
func (r *recorder) measureOperation() {
	r.observeNumber(operationDuration, lifecycle.AttrDuration, series.Nanoseconds)
	r.observeNumber(operationMemoryDelta, lifecycle.AttrMemoryDeltaMB, mebibyte)
}

// measureReenqueue counts a task that must go on, once: today's engine announces it by task.initialize_requested, from
// the state machine without a reason and from the finalizer with one. Versions that fire workflow.task_reenqueue_* fire
// _requested for a re-enqueue of its own, and _delayed beside the finalizer's event, so _delayed is not counted.
func (r *recorder) measureReenqueue() {
	e := &r.event
	reason := text(e.attrs, lifecycle.AttrReason)
	if e.name == lifecycle.TaskInitializeRequested && (reason == "" || text(e.attrs, lifecycle.AttrEventType) != pendingTransition) {
		return
	}
	r.Labels().Add(labelReason, r.bounded(reason))
	r.count(taskReenqueues)
}

// measureViableSteps records a discovery by the first of its two announcements, the one that names the steps.
func (r *recorder) measureViableSteps() {
	if _, first := r.event.attrs.Get(lifecycle.AttrStepNames); !first {
		return
	}
	key := lifecycle.AttrViableCount
	if _, found := r.event.attrs.Get(key); !found {
		key = lifecycle.AttrStepCount
	}
	r.Labels()
	r.observeNumber(viableSteps, key, 1)
}

// observeNumber records a payload's number times a factor, if the payload has it.
func (r *recorder) observeNumber(metric int, key string, factor float64) {
	attribute, found := r.event.attrs.Get(key)
	if !found {
		return
	}
	value, ok := scaled(attribute, factor)
	if !ok {
		r.tally.skipped[skipInvalidValue]++
		return
	}
	r.observe(metric, r.eventExemplar(value))
}

// eventExemplar links a value to the span of the event's task, which a trace has for certain: of the spans of queries,
// sampling leaves out most. Where the event carries its caller's context, the task's span is part of the caller's trace.
func (r *recorder) eventExemplar(value int64) series.Exemplar {
	e := &r.event
	exemplar := series.Exemplar{Value: value, At: e.at, Trace: e.trace}
	if e.trace.IsEmpty() {
		return exemplar
	}
	if r.taskTrace != e.trace {
		r.taskTrace, r.taskSpan = e.trace, lifecycle.SpanID(e.trace, lifecycle.SpanTask, "", 0)
	}
	exemplar.Span = r.taskSpan
	if caller, _, called := lifecycle.ParseTraceparent(text(e.attrs, lifecycle.AttrTraceparent)); called {
		exemplar.Trace = caller
	}
	return exemplar
}

// scaled is [signed] for values that cannot be negative.
func scaled(attribute pcommon.Value, factor float64) (int64, bool) {
	value, ok := signed(attribute, factor)
	return value, ok && value >= 0
}
