// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// event is an event from a log record or an event span. Its name is canonical.
type event struct {
	name string
	// at is the event's time in Unix nanoseconds; 0 if unknown.
	at    int64
	trace pcommon.TraceID
	attrs pcommon.Map
	// fingerprint identifies the event among those of all applications; 0 if unknown.
	fingerprint uint64
}

// measureEvent counts an event and measures its payload.
func (r *recorder) measureEvent(e event) {
	if !eventrecord.SignalsOf(e.attrs).Has(lifecycle.SignalMetrics) {
		r.tally.skipped[skipNotRouted]++
		return
	}
	e.at = r.possible(e.at)
	if r.tooOld(e.at) || !r.firstEvent(&e) {
		return
	}
	r.tally.events++
	r.event = e
	r.measured.name, r.measured.attrs = e.name, e.attrs
	r.measured.at, r.measured.took, r.measured.located = e.at, -1, false
	p := r.instance.plans.ofEvent.Get(e.name)
	r.measured.begin(&p.fields)
	r.run(p)
	r.trackActive()
}

// exemplar returns the exemplar of the current item, without a value. An event's is computed on first use.
func (r *recorder) exemplar() series.Exemplar {
	if !r.measured.located {
		r.measured.where, r.measured.located = r.eventExemplar(), true
	}
	return r.measured.where
}

// eventExemplar returns an exemplar with the span of the event's task, which is always exported, while most query spans are
// not sampled. If the event has its caller's context, the task's span is part of the caller's trace.
func (r *recorder) eventExemplar() series.Exemplar {
	e := &r.event
	exemplar := series.Exemplar{At: e.at, Trace: e.trace}
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
