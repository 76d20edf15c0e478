// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"encoding/binary"
	"strings"
	"sync"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
	"github.com/tasker-otel/otelcol-tasker/internal/bounded/shares"
)

// Instant is a moment on the wall clock and in running time.
type Instant = records.Instant

// OverflowLabel marks the series, and the resource, that aggregates what exceeds a limit.
const OverflowLabel = "otel.metric.overflow"

// Options are the bounds and the reporting mode of a registry.
type Options struct {
	// Delta reports what was added since the last accepted flush instead of totals.
	Delta bool
	// MaxSeries is the maximum number of series per metric and application, including the overflow series: at least 2.
	MaxSeries int
	// MaxApplications is the maximum number of applications with their own series; all others share the overflow
	// application.
	MaxApplications int
	// Total is the maximum number of all series and of their estimated bytes. Each application has a share.
	Total shares.Size
	// Exemplars is the maximum number of exemplars per series; 0 for none.
	Exemplars int
	// ExemplarStay, in nanoseconds, is how long only a larger exemplar may replace one of a cumulative series. It is longer
	// than the interval between scrapes, which is longer than that of flushes.
	ExemplarStay int64
	// Expiration, in nanoseconds, is how long a series without new values is kept; 0 means forever.
	Expiration int64
}

// Registry holds all series. Values are recorded through a [Writer] and reported by [Registry.Collect]. One mutex, locked
// once per batch, guards all state.
type Registry struct {
	definitions []Definition
	// shapes are the shapes of definitions.
	shapes  []uint64
	options Options

	mu           sync.Mutex
	applications map[string]*application
	// order is the order of first appearance, so that flushes list applications in a stable order.
	order []*application
	// overflow is the application that aggregates those beyond the limit; nil until needed.
	overflow *application
	// room is shared by all series.
	room *shares.Room
	// overflowed counts the values added to overflow series since the last Collect.
	overflowed Overflowed
	// ended are expired series that no delivered flush has reported yet.
	ended []Ended
	// accepted is the time of the latest delivered flush, where deltas begin.
	accepted int64
	// labels are the labels of the following values.
	labels Labels
	key    []byte
	// lastID is the latest series' ID.
	lastID uint64
	// log receives every change; nil without persistence.
	log *records.Log
	// open is the flush whose outcome is unknown.
	open *Snapshot
}

// application holds the series of a service.
type application struct {
	key                string
	namespace, service string
	overflow           bool
	families           []family
	// held is the room used by its series, and heldByOverflow that of its overflow series, which have a separate share:
	// they must be available when the share of its series is used up.
	held, heldByOverflow shares.Size
	// reported is its form in snapshots; nil until the first one.
	reported *Application
}

// NewRegistry makes an empty registry that retains definitions. The first deltas begin at now.
func NewRegistry(definitions []Definition, options Options, now int64) *Registry {
	r := &Registry{
		definitions:  definitions,
		shapes:       make([]uint64, len(definitions)),
		options:      options,
		applications: make(map[string]*application),
		room:         shares.New(options.Total),
		overflowed:   newOverflowed(len(definitions)),
		accepted:     now,
	}
	for i := range definitions {
		r.shapes[i] = definitions[i].shape()
	}
	return r
}

// application finds or adds the application of a service.
func (r *Registry) application(namespace, service string) *application {
	r.applicationKey(namespace, service)
	if known, found := r.applications[string(r.key)]; found {
		return known
	}
	if len(r.applications) >= r.options.MaxApplications {
		return r.overflowApplication()
	}
	return r.newApplication(namespace, service)
}

// applicationKey stores the key of an application in r.key.
func (r *Registry) applicationKey(namespace, service string) {
	r.key = binary.AppendUvarint(r.key[:0], uint64(len(namespace)))
	r.key = append(r.key, namespace...)
	r.key = append(r.key, service...)
}

func (r *Registry) overflowApplication() *application {
	if r.overflow == nil {
		r.overflow = &application{overflow: true, families: make([]family, len(r.definitions))}
	}
	return r.overflow
}

// newApplication adds the application whose key is in r.key.
func (r *Registry) newApplication(namespace, service string) *application {
	made := &application{
		key:       string(r.key),
		namespace: strings.Clone(namespace),
		service:   strings.Clone(service),
		families:  make([]family, len(r.definitions)),
	}
	r.applications[made.key] = made
	r.order = append(r.order, made)
	return made
}

// lookup finds or adds the series with the collected labels.
func (r *Registry) lookup(app *application, metric int, now Instant) *series {
	labels := &r.labels
	family := &app.families[metric]
	if known, found := family.byKey[string(labels.key)]; found {
		known.touch(now)
		return known
	}
	if len(family.byKey) >= r.options.MaxSeries-1 {
		r.overflowed.ByMetric[metric]++
		return r.overflowOf(app, metric, now)
	}
	bytes := r.size(app, metric, labels.pairs)
	if !r.room.Take(&app.held, bytes) {
		r.overflowed.ByTotal[metric]++
		return r.overflowOf(app, metric, now)
	}
	if family.byKey == nil {
		family.byKey = make(map[string]*series)
	}
	made := &series{id: r.nextID(), app: app, metric: metric, key: string(labels.key), labels: labels.kept(), bytes: bytes, started: now.Wall}
	made.touch(now)
	family.byKey[made.key] = made
	family.order = append(family.order, made)
	r.logSeries(made)
	return made
}

// overflowOf returns the overflow series of a metric and application; if there is no room for one, that of the overflow
// application, which is always available.
func (r *Registry) overflowOf(app *application, metric int, now Instant) *series {
	family := &app.families[metric]
	if family.overflow == nil {
		// The overflow application's series are as many as metrics, and are not counted.
		bytes := int64(0)
		if !app.overflow {
			bytes = r.size(app, metric, nil)
			if !r.room.Take(&app.heldByOverflow, bytes) {
				return r.overflowOf(r.overflowApplication(), metric, now)
			}
		}
		family.overflow = &series{id: r.nextID(), app: app, metric: metric, bytes: bytes, started: now.Wall}
		r.logSeries(family.overflow)
	}
	family.overflow.touch(now)
	return family.overflow
}

func (r *Registry) nextID() uint64 {
	r.lastID++
	return r.lastID
}

// wantsExemplar reports whether an exemplar of a value received now would be kept.
func (r *Registry) wantsExemplar(s *series, value int64, now Instant) bool {
	return r.options.Exemplars > 0 && place(s.Exemplars, r.options.Exemplars, value, r.staleBefore(now)) >= 0
}

// keepExemplar adds an exemplar received now if it is to be kept.
func (r *Registry) keepExemplar(s *series, exemplar *Exemplar, now Instant) bool {
	if r.options.Exemplars == 0 {
		return false
	}
	exemplar.Kept = now.Running
	return s.keep(exemplar, r.options.Exemplars, r.staleBefore(now))
}

// staleBefore returns the running time before which an exemplar was added if a smaller one may replace it now.
func (r *Registry) staleBefore(now Instant) int64 {
	if r.options.Delta {
		return 0
	}
	return now.Running - r.options.ExemplarStay
}
