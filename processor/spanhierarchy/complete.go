// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// complete adds to the two levels that Tasker's own subscriber sends over OTLP, a task's span and its steps', the three missing
// ones: a pass between the task and its steps, a batch around each step, and a handler in it. Each span is completed independently,
// with ids that follow from its own and its parent's (docs/identity.md), so that it does not matter in which order, in which
// requests or to which collector a task's spans arrive. It returns how many spans it completed.
func complete(td ptrace.Traces) int64 {
	completed := int64(0)
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			if ofEvents(ss) || ss.Scope().Name() == lifecycle.ScopeSpans {
				continue
			}
			completed += completeScope(ss.Spans())
		}
	}
	return completed
}

func completeScope(spans ptrace.SpanSlice) int64 {
	completed := int64(0)
	for i := range spans.Len() {
		span := spans.At(i)
		switch span.Name() {
		case lifecycle.SpanTask:
			if about(span, lifecycle.AttrTaskID) {
				completed++
				completeTask(span, spans.AppendEmpty())
			}
		case lifecycle.SpanStep:
			if about(span, lifecycle.AttrStepID) && !span.ParentSpanID().IsEmpty() {
				completed++
				batch := spans.AppendEmpty()
				completeStep(span, batch, spans.AppendEmpty())
			}
		}
	}
	return completed
}

// about reports whether a span has the id of its task or step, and is not yet completed.
func about(span ptrace.Span, key string) bool {
	if _, done := span.Attributes().Get(lifecycle.AttrLevelsCompleted); done {
		return false
	}
	_, ok := payload(span.Attributes(), key)
	return ok
}

// payload finds an attribute by its key, or by the key without the prefix, as Tasker's subscriber may write it.
func payload(attrs pcommon.Map, key string) (pcommon.Value, bool) {
	if v, ok := attrs.Get(key); ok {
		return v, true
	}
	return attrs.Get(key[len(lifecycle.AttributePrefix):])
}

// completeTask adds a pass to a task, with the task's times.
func completeTask(task, pass ptrace.Span) {
	synthesize(pass, task, lifecycle.SpanOrchestration, task.SpanID())
	pass.SetParentSpanID(task.SpanID())
	pass.SetKind(ptrace.SpanKindConsumer)
	task.Status().CopyTo(pass.Status())
	task.Attributes().PutBool(lifecycle.AttrLevelsCompleted, true)
}

// completeStep adds a batch around a step, in the pass of the step's parent task, and a handler inside the step.
func completeStep(step, batch, handler ptrace.Span) {
	synthesize(batch, step, lifecycle.SpanBatch, step.SpanID())
	batch.SetParentSpanID(levelID(step.TraceID(), lifecycle.SpanOrchestration, step.ParentSpanID()))
	batch.Attributes().PutInt(lifecycle.AttrBatchSize, 1)

	synthesize(handler, step, lifecycle.SpanHandler, step.SpanID())
	handler.SetParentSpanID(step.SpanID())
	copyPayload(handler, step, lifecycle.AttrStepID, lifecycle.AttrStepName, lifecycle.AttrAttemptNumber)
	step.Status().CopyTo(handler.Status())

	step.SetParentSpanID(batch.SpanID())
	step.Attributes().PutBool(lifecycle.AttrLevelsCompleted, true)
}

// synthesize makes a span with the times and the task of another.
func synthesize(span, like ptrace.Span, level string, of pcommon.SpanID) {
	span.SetTraceID(like.TraceID())
	span.SetSpanID(levelID(like.TraceID(), level, of))
	like.TraceState().CopyTo(span.TraceState())
	span.SetFlags(like.Flags())
	span.SetName(level)
	span.SetKind(ptrace.SpanKindInternal)
	span.SetStartTimestamp(like.StartTimestamp())
	span.SetEndTimestamp(like.EndTimestamp())
	copyPayload(span, like, lifecycle.AttrTaskID, lifecycle.AttrTaskName, lifecycle.AttrCorrelationID)
	span.Attributes().PutBool(lifecycle.AttrSynthesized, true)
}

// levelID returns the id of the level added to a span.
func levelID(trace pcommon.TraceID, level string, of pcommon.SpanID) pcommon.SpanID {
	return lifecycle.SpanID(trace, level, of.String(), 0)
}

func copyPayload(to, from ptrace.Span, keys ...string) {
	for _, key := range keys {
		if v, ok := payload(from.Attributes(), key); ok {
			v.CopyTo(to.Attributes().PutEmpty(key))
		}
	}
}
