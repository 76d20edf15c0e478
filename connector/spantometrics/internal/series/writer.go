// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"slices"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
)

// Writer records values of one batch. It holds the registry's mutex from [Registry.Begin] to [Writer.End] and must not be
// used afterwards.
type Writer struct {
	registry *Registry
	app      *application
	now      Instant
	// observed is the histogram of the latest value.
	observed *series
}

// Begin locks the registry. Series that get a value are touched at now.
func (r *Registry) Begin(now Instant) Writer {
	r.mu.Lock()
	r.log.Begin(now)
	return Writer{registry: r, now: now}
}

// End passes the batch's changes to the log, if there is one, and unlocks the registry.
func (w *Writer) End() {
	w.registry.labels.forget()
	w.registry.log.End()
	w.registry.mu.Unlock()
}

// Application selects the service of the following values. It must be called before the first value.
func (w *Writer) Application(namespace, service string) {
	w.app = w.registry.application(namespace, service)
}

// Labels returns the empty labels to be filled. They apply to all values until the next call.
func (w *Writer) Labels() *Labels { return w.registry.labels.Reset() }

// Add adds to a sum.
func (w *Writer) Add(metric int, by uint64) {
	s := w.registry.lookup(w.app, metric, w.now)
	s.add(by)
	w.registry.log.Count(s.id, by)
}

// Set sets the latest value of a metric, unless it has a newer one.
func (w *Writer) Set(metric int, value, at int64) {
	s := w.registry.lookup(w.app, metric, w.now)
	if s.set(value, at) {
		w.registry.log.Set(s.id, value, at)
	}
}

// Observe adds a value, which must not be negative, to a histogram. It reports whether an exemplar of the value would be kept, which
// Exemplify adds: of most values none is, so that it need not be made.
func (w *Writer) Observe(metric int, value int64) (wantsExemplar bool) {
	s := w.registry.lookup(w.app, metric, w.now)
	s.observe(&w.registry.definitions[metric], value)
	w.registry.log.Observe(s.id, value)
	w.observed = s
	return w.registry.wantsExemplar(s, value, w.now)
}

// Exemplify adds the exemplar of the value that was observed last. One without a trace is discarded.
func (w *Writer) Exemplify(exemplar *Exemplar) {
	if exemplar.Trace != ([16]byte{}) && w.registry.keepExemplar(w.observed, exemplar, w.now) {
		w.registry.log.Exemplar(w.observed.id, exemplar)
	}
}

// Gauge returns the gauge with the current labels. It is valid while its level is not zero.
func (w *Writer) Gauge(metric int) Gauge {
	return Gauge{series: w.registry.lookup(w.app, metric, w.now)}
}

// GaugeLike returns the gauge of a metric with the labels of another gauge, as far as the metric has them, except that
// label has another value. For an overflow series it returns the overflow series.
func (w *Writer) GaugeLike(other Gauge, metric int, label, value string) Gauge {
	if other.series == nil {
		return Gauge{}
	}
	s := other.series.current()
	names := w.registry.definitions[metric].Labels
	if s.isOverflow() {
		if metric == s.metric {
			return other
		}
		return Gauge{series: w.registry.overflowOf(s.app, metric, w.now)}
	}
	if metric == s.metric && !slices.Contains(names, label) {
		return other
	}
	labels := w.Labels()
	for _, name := range names {
		text := value
		if name != label {
			text = s.label(name)
		}
		labels.Add(name, text)
	}
	return Gauge{series: w.registry.lookup(s.app, metric, w.now)}
}

// Gauge is a level that increases and decreases. It may be changed only with the registry's mutex held. The zero Gauge
// ignores changes.
type Gauge struct{ series *series }

// ID returns the ID of the series in the log; 0 for the zero Gauge.
func (g Gauge) ID() uint64 {
	if g.series == nil {
		return 0
	}
	return g.series.current().id
}

// Move adds to the level at a time.
func (g Gauge) Move(by int64, now Instant) {
	if g.series == nil {
		return
	}
	s := g.series.current()
	s.Level += by
	s.touch(now)
}

// Set sets the level at a time.
func (g Gauge) Set(level int64, now Instant) {
	if g.series == nil {
		return
	}
	s := g.series.current()
	s.Level = level
	s.touch(now)
}

// Write writes the whole state to another log. The caller holds the mutex, through a [Writer].
func (w *Writer) Write(log *records.Log) {
	r := w.registry
	log.Accepted(r.accepted)
	for s := range r.each {
		r.writeSeries(log, s)
		log.Cut()
	}
	if r.options.Delta && r.open != nil {
		r.writeOpen(log)
	}
	for s := range r.each {
		kept := s.kept(r.definitions[s.metric].Kind)
		kept.Touched, kept.Pending = s.touched, s.pending
		log.Value(s.id, &kept)
		log.Cut()
	}
}

// writeOpen writes the flush with an unknown outcome: its values, and that they were taken.
func (r *Registry) writeOpen(log *records.Log) {
	for _, app := range r.open.Applications {
		for _, metric := range app.Metrics {
			if metric.Definition.Kind.isLevel() {
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
