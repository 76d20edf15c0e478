// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"slices"
	"time"
)

// Snapshot is the content of a flush. The registry does not modify what it shares with a snapshot.
type Snapshot struct {
	// At is the wall time of the flush.
	At           int64
	Applications []Application
	// Ended are series that receivers should drop before they take the points of Applications.
	Ended []Ended
	// Live is the number of series.
	Live int
	// Overflowed counts the values added to overflow series since the last flush.
	Overflowed Overflowed

	taken Instant
	// expired is how many of Ended, from the beginning, have expired.
	expired int
}

// Overflowed counts the values added to overflow series, by metric: because of the limit per metric and application, or of
// the limit on all series.
type Overflowed struct{ ByMetric, ByTotal []int64 }

func newOverflowed(metrics int) Overflowed {
	return Overflowed{ByMetric: make([]int64, metrics), ByTotal: make([]int64, metrics)}
}

// IsEmpty reports whether there is nothing to report.
func (s *Snapshot) IsEmpty() bool { return len(s.Applications) == 0 && len(s.Ended) == 0 }

// Application is one service's part of a snapshot. The overflow application stands for services beyond the limit.
type Application struct {
	Namespace, Service string
	Overflow           bool
	Metrics            []Metric
}

// Metric is one metric's part of a snapshot. It has at least one point.
type Metric struct {
	Definition *Definition
	Points     []Point
}

// Point is one series' part of a snapshot. Labels belong to the registry and must not be changed; an overflow point has
// none.
type Point struct {
	Labels []Label
	// Overflow is true if the point aggregates series beyond the limit.
	Overflow bool
	// Started is the start of the point's interval.
	Started int64
	Value   Value

	series *series
}

// Collect removes expired series and reports the others: all of them, or in delta mode those with new values, which it
// takes out. The caller must call [Registry.Accept] or [Registry.Restore] before collecting again.
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
	r.order = slices.DeleteFunc(r.order, func(app *application) bool {
		if r.reportAll(app, &snapshot) > 0 {
			return false
		}
		delete(r.applications, app.key)
		return true
	})
	if r.overflow != nil && r.reportAll(r.overflow, &snapshot) == 0 {
		r.overflow = nil
	}
	if !snapshot.IsEmpty() {
		r.open = &snapshot
		r.log.Collect(snapshot.At)
	}
	return snapshot
}

// maxStep is how far the clock may be set back without the time of flushes following it.
const maxStep = int64(time.Hour)

// after returns the time of a flush. If the clock was set back by a little, it is just after the previous flush, because
// receivers drop points older than their latest and intervals must not overlap. If the clock was set back further it is
// followed, and receivers are asked to drop their points.
func (r *Registry) after(now int64) int64 {
	if now <= r.accepted && r.accepted-now < maxStep {
		return r.accepted + 1
	}
	return now
}

// all returns the applications, the overflow application last. The list is valid until an application is added.
func (r *Registry) all() []*application {
	if r.overflow == nil {
		return r.order
	}
	return append(slices.Clip(r.order), r.overflow)
}

// each iterates over every series in the order of flushes.
func (r *Registry) each(yield func(s *series) bool) {
	for _, app := range r.all() {
		for metric := range app.families {
			for s := range app.families[metric].each {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// reportAll adds an application to the snapshot and returns the number of its series.
func (r *Registry) reportAll(app *application, snapshot *Snapshot) int {
	reported := Application{Namespace: app.namespace, Service: app.service, Overflow: app.overflow}
	alive := 0
	for i := range app.families {
		family, definition := &app.families[i], &r.definitions[i]
		metric := Metric{Definition: definition, Points: make([]Point, 0, len(family.order)+1)}
		for s := range family.each {
			alive++
			metric.Points = r.report(metric.Points, definition, s, snapshot.At)
		}
		if snapshot.At < r.accepted && r.keepsLast(definition) {
			for j := range metric.Points {
				snapshot.Ended = append(snapshot.Ended, r.endedOf(metric.Points[j].series))
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

// report appends a series' point. A series may have begun after the flush, if the clock was set back or a value arrived
// while the flush waited for the lock; its start is then set to the flush's time permanently, because receivers would take
// another start as a reset.
func (r *Registry) report(points []Point, definition *Definition, s *series, at int64) []Point {
	if s.started > at {
		s.started = at
		r.log.Started(s.id, at)
	}
	point := Point{Labels: s.labels, Overflow: s.isOverflow(), Started: s.started, series: s}
	s.pending = false
	switch {
	case definition.Kind.isLevel():
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

// Unanswered returns the flush whose outcome the previous process did not learn; nil if there is none. It must be sent
// again unchanged, and accepted or restored, before Collect is called.
func (r *Registry) Unanswered() *Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.open
}

// Accept ends a delivered flush.
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
		r.log.Accepted(r.accepted) // nothing was to be delivered, but the next deltas begin here
	}
}

// Restore ends a rejected flush: deltas return to their series and are merged with newer values. Overflow counts are not
// restored because the caller has already reported them.
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
				if r.options.Delta && !metric.Definition.Kind.isLevel() {
					s.merge(metric.Definition, &point.Value, r.options.Exemplars)
				}
			}
		}
	}
}
