// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package active

import (
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

// Restorer applies stored changes to a tracker, in their order. It does not enforce MaxIDs, because the log also has the
// removals.
type Restorer struct {
	tracker *Tracker
	// gauge returns a restored gauge by its ID; the zero Gauge if the metric no longer exists.
	gauge func(id uint64) series.Gauge
	// ages are the age gauges of the tasks.
	ages map[[16]byte]series.Gauge
}

// Restore begins to restore the sets, which must be empty.
func (t *Tracker) Restore(gauge func(id uint64) series.Gauge) *Restorer {
	return &Restorer{tracker: t, gauge: gauge, ages: make(map[[16]byte]series.Gauge)}
}

// ActiveTask restores a task.
func (r *Restorer) ActiveTask(kept records.ActiveTask) {
	e, known := r.tracker.tasks[kept.Trace]
	if !known {
		e = r.tracker.newTask(kept.Trace)
	}
	e.restore(&kept.Active)
	if State(kept.State) >= stateCount {
		return
	}
	r.tracker.move(e, State(kept.State), r.gauge(kept.Gauge), series.Instant{Running: kept.Heard})
	r.ages[kept.Trace] = r.gauge(kept.Age)
}

// ActiveStep restores a step. Its task was restored before.
func (r *Restorer) ActiveStep(kept records.ActiveStep) {
	of, known := r.tracker.tasks[kept.Trace]
	if !known {
		return
	}
	id := stepID{kept.Trace, kept.Step}
	s, known := r.tracker.steps[id]
	if !known {
		s = r.tracker.newStep(of, id)
	}
	s.restore(&kept.Active)
	r.tracker.moveStep(s, s.times.status(), r.gauge(kept.Gauge), series.Instant{Running: kept.Heard})
}

// ForgetTask removes a task.
func (r *Restorer) ForgetTask(trace [16]byte) {
	if e, known := r.tracker.tasks[trace]; known {
		r.tracker.dropTask(e, series.Instant{Running: e.heard})
	}
}

// ForgetStep removes a step.
func (r *Restorer) ForgetStep(trace [16]byte, step uint64) {
	if s, known := r.tracker.steps[stepID{trace, step}]; known {
		r.tracker.dropStep(s, series.Instant{Running: s.heard})
	}
}

// Resume restores the ages of open tasks on their gauges, after all changes. These can be derived from the tasks' gauges only
// if neither is an overflow series.
func (r *Restorer) Resume(gauges Gauges) {
	for e := r.tracker.openTasks.first; e != nil; e = e.inList.next {
		age := r.ages[e.trace]
		if age == (series.Gauge{}) {
			age = gauges.OldestAge(e.gauge)
		}
		r.tracker.joinGroup(e, age)
	}
}
