package series

import "time"

// Snapshot is what one flush reports. It shares nothing with the registry that the registry will change.
type Snapshot struct {
	// At is the time of the flush.
	At           int64
	Applications []Application
	// Live is the number of series kept.
	Live int
	// Overflowed counts, by metric, the values that went to an overflow series since the last flush.
	Overflowed []int64
}

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
	// Overflow tells that the point adds up what was beyond the limit.
	Overflow bool
	// Started is where the point's interval begins.
	Started int64
	Value   Value

	series *series
}

// Collect removes expired series and reports the others: all of them, or in delta mode those that have something new,
// which it takes out. The caller must end with [Registry.Accept] or [Registry.Restore] before it collects again.
func (r *Registry) Collect(now int64) Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log.Begin(now)
	defer r.log.End()

	snapshot := Snapshot{At: r.after(now), Overflowed: r.overflowed}
	r.overflowed = make([]int64, len(r.definitions))
	live := r.order[:0]
	for _, app := range r.order {
		alive := r.collect(app, now, &snapshot)
		if alive == 0 {
			delete(r.applications, app.key)
			continue
		}
		live = append(live, app)
	}
	clear(r.order[len(live):])
	r.order = live
	if r.overflow != nil && r.collect(r.overflow, now, &snapshot) == 0 {
		r.overflow = nil
	}
	if len(snapshot.Applications) > 0 {
		r.open = &snapshot
		r.log.Collect(snapshot.At)
	}
	return snapshot
}

// maxStep is how far the clock may be set back without flushes going back too.
const maxStep = int64(time.Hour)

// after is the time of a flush. While the clock is a little behind the flush before, having been set back, it is right
// after that one: receivers drop what is older than what they have, and intervals must not overlap.
func (r *Registry) after(now int64) int64 {
	if now <= r.accepted && r.accepted-now < maxStep {
		return r.accepted + 1
	}
	return now
}

// collect adds what is not expired of one application to the snapshot, and returns how many series it still has.
func (r *Registry) collect(app *application, now int64, snapshot *Snapshot) int {
	for i := range app.families {
		r.expire(&app.families[i], &r.definitions[i], now)
	}
	alive := r.reportAll(app, snapshot)
	snapshot.Live += alive
	return alive
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
		if len(metric.Points) > 0 {
			reported.Metrics = append(reported.Metrics, metric)
		}
	}
	if len(reported.Metrics) > 0 {
		snapshot.Applications = append(snapshot.Applications, reported)
	}
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

// expire removes the series that had no value for the expiration time. A value that no flush has delivered yet keeps its
// series, and so does a gauge that is not zero.
func (r *Registry) expire(family *family, definition *Definition, now int64) {
	if r.options.Expiration == 0 {
		return
	}
	expired := func(s *series) bool {
		return now-s.touched >= r.options.Expiration && !s.pending &&
			(definition.Kind != KindGauge || s.Level == 0)
	}
	live := family.order[:0]
	for _, s := range family.order {
		if expired(s) {
			delete(family.byKey, s.key)
			continue
		}
		live = append(live, s)
	}
	clear(family.order[len(live):])
	family.order = live
	if family.overflow != nil && expired(family.overflow) {
		family.overflow = nil
	}
}

// Accept ends a flush that was delivered.
func (r *Registry) Accept(snapshot *Snapshot) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log.Begin(snapshot.At)
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
	r.log.Begin(snapshot.At)
	defer r.log.End()
	r.restore(snapshot)
}

func (r *Registry) restore(snapshot *Snapshot) {
	if r.open != nil {
		r.open = nil
		r.log.Restore()
	}
	for _, app := range snapshot.Applications {
		for _, metric := range app.Metrics {
			for i := range metric.Points {
				point := &metric.Points[i]
				point.series.pending = true
				if r.options.Delta && metric.Definition.Kind != KindGauge && metric.Definition.Kind != KindLast {
					point.series.merge(metric.Definition, &point.Value, r.options.Exemplars)
				}
			}
		}
	}
}
