// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/deadlines"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
)

// task is an open task: its events, what has been emitted of it, and when it is checked.
type task struct {
	tree.Task

	releasedEnd, releasedSerial int64 // of its latest release; math.MinInt64 and 0 for none

	asleep string // the encoded emission and checkpoint while the task sleeps; empty otherwise
	doneAt int64  // time of its checkpoint

	looked      int64 // when it was last checked
	lookAt      int64 // when it is checked next for settled spans; 0 for never
	lastArrival int64 // Unix nanoseconds of the collector's clock
	pressed     int32 // events at the limit until repetitions are searched again
	waits       waiting
	ended       bool // an event that can end the task arrived
	active      bool // an event other than the queue's own retries arrived
	unsettled   bool // some emitted span lacks events

	watch    *watch                 // its summary; nil unless the assembler is watched
	limits   *Waits                 // timeouts of tasks of its name
	idle     deadlines.Place[*task] // in the line of open tasks, or of finished ones
	deadline deadlines.Entry[*task] // when it is to be checked
}

// Place implements [deadlines.InLine].
func (t *task) Place() *deadlines.Place[*task] { return &t.idle }

// Deadline implements [deadlines.InWheel].
func (t *task) Deadline() *deadlines.Entry[*task] { return &t.deadline }

// newTask makes a task that has no events yet.
func newTask(s event.Set) *task {
	return &task{Task: tree.Task{Source: history.Source{Events: s}}}
}

// Approximate bytes of an open task, besides its events and what has been emitted of it.
const (
	bytesPerTask     = 360 // including the index of open tasks
	bytesPerReleased = 160
)

// size returns about how many bytes the task takes.
func (t *task) size() int64 {
	n := bytesPerTask + int64(len(t.asleep)) + t.Size()
	if t.Released != nil {
		n += bytesPerReleased
	}
	if t.watch != nil {
		n += bytesPerWatch + int64(len(t.watch.steps))*bytesPerStepWatch
	}
	return n
}

// add adds an event with its time of arrival to the task.
func (a *Assembler) add(t *task, e *event.Event, arrived int64) {
	named := t.Events.Name != ""
	r := t.Events.Add(a.shared, e, arrived)
	if !named && t.Events.Name != "" {
		t.limits = a.waitsOf(t.Events.Name)
	}
	if t.watch != nil {
		t.watch.observe(&r)
	}
	t.active = t.active || t.Released != nil && (r.Kind == event.Enqueued || t.Released.FollowedBy(r.Kind, e.At))
	if _, final := event.EndingOf(e.FinalStatus); r.Kind.EndsTask() || r.Kind == event.PassEnded && final {
		t.ended = true
	}
}
