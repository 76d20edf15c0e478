// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
)

// Replay restores logged changes into a new registry. It must not be used concurrently with other methods.
type Replay struct {
	registry *Registry
	metrics  map[string]int
	// byID contains nil for series that the configuration no longer has.
	byID    map[uint64]*series
	now     Instant
	running int64
	// discards is true if stored sums and histograms have another temporality.
	discards bool
	lost     map[string]struct{}
	// unanswered is true if a flush of cumulative series was neither accepted nor rejected.
	unanswered bool
}

// Replay begins a replay.
func (r *Registry) Replay() *Replay {
	p := &Replay{
		registry: r, metrics: make(map[string]int),
		byID: make(map[uint64]*series), lost: make(map[string]struct{}),
	}
	for i := range r.definitions {
		p.metrics[r.definitions[i].Name] = i
	}
	return p
}

// Lost returns the metrics whose values could not be restored because their definition or the temporality has changed.
func (p *Replay) Lost() []string {
	names := make([]string, 0, len(p.lost))
	for name := range p.lost {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Time sets the time of the following changes.
func (p *Replay) Time(now Instant) {
	p.now = now
	p.running = max(p.running, now.Running)
}

// Running returns the running time of the last change.
func (p *Replay) Running() int64 { return p.running }

// Temporality sets the temporality of the following values.
func (p *Replay) Temporality(delta bool) { p.discards = delta != p.registry.options.Delta }

// Accepted sets the time of the latest delivered flush.
func (p *Replay) Accepted(at int64) {
	if !p.discards {
		p.registry.accepted = at
	}
}

// Series adds a series, whose labels may differ from the metric's current ones. It replaces an expired one with the same
// labels.
func (p *Replay) Series(made records.Series) {
	r := p.registry
	r.lastID = max(r.lastID, made.ID)
	metric, known := p.metrics[made.Metric]
	if !known || r.shapes[metric] != made.Shape || p.discards && !r.definitions[metric].Kind.isLevel() {
		p.lost[made.Metric] = struct{}{}
		p.byID[made.ID] = nil
		return
	}
	app := p.application(&made)
	s := &series{id: made.ID, app: app, metric: metric, started: made.Started}
	s.adopt(labelsOf(made.Key, made.Names), r.definitions[metric].Labels)
	s.touch(p.now)
	p.byID[made.ID] = s
	family := &app.families[metric]
	if made.Overflow {
		p.overflow(app, metric, s)
		return
	}
	s.bytes = r.size(app, metric, s.labels)
	r.room.Add(&app.held, s.bytes)
	if family.byKey == nil {
		family.byKey = make(map[string]*series)
	}
	if before, found := family.byKey[s.key]; found {
		family.order = slices.DeleteFunc(family.order, func(other *series) bool { return other == before })
		r.room.Remove(&app.held, before.bytes)
	}
	family.byKey[s.key] = s
	family.order = append(family.order, s)
}

// overflow adds an overflow series.
func (p *Replay) overflow(app *application, metric int, s *series) {
	r := p.registry
	family := &app.families[metric]
	if family.overflow != nil { // it had expired
		r.removeOverflow(app, family)
	}
	if !app.overflow {
		s.bytes = r.size(app, metric, nil)
		r.room.Add(&app.heldByOverflow, s.bytes)
	}
	family.overflow = s
}

// application finds or adds an application regardless of the limit.
func (p *Replay) application(made *records.Series) *application {
	if made.OverflowApplication {
		return p.registry.overflowApplication()
	}
	p.registry.applicationKey(made.Namespace, made.Service)
	if known, found := p.registry.applications[string(p.registry.key)]; found {
		return known
	}
	return p.registry.newApplication(made.Namespace, made.Service)
}

// labelsOf extracts the labels from a key, which has an empty value for each absent label.
func labelsOf(key string, names []string) []Label {
	labels := make([]Label, 0, len(names))
	rest := []byte(key)
	for len(rest) > 0 && len(labels) < len(names) {
		size, n := binary.Uvarint(rest)
		if n <= 0 || size > uint64(len(rest)-n) {
			break
		}
		if size > 0 {
			labels = append(labels, Label{Name: names[len(labels)], Value: strings.Clone(string(rest[n : n+int(size)]))})
		}
		rest = rest[n+int(size):]
	}
	return labels
}

// Started sets the start of a series that began after the flush that first reported it.
func (p *Replay) Started(id uint64, at int64) {
	if s := p.byID[id]; s != nil {
		s.started = at
	}
}

// touched finds a series with a new value.
func (p *Replay) touched(id uint64) (*series, bool) {
	found := p.byID[id]
	if found == nil {
		return nil, false
	}
	found.touch(p.now)
	return found, true
}

// Count adds to a sum.
func (p *Replay) Count(id, by uint64) {
	if s, ok := p.touched(id); ok {
		s.add(by)
	}
}

// Set sets the newest value.
func (p *Replay) Set(id uint64, value, at int64) {
	if s, ok := p.touched(id); ok {
		s.set(value, at)
	}
}

// Observe adds a value to a histogram.
func (p *Replay) Observe(id uint64, value int64) {
	if s, ok := p.touched(id); ok && value >= 0 {
		s.observe(&p.registry.definitions[s.metric], value)
	}
}

// Exemplar adds an exemplar.
func (p *Replay) Exemplar(id uint64, exemplar Exemplar) {
	if s, ok := p.touched(id); ok {
		p.registry.keepExemplar(s, &exemplar, p.now)
	}
}

// Value sets or, if there is one, adds to the accumulated value of a series: in a flush before a cut, several points may
// belong to one overflow series.
func (p *Replay) Value(id uint64, kept records.Value) {
	s := p.byID[id]
	if s == nil {
		return
	}
	definition := &p.registry.definitions[s.metric]
	s.touched, s.pending = kept.Touched, kept.Pending
	exemplars := p.registry.options.Exemplars
	value := Value{
		Count: kept.Count, Total: Total{kept.High, kept.Low}, Level: s.Level, Min: kept.Min, Max: kept.Max,
		Exemplars: stored(kept.Exemplars, exemplars, p.now.Running), reported: kept.Reported,
	}
	if definition.Kind == KindLast {
		value.Level = kept.Level
	}
	if len(kept.Buckets) == len(definition.Bounds)+1 && definition.Kind == KindHistogram {
		value.Buckets = kept.Buckets
	}
	if kept.Exponential != nil && definition.Exponential > 0 {
		value.Exponential = restoreExponential(definition, kept.Exponential)
	}
	if s.isZero() || definition.Kind.isLevel() {
		s.Value = value
		return
	}
	s.merge(definition, &value, exemplars)
}

// Collect takes the values of a flush. Nothing expires, because an expired series is added again when it recurs.
func (p *Replay) Collect(at int64) {
	r := p.registry
	if !r.options.Delta {
		p.collected(true)
		return
	}
	snapshot := Snapshot{At: at, Overflowed: newOverflowed(len(r.definitions)), taken: p.now}
	for _, app := range r.all() {
		r.reportAll(app, &snapshot)
	}
	r.open = &snapshot
}

// collected records that a flush of cumulative series is pending, or was rejected and not seen by receivers.
func (p *Replay) collected(is bool) {
	p.unanswered = is
	for s := range p.registry.each {
		s.pending = !is
	}
}

// Accept ends the flush as delivered.
func (p *Replay) Accept() {
	p.unanswered = false
	if p.registry.open != nil {
		p.registry.accept(p.registry.open)
	}
}

// Restore ends the flush as rejected.
func (p *Replay) Restore() {
	if p.unanswered {
		p.collected(false)
	}
	if p.registry.open != nil {
		p.registry.restore(p.registry.open)
	}
}

// End ends the replay. A flush of cumulative series with an unknown outcome is taken as rejected, because the next one
// includes its values. It returns the number of series that were cut because they exceed the limit.
func (p *Replay) End() (cut int) {
	if p.unanswered {
		p.collected(false)
	}
	return p.registry.cut()
}

// Gauge returns the gauge of a series; the zero Gauge if there is none.
func (p *Replay) Gauge(id uint64) Gauge {
	s := p.byID[id]
	if s == nil || !p.registry.definitions[s.metric].Kind.isLevel() {
		return Gauge{}
	}
	return Gauge{s}
}
