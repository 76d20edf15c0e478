// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
)

// Task is an open task with what has been emitted of it.
type Task struct {
	history.Source

	emission  *emission // of the open run; nil while nothing has been emitted
	Dropped   int32     // events over the limit
	Disturbed bool      // an event older than the emission's frontier arrived
	Leaving   bool      // it is released with the run being emitted
	Cut       bool      // a limit omitted something
}

// DropEmission drops what has been emitted of the open run, with its checkpoint. It has been encoded before.
func (t *Task) DropEmission() { t.emission, t.Checkpoint = nil, nil }

// Frontier returns the time up to which spans have been emitted.
func (t *Task) Frontier() int64 { return t.out().frontier }

// HasSpans reports whether emitted spans are kept.
func (t *Task) HasSpans() bool { return len(t.out().spans) > 0 }

// HasOrphans reports whether spans have been emitted whose parent has not.
func (t *Task) HasOrphans() bool {
	return len(t.out().parents) > 0 || t.out().root != event.SpanID{}
}

// ForgetReleased forgets what has been emitted of the released runs, after which the task stays open.
func (t *Task) ForgetReleased() {
	if t.emission != nil {
		t.emission.spans.Forget(t.Released.End)
		t.Checkpoint, t.emission.forgotten = nil, nil
	}
}

// ShowWhole makes the task as if nothing of the open run had been emitted, except that its spans keep their ids. The emission that it
// had stays as it is.
func (t *Task) ShowWhole() {
	if e := t.emission; e != nil {
		t.emission = &emission{forgotten: e.forgotten, root: e.root, rootNext: e.rootNext, extent: e.extent, frontier: e.frontier}
	}
}

// IsOut reports whether an event is of an attempt that has been emitted: it is late, because nothing already emitted is changed. A
// query or a backoff makes a span of its own.
func (t *Task) IsOut(e *event.Event, now int64) bool {
	if e.At > t.out().frontier || e.StepID.Text == "" {
		return false
	}
	if k := e.Kind(); k == event.Query || k == event.Backoff {
		return false
	}
	step := t.Events.FindStep(e.StepID.Text)
	return step != event.NoStep && t.out().spans.HadAttempt(step, e.At, now)
}

// callerOf returns the traceparent of the run's caller: the earliest of any event up to the beginning of the first pass. Spans of
// the pass are emitted while it runs, so a later one changes nothing.
func (t *Task) callerOf(n *history.Run) string {
	if len(n.Passes) > 0 && t.Events.ParentAt > n.Passes[0].Start {
		return ""
	}
	return t.Events.Parent
}
