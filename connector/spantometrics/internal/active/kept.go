// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package active

import (
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
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
	t.log.ActiveTask(e.kept())
}

func (t *Tracker) writeStep(s *step) {
	if t.log == nil {
		return
	}
	s.saved = s.heard
	t.log.ActiveStep(s.kept())
}

func (e *task) kept() *records.ActiveTask {
	kept := &records.ActiveTask{
		Trace: e.trace, Times: records.ActiveTimes(e.times), Heard: e.heard, State: uint8(e.state), Complete: e.complete, Gauge: e.gauge.ID(),
	}
	if e.group != nil {
		kept.Age = e.group.gauge.ID()
	}
	return kept
}

func (s *step) kept() *records.ActiveStep {
	return &records.ActiveStep{
		Trace: s.id.trace, Step: s.id.step, Times: records.ActiveTimes(s.times), Heard: s.heard, Complete: s.complete, Gauge: s.gauge.ID(),
	}
}

// Write writes the whole state to another log, each kind in the order of updates, and steps after their tasks.
func (t *Tracker) Write(log *records.Log) {
	for _, l := range [...]list[task, *task]{t.endedTasks, t.openTasks} {
		for e := l.first; e != nil; e = e.inList.next {
			log.ActiveTask(e.kept())
			log.Cut()
		}
	}
	for _, l := range [...]list[step, *step]{t.idleSteps, t.heldSteps, t.openSteps} {
		for s := l.first; s != nil; s = s.inList.next {
			log.ActiveStep(s.kept())
			log.Cut()
		}
	}
}

// ReplayTask restores a task with its gauge and that of its age; the zero Gauge if the metric no longer exists. It does not
// enforce MaxIDs, because the log also has the removals.
func (t *Tracker) ReplayTask(kept *records.ActiveTask, gauge, age series.Gauge) {
	e, known := t.tasks[kept.Trace]
	if !known {
		e = &task{trace: kept.Trace}
		t.tasks[kept.Trace] = e
		t.endedTasks.append(e)
	}
	e.times, e.heard, e.saved, e.complete = kept.Times, kept.Heard, kept.Heard, kept.Complete
	if State(kept.State) >= stateCount {
		return
	}
	t.move(e, State(kept.State), gauge, series.Instant{Running: kept.Heard})
	if t.replayedAges == nil {
		t.replayedAges = make(map[[16]byte]series.Gauge)
	}
	t.replayedAges[kept.Trace] = age
}

// ReplayStep restores a step. Its task was restored before.
func (t *Tracker) ReplayStep(kept *records.ActiveStep, gauge series.Gauge) {
	of, known := t.tasks[kept.Trace]
	if !known {
		return
	}
	id := stepID{kept.Trace, kept.Step}
	s, known := t.steps[id]
	if !known {
		s = &step{id: id, task: of}
		t.linkStep(s)
	}
	s.times, s.heard, s.saved, s.complete = kept.Times, kept.Heard, kept.Heard, kept.Complete
	t.moveStep(s, s.times.status(), gauge, series.Instant{Running: kept.Heard})
}

// ReplayForgetTask removes a task.
func (t *Tracker) ReplayForgetTask(trace [16]byte) {
	if e, known := t.tasks[trace]; known {
		t.dropTask(e, series.Instant{Running: e.heard})
	}
}

// ReplayForgetStep removes a step.
func (t *Tracker) ReplayForgetStep(trace [16]byte, id uint64) {
	if s, known := t.steps[stepID{trace, id}]; known {
		t.dropStep(s, series.Instant{Running: s.heard})
	}
}

// Resume ends a replay: it restores the ages of open tasks on their gauges. These can be derived from the tasks' gauges
// only if neither is an overflow series.
func (t *Tracker) Resume(gauges Gauges) {
	for e := t.openTasks.first; e != nil; e = e.inList.next {
		age := t.replayedAges[e.trace]
		if age == (series.Gauge{}) {
			age = gauges.OldestAge(e.gauge)
		}
		t.joinGroup(e, age)
	}
	t.replayedAges = nil
}
