// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import "slices"

// Ended is a series that is no longer reported. Receivers that keep a series' last value, as the prometheus exporter does
// for a day, should drop it: otherwise they would have many more series than the registry, and count values twice that were
// merged into another series.
type Ended struct {
	Application *Application
	Definition  *Definition
	// Labels belong to the registry and must not be changed; an overflow series has none.
	Labels   []Label
	Overflow bool
}

// keepsLast reports whether the last point of a metric's series is its complete value. Receivers of deltas accumulate them
// and would lose the sum.
func (r *Registry) keepsLast(definition *Definition) bool {
	return !r.options.Delta || definition.Kind.isLevel()
}

func (r *Registry) endedOf(s *series) Ended {
	if s.app.reported == nil {
		s.app.reported = &Application{Namespace: s.app.namespace, Service: s.app.service, Overflow: s.app.overflow}
	}
	return Ended{Application: s.app.reported, Definition: &r.definitions[s.metric], Labels: s.labels, Overflow: s.isOverflow()}
}

// expireAll removes the expired series of an application.
func (r *Registry) expireAll(app *application, now Instant) {
	if r.options.Expiration == 0 {
		return
	}
	for i := range app.families {
		r.expire(app, &app.families[i], &r.definitions[i], now)
	}
}

// expire removes the expired series of a metric, except those with undelivered values and non-zero gauges.
func (r *Registry) expire(app *application, family *family, definition *Definition, now Instant) {
	expired := func(s *series) bool {
		return now.Running-s.touched >= r.options.Expiration && !s.pending &&
			(definition.Kind != KindGauge || s.Level == 0)
	}
	end := func(s *series) {
		if r.keepsLast(definition) {
			r.ended = append(r.ended, r.endedOf(s))
		}
	}
	family.order = slices.DeleteFunc(family.order, func(s *series) bool {
		if !expired(s) {
			return false
		}
		delete(family.byKey, s.key)
		r.room.Remove(&app.held, s.bytes)
		end(s)
		return true
	})
	if family.overflow != nil && expired(family.overflow) {
		end(family.overflow)
		r.removeOverflow(app, family)
	}
}

// removeOverflow removes a family's overflow series.
func (r *Registry) removeOverflow(app *application, family *family) {
	if !app.overflow {
		r.room.Remove(&app.heldByOverflow, family.overflow.bytes)
	}
	family.overflow = nil
}
