// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/tally"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// finishedSpans measures finished spans.
func (b *batch) finishedSpans(spans ptrace.SpanSlice) {
	for i, span := range spans.All() {
		if i%fetchedAtOnce == 0 {
			b.identifyFinished(spans, i)
		}
		b.finishedSpan(span, b.recorder.spanKeys[i%fetchedAtOnce])
	}
}

// finishedSpan measures a finished span with a key. Incomplete spans do not count as executions. Synthesized steps and tasks have an
// announced end and count; other synthesized spans are estimates and do not.
func (b *batch) finishedSpan(span ptrace.Span, key uint64) {
	name := span.Name()
	detected := b.recorder.plans.MeasuresDetected() && hasDetected(span)
	p := b.recorder.plans.OfSpan(name, detected)
	if p == nil {
		return
	}
	item, at := &b.recorder.item, b.possible(int64(span.EndTimestamp()))
	item.BeginSpan(p, span, at)
	switch {
	case item.IsIncomplete():
		b.skip(tally.Incomplete, 1)
		return
	case item.IsSynthesized() && name != lifecycle.SpanTask && name != lifecycle.SpanStep:
		b.skip(tally.Synthesized, 1)
		return
	case b.tooOld(at) || !b.firstSpan(key):
		return
	}
	b.out.Tally.Spans++
	p.Run(item, &b.out)
	if detected {
		b.measureDetected(span)
	}
}

// measureDetected measures the detections of span_hierarchy on a measured span.
func (b *batch) measureDetected(span ptrace.Span) {
	for _, found := range span.Events().All() {
		if isDetected(found) {
			p := b.recorder.plans.OfDetected(found.Name())
			b.recorder.item.BeginDetection(p, found, span)
			p.Run(&b.recorder.item, &b.out)
		}
	}
}

func isDetected(found ptrace.SpanEvent) bool {
	return eventrecord.Text(found.Attributes(), lifecycle.AttrDetectedBy) == lifecycle.DetectedBySpanHierarchy
}

func hasDetected(span ptrace.Span) bool {
	for _, found := range span.Events().All() {
		if isDetected(found) {
			return true
		}
	}
	return false
}
