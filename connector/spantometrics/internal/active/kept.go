// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package active

import (
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

// SetLog makes the tracker write every change into a log.
func (t *Tracker) SetLog(log *records.Log) { t.log = log }

// heardParts is how often, in the time for which an id is remembered, it is written down that it was heard of.
const heardParts = 8

func (t *Tracker) saveAfter() int64 { return min(t.options.MaxAge, t.options.Memory) / heardParts }

// writeTask writes a task down. That it was heard of again, and no more, is written down now and then only.
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

// Write writes everything into another log, each kind in the order in which it was heard of, and steps after their tasks.
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

// ReplayTask makes what was written down of a task so, with the gauge on which it counted and that of its age; the zero gauge
// if the metric is not there any more. The limit on ids does not hold here, because what it displaced was written down too.
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

// ReplayStep makes what was written down of a step so. Its task was written down before it.
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

// ReplayForgetTask drops a task.
func (t *Tracker) ReplayForgetTask(trace [16]byte) {
	if e, known := t.tasks[trace]; known {
		t.dropTask(e, series.Instant{Running: e.heard})
	}
}

// ReplayForgetStep drops a step.
func (t *Tracker) ReplayForgetStep(trace [16]byte, id uint64) {
	if s, known := t.steps[stepID{trace, id}]; known {
		t.dropStep(s, series.Instant{Running: s.heard})
	}
}

// Resume ends a replay: the ages of open tasks count again, on the gauges on which they did. Those follow from the tasks' own
// gauges only as long as neither is an overflow series.
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
