// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// exemplar is the exemplar of an item, without a value. An event's is computed on first use.
type exemplar struct {
	series.Exemplar
	known bool
	// taskTrace and taskSpan cache the latest exemplar of an event.
	taskTrace pcommon.TraceID
	taskSpan  pcommon.SpanID
}

func (x *exemplar) ofSpan(e series.Exemplar) { x.Exemplar, x.known = e, true }

func (x *exemplar) ofEvent(at int64, trace pcommon.TraceID) {
	x.Exemplar, x.known = series.Exemplar{At: at, Trace: trace}, false
}

// get returns the exemplar of an item with these attributes. An event's has the span of its task, which is always exported,
// while most query spans are not sampled. If the event has its caller's context, the task's span is part of the caller's
// trace.
func (x *exemplar) get(attrs *Attributes) series.Exemplar {
	if x.known {
		return x.Exemplar
	}
	x.known = true
	trace := pcommon.TraceID(x.Trace)
	if trace.IsEmpty() {
		return x.Exemplar
	}
	if x.taskTrace != trace {
		x.taskTrace, x.taskSpan = trace, lifecycle.SpanID(trace, lifecycle.SpanTask, "", 0)
	}
	x.Span = x.taskSpan
	if caller, _, called := lifecycle.ParseTraceparent(attrs.Text(traceparent)); called {
		x.Trace = caller
	}
	return x.Exemplar
}
