// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package active

import (
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
)

// SetLog makes the tracker write every change to a log.
func (t *Tracker) SetLog(log *records.Log) { t.log = log }

// heardParts is how often, within the lifetime of an ID, an otherwise unchanged update is written.
const heardParts = 8

func (t *Tracker) saveAfter() int64 { return min(t.options.MaxAge, t.options.Memory) / heardParts }

// writeTask writes a task. If same is set, only the time of its latest event has changed, which is written occasionally.
func (t *Tracker) writeTask(e *task, same bool) {
	if t.log == nil || same && e.heard-e.saved < t.saveAfter() {
		return
	}
	e.saved = e.heard
	t.log.ActiveTask(e.record())
}

func (t *Tracker) writeStep(s *step) {
	if t.log == nil {
		return
	}
	s.saved = s.heard
	t.log.ActiveStep(s.record())
}

func (e *task) record() *records.ActiveTask {
	kept := &records.ActiveTask{Active: e.kept(e.trace), State: uint8(e.state)}
	if e.group != nil {
		kept.Age = e.group.gauge.ID()
	}
	return kept
}

func (s *step) record() *records.ActiveStep {
	return &records.ActiveStep{Active: s.kept(s.id.trace), Step: s.id.step}
}

// Write writes the whole state to another log, each kind in the order of updates, and steps after their tasks.
func (t *Tracker) Write(log *records.Log) {
	for _, l := range [...]list[task, *task]{t.endedTasks, t.openTasks} {
		for e := l.first; e != nil; e = e.inList.next {
			log.ActiveTask(e.record())
			log.Cut()
		}
	}
	for _, l := range [...]list[step, *step]{t.idleSteps, t.heldSteps, t.openSteps} {
		for s := l.first; s != nil; s = s.inList.next {
			log.ActiveStep(s.record())
			log.Cut()
		}
	}
}
