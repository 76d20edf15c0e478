// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"slices"
	"time"
)

// Snapshot is what one flush reports. It shares nothing with the registry that the registry will change.
type Snapshot struct {
	// At is the time of the flush, by the wall clock.
	At           int64
	Applications []Application
	// Ended are series whose points receivers are to drop, before they take those of Applications.
	Ended []Ended
	// Live is the number of series kept.
	Live int
	// Overflowed counts the values that went to an overflow series since the last flush.
	Overflowed Overflowed

	taken Instant
	// expired is how many of Ended, the first ones, are series that have expired.
	expired int
}

// IsEmpty is true if there is nothing to report.
func (s *Snapshot) IsEmpty() bool { return len(s.Applications) == 0 && len(s.Ended) == 0 }

// Application is one service's part of a snapshot. Overflow stands for the services beyond the limit.
type Application struct {
	Namespace, Service string
	Overflow           bool
	Metrics            []Metric
}

// Metric is one metric's part of a snapshot: at least one point.
type Metric struct {
	Definition *Definition
	Points     []Point
}

// Point is one series' part of a snapshot. Labels belong to the registry and must not be changed; an overflow point has
// none.
type Point struct {
	Labels []Label
	// Overflow is true if the point adds up what was beyond the limit.
	Overflow bool
	// Started is where the point's interval begins.
	Started int64
	Value   Value

	series *series
}

// Collect removes expired series and reports the others: all of them, or in delta mode those that have something new,
// which it takes out. The caller must end with [Registry.Accept] or [Registry.Restore] before it collects again.
func (r *Registry) Collect(now Instant) Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log.Begin(now)
	defer r.log.End()

	snapshot := Snapshot{At: r.after(now.Wall), Overflowed: r.overflowed, taken: now}
	r.overflowed = newOverflowed(len(r.definitions))
	for _, app := range r.all() {
		r.expireAll(app, now)
	}
	snapshot.Ended, snapshot.expired, r.ended = r.ended, len(r.ended), nil
	live := r.order[:0]
	for _, app := range r.order {
		if r.reportAll(app, &snapshot) == 0 {
			delete(r.applications, app.key)
			continue
		}
		live = append(live, app)
	}
	clear(r.order[len(live):])
	r.order = live
	if r.overflow != nil && r.reportAll(r.overflow, &snapshot) == 0 {
		r.overflow = nil
	}
	if !snapshot.IsEmpty() {
		r.open = &snapshot
		r.log.Collect(snapshot.At)
	}
	return snapshot
}

// maxStep is how far the clock may be set back without flushes going back too.
const maxStep = int64(time.Hour)

// after returns the time of a flush. While the clock is a little behind the flush before, having been set back, it is right
// after that one: receivers drop what is older than what they have, and intervals must not overlap. A clock that was set
// back further is followed, and receivers are asked to drop what they have.
func (r *Registry) after(now int64) int64 {
	if now <= r.accepted && r.accepted-now < maxStep {
		return r.accepted + 1
	}
	return now
}

// all lists the applications, the overflow application last. The list is valid until there is another application.
func (r *Registry) all() []*application {
	if r.overflow == nil {
		return r.order
	}
	return append(slices.Clip(r.order), r.overflow)
}

// reportAll adds one application to the snapshot and returns how many series it has.
func (r *Registry) reportAll(app *application, snapshot *Snapshot) int {
	reported := Application{Namespace: app.namespace, Service: app.service, Overflow: app.overflow}
	alive := 0
	for i := range app.families {
		family, definition := &app.families[i], &r.definitions[i]
		alive += len(family.order)
		metric := Metric{Definition: definition, Points: make([]Point, 0, len(family.order)+1)}
		for _, s := range family.order {
			metric.Points = r.report(metric.Points, definition, s, false, snapshot.At)
		}
		if family.overflow != nil {
			alive++
			metric.Points = r.report(metric.Points, definition, family.overflow, true, snapshot.At)
		}
		if snapshot.At < r.accepted && r.keepsLast(definition) {
			for j := range metric.Points {
				snapshot.Ended = append(snapshot.Ended, app.ended(definition, metric.Points[j].Labels, metric.Points[j].Overflow))
			}
		}
		if len(metric.Points) > 0 {
			reported.Metrics = append(reported.Metrics, metric)
		}
	}
	if len(reported.Metrics) > 0 {
		snapshot.Applications = append(snapshot.Applications, reported)
	}
	snapshot.Live += alive
	return alive
}

// report appends a series' point. A series that began after the flush, by a clock that was set back or by a value that came
// while the flush waited for the lock, begins with it. That is its start from then on, also after a restart: another one would
// be a reset to whoever receives the points.
func (r *Registry) report(points []Point, definition *Definition, s *series, overflow bool, at int64) []Point {
	if s.started > at {
		s.started = at
		r.log.Started(s.id, at)
	}
	point := Point{Labels: s.labels, Overflow: overflow, Started: s.started, series: s}
	s.pending = false
	switch {
	case definition.Kind == KindGauge || definition.Kind == KindLast:
		point.Value.Level = s.Level
	case !r.options.Delta:
		point.Value = s.clone(definition)
	case s.isZero():
		return points
	default:
		point.Started = min(r.accepted, at)
		point.Value, s.Value = s.Value, Value{}
	}
	return append(points, point)
}

// Accept ends a flush that was delivered.
func (r *Registry) Accept(snapshot *Snapshot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log.Begin(snapshot.taken)
	defer r.log.End()
	r.accept(snapshot)
}

func (r *Registry) accept(snapshot *Snapshot) {
	r.accepted = snapshot.At
	switch {
	case r.open != nil:
		r.open = nil
		r.log.Accept()
	case r.options.Delta:
		r.log.Accepted(r.accepted) // there was nothing to deliver, and the next deltas begin here all the same
	}
}

// Restore ends a flush that was refused: deltas go back to their series, where they join what has come since. Counts that
// overflowed are not put back, because the caller has reported them elsewhere.
func (r *Registry) Restore(snapshot *Snapshot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log.Begin(snapshot.taken)
	defer r.log.End()
	r.restore(snapshot)
}

func (r *Registry) restore(snapshot *Snapshot) {
	if r.open != nil {
		r.open = nil
		r.log.Restore()
	}
	r.ended = append(slices.Clip(snapshot.Ended[:snapshot.expired]), r.ended...)
	for _, app := range snapshot.Applications {
		for _, metric := range app.Metrics {
			for i := range metric.Points {
				point := &metric.Points[i]
				s := point.series.current()
				s.pending = true
				if r.options.Delta && metric.Definition.Kind != KindGauge && metric.Definition.Kind != KindLast {
					s.merge(metric.Definition, &point.Value, r.options.Exemplars)
				}
			}
		}
	}
}
