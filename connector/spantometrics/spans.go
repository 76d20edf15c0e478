// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"math"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// finishedSpan measures a finished span. Incomplete spans do not count as executions. Synthesized steps and tasks have an
// announced end and count; other synthesized spans are estimates and do not.
func (r *recorder) finishedSpan(span ptrace.Span) {
	name := span.Name()
	p := r.instance.plans.ofSpan[name]
	detected := r.instance.plans.ofDetected != nil && hasDetected(span)
	if p == nil && !detected {
		return
	}
	if p == nil {
		p = r.instance.plans.anySpan
	}
	r.measured.name, r.measured.attrs = "", span.Attributes()
	r.measured.begin(&p.fields)
	if r.measured.values[fieldIncomplete].isTrue() {
		r.tally.skipped[skipIncomplete]++
		return
	}
	if r.measured.values[fieldSynthesized].isTrue() && name != lifecycle.SpanTask && name != lifecycle.SpanStep {
		r.tally.skipped[skipSynthesized]++
		return
	}
	r.measured.at = r.possible(int64(span.EndTimestamp()))
	if r.tooOld(r.measured.at) || !r.firstSpan(span) {
		return
	}
	r.tally.spans++
	r.measured.took = duration(span)
	r.measured.failed = span.Status().Code() == ptrace.StatusCodeError
	r.measured.where, r.measured.located = series.Exemplar{At: r.measured.at, Trace: span.TraceID(), Span: span.SpanID()}, true
	r.run(p)
	if detected {
		r.measureDetected(span)
	}
}

// duration is negative for a span without a start, or with its end before it.
func duration(span ptrace.Span) int64 {
	start, end := span.StartTimestamp(), span.EndTimestamp()
	if start == 0 || end < start || end-start > math.MaxInt64 {
		return -1
	}
	return int64(end - start)
}

// measureDetected measures the detections of span_hierarchy on a measured span. Attributes that a detection lacks are taken
// from the span.
func (r *recorder) measureDetected(span ptrace.Span) {
	for _, found := range span.Events().All() {
		if !isDetected(found) {
			continue
		}
		p := r.instance.plans.ofDetected.Get(found.Name())
		r.measured.name, r.measured.attrs = found.Name(), found.Attributes()
		r.measured.begin(&p.fields)
		r.measured.readMissing(span.Attributes())
		r.run(p)
	}
}

func isDetected(found ptrace.SpanEvent) bool {
	return text(found.Attributes(), lifecycle.AttrDetectedBy) == lifecycle.DetectedBySpanHierarchy
}

func hasDetected(span ptrace.Span) bool {
	for _, found := range span.Events().All() {
		if isDetected(found) {
			return true
		}
	}
	return false
}
