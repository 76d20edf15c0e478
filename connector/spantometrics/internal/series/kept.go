// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
)

// SetLog makes the registry write every change to a log. Entries are passed on with the registry's mutex held.
func (r *Registry) SetLog(log *records.Log) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = log
}

// Written returns the number of bytes written to the log.
func (r *Registry) Written() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Written()
}

// logSeries writes a new series.
func (r *Registry) logSeries(app *application, metric int, s *series) {
	if r.log == nil {
		return
	}
	r.writeSeries(r.log, app, metric, s, s == app.families[metric].overflow)
}

func (r *Registry) writeSeries(log *records.Log, app *application, metric int, s *series, overflow bool) {
	definition := &r.definitions[metric]
	made := records.Series{
		ID: s.id, Started: s.started,
		Namespace: app.namespace, Service: app.service, OverflowApplication: app.overflow,
		Metric: definition.Name, Shape: r.shapes[metric],
		Key: s.storedKey(), Overflow: overflow,
	}
	for _, label := range s.labels {
		made.Names = append(made.Names, label.Name)
	}
	log.Series(&made)
}

// Write writes the whole state to another log. The caller holds the mutex, through a [Writer].
func (w *Writer) Write(log *records.Log) {
	r := w.registry
	log.Accepted(r.accepted)
	r.each(func(app *application, metric int, s *series, overflow bool) {
		r.writeSeries(log, app, metric, s, overflow)
		log.Cut()
	})
	if r.options.Delta && r.open != nil {
		r.writeOpen(log)
	}
	r.each(func(_ *application, metric int, s *series, _ bool) {
		kept := s.kept(r.definitions[metric].Kind)
		kept.Touched, kept.Pending = s.touched, s.pending
		log.Value(s.id, &kept)
		log.Cut()
	})
}

// writeOpen writes the flush with an unknown outcome: its values, and that they were taken.
func (r *Registry) writeOpen(log *records.Log) {
	for _, app := range r.open.Applications {
		for _, metric := range app.Metrics {
			if metric.Definition.Kind == KindGauge || metric.Definition.Kind == KindLast {
				continue
			}
			for i := range metric.Points {
				kept := metric.Points[i].Value.kept(metric.Definition.Kind)
				log.Value(metric.Points[i].series.current().id, &kept)
				log.Cut()
			}
		}
	}
	log.Collect(r.open.At)
}

// each visits every series in the order of flushes.
func (r *Registry) each(visit func(app *application, metric int, s *series, overflow bool)) {
	for _, app := range r.all() {
		for metric := range app.families {
			family := &app.families[metric]
			for _, s := range family.order {
				visit(app, metric, s, false)
			}
			if family.overflow != nil {
				visit(app, metric, family.overflow, true)
			}
		}
	}
}

// kept returns the stored form of a value. A gauge's level is not stored because the counted IDs are.
func (v *Value) kept(kind Kind) records.Value {
	kept := records.Value{
		Count: v.Count, High: v.Total.high, Low: v.Total.low, Min: v.Min, Max: v.Max,
		Buckets: v.Buckets, Exemplars: v.Exemplars, Reported: v.reported,
	}
	if kind == KindLast {
		kept.Level = v.Level
	}
	if v.Exponential != nil {
		buckets := v.Exponential.Positive()
		kept.Exponential = &records.Exponential{
			Scale: v.Exponential.Scale(), Offset: buckets.Offset(), ZeroCount: v.Exponential.ZeroCount(),
			Counts: make([]uint64, buckets.Len()),
		}
		for i := range kept.Exponential.Counts {
			kept.Exponential.Counts[i] = buckets.At(uint32(i))
		}
	}
	return kept
}

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
	if !known || r.shapes[metric] != made.Shape || p.discards && r.definitions[metric].Kind < KindGauge {
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
	if s.isZero() || definition.Kind >= KindGauge {
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
	p.registry.each(func(_ *application, _ int, s *series, _ bool) { s.pending = !is })
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
	if s == nil || p.registry.definitions[s.metric].Kind < KindGauge {
		return Gauge{}
	}
	return Gauge{s}
}

// Unanswered returns the flush whose outcome the previous process did not learn; nil if there is none. It must be sent
// again unchanged, and accepted or restored, before Collect is called.
func (r *Registry) Unanswered() *Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.open
}
