// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import "slices"

// Writer records values of one batch. It holds the registry's lock from [Registry.Begin] to [Writer.End] and must not be
// used after.
type Writer struct {
	registry *Registry
	app      *application
	now      Instant
}

// Begin takes the registry's lock. Series that get a value are touched at now.
func (r *Registry) Begin(now Instant) Writer {
	r.mu.Lock()
	r.log.Begin(now)
	return Writer{registry: r, now: now}
}

// End hands the batch's changes to the log, if there is one, and releases the lock.
func (w *Writer) End() {
	w.registry.labels.forget()
	w.registry.log.End()
	w.registry.mu.Unlock()
}

// Application chooses the service whose values follow. It must be called before the first value.
func (w *Writer) Application(namespace, service string) {
	w.app = w.registry.application(namespace, service)
}

// Labels empties the labels and returns them to be filled. They hold for all values until the next call.
func (w *Writer) Labels() *Labels { return w.registry.labels.Reset() }

// Add adds to a sum.
func (w *Writer) Add(metric int, by uint64) {
	s := w.registry.lookup(w.app, metric, w.now)
	s.add(by)
	w.registry.log.Count(s.id, by)
}

// Set sets a metric that is the newest of its values to one that was true at a time, unless it has a newer one.
func (w *Writer) Set(metric int, value, at int64) {
	s := w.registry.lookup(w.app, metric, w.now)
	if s.set(value, at) {
		w.registry.log.Set(s.id, value, at)
	}
}

// Observe adds a value, which must not be negative, to a histogram. An exemplar without a trace is not kept.
func (w *Writer) Observe(metric int, exemplar Exemplar) {
	s := w.registry.lookup(w.app, metric, w.now)
	s.observe(&w.registry.definitions[metric], exemplar.Value)
	w.registry.log.Observe(s.id, exemplar.Value)
	if exemplar.Trace != ([16]byte{}) && w.registry.keepExemplar(s, &exemplar, w.now) {
		w.registry.log.Exemplar(s.id, &exemplar)
	}
}

// Gauge returns a handle on the series of a gauge. It stays valid while its level is not zero.
func (w *Writer) Gauge(metric int) Gauge {
	return Gauge{series: w.registry.lookup(w.app, metric, w.now)}
}

// GaugeLike returns the gauge of a metric that has the labels of another gauge, those of them that the metric has, but for one
// label, which has another value. Of an overflow series it is the overflow series.
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

// isOverflow reports whether the series takes what a limit keeps out.
func (s *series) isOverflow() bool { return s.app.families[s.metric].overflow == s }

// label returns the value of a label; empty if the series lacks it.
func (s *series) label(name string) string {
	for i := range s.labels {
		if s.labels[i].Name == name {
			return s.labels[i].Value
		}
	}
	return ""
}

// Gauge is a level that goes up and down. It may be moved only under the registry's lock. Moving the zero Gauge does nothing.
type Gauge struct{ series *series }

// ID returns the id of the series in the log; 0 for the zero Gauge.
func (g Gauge) ID() uint64 {
	if g.series == nil {
		return 0
	}
	return g.series.current().id
}

// Move adds to the level, at a time of the registry's clock.
func (g Gauge) Move(by int64, now Instant) {
	if g.series == nil {
		return
	}
	s := g.series.current()
	s.Level += by
	s.touch(now)
}

// Set sets the level likewise.
func (g Gauge) Set(level int64, now Instant) {
	if g.series == nil {
		return
	}
	s := g.series.current()
	s.Level = level
	s.touch(now)
}
