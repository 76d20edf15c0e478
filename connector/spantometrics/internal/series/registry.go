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

// Instant is a moment by the wall clock and by the time that the state has been running.
type Instant = records.Instant

// OverflowLabel marks the series, and the resource, that takes what a limit keeps out.
const OverflowLabel = "otel.metric.overflow"

// Options are the registry's bounds and its manner of reporting.
type Options struct {
	// Delta reports what was added since the last accepted flush, instead of all since a series began.
	Delta bool
	// MaxSeries of one metric of one application, with its overflow series: at least 2.
	MaxSeries int
	// MaxApplications with series of their own; all others share one overflow application.
	MaxApplications int
	// Total is how many series there may be in all, and their bytes as they are estimated. Each application has a share.
	Total shares.Size
	// Exemplars kept for each series; 0 for none.
	Exemplars int
	// ExemplarStay, in nanoseconds, is how long an exemplar of a cumulative series gives way only to a larger one. It is
	// longer than the time between two scrapes, which come more seldom than flushes.
	ExemplarStay int64
	// Expiration, in nanoseconds, is how long a series without new values lives; 0 means for ever.
	Expiration int64
}

// Registry holds all series. Values go in through a [Writer], and come out by [Registry.Collect]. All its state is under
// one mutex, taken once a batch.
type Registry struct {
	definitions []Definition
	// shapes are those of the definitions.
	shapes  []uint64
	options Options

	mu           sync.Mutex
	applications map[string]*application
	// order is that of first appearance, so that flushes list applications in a steady order.
	order []*application
	// overflow takes the applications beyond the limit; nil until there is one.
	overflow *application
	// room is what all series share.
	room *shares.Room
	// overflowed counts the values that went to an overflow series since the last Collect.
	overflowed Overflowed
	// ended are series that expired, which no delivered flush has reported yet.
	ended []Ended
	// accepted is the time of the newest flush that was delivered: deltas begin there.
	accepted int64
	// labels are those of the values that follow.
	labels Labels
	key    []byte
	// lastID is the newest series' id.
	lastID uint64
	// log takes every change, if the state is kept.
	log *records.Log
	// open is the flush whose outcome is not known yet.
	open *Snapshot
}

// application holds the series of one service.
type application struct {
	key                string
	namespace, service string
	overflow           bool
	families           []family
	// held is what its series take of the room, and heldByOverflow what its overflow series do, which have a share of their
	// own: an application that has used up its share of series is to have them.
	held, heldByOverflow shares.Size
	// reported is how snapshots name the application; nil until one has.
	reported *Application
}

// family holds the series of one metric of one application.
type family struct {
	byKey map[string]*series
	// order is that of first appearance.
	order    []*series
	overflow *series
}

type series struct {
	id  uint64
	app *application
	// metric is the index of its definition.
	metric int
	key    string
	labels []Label
	// bytes is what it takes of the room.
	bytes int64
	// started is when the series began, by the wall clock, and touched when it last got a value, by the running time.
	started, touched int64
	// folded is the series that has taken over the values of this one; nil while it is one of the registry's.
	folded *series
	// pending is true if no delivered flush has reported the last value yet.
	pending bool
	Value
}

// NewRegistry makes an empty registry. It keeps definitions. The first deltas begin at now.
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

// application finds or makes the series of a service.
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

// applicationKey puts the key of an application into r.key.
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

// newApplication makes the application whose key is in r.key.
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

// lookup finds or makes the series of a metric that has the collected labels.
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
	r.logSeries(app, metric, made)
	return made
}

// overflowOf returns the overflow series of a metric of an application, or, where there is no room for one, that of the overflow
// application, which there always is.
func (r *Registry) overflowOf(app *application, metric int, now Instant) *series {
	family := &app.families[metric]
	if family.overflow == nil {
		// The overflow application's are as few as there are metrics, and take nothing of the room.
		bytes := int64(0)
		if !app.overflow {
			bytes = r.size(app, metric, nil)
			if !r.room.Take(&app.heldByOverflow, bytes) {
				return r.overflowOf(r.overflowApplication(), metric, now)
			}
		}
		family.overflow = &series{id: r.nextID(), app: app, metric: metric, bytes: bytes, started: now.Wall}
		r.logSeries(app, metric, family.overflow)
	}
	family.overflow.touch(now)
	return family.overflow
}

func (r *Registry) nextID() uint64 {
	r.lastID++
	return r.lastID
}

// touch records that a new value came. Batches may come with times out of order, by the time they waited for the lock.
func (s *series) touch(now Instant) {
	s.touched = max(s.touched, now.Running)
	s.pending = true
}

// current returns the series that has the values of this one now.
func (s *series) current() *series {
	for s.folded != nil {
		s = s.folded
	}
	return s
}

// keepExemplar keeps an exemplar that comes now if it is one of those to be kept.
func (r *Registry) keepExemplar(s *series, exemplar *Exemplar, now Instant) bool {
	if r.options.Exemplars == 0 {
		return false
	}
	before := int64(0)
	if !r.options.Delta {
		before = now.Running - r.options.ExemplarStay
	}
	exemplar.Kept = now.Running
	return s.keep(exemplar, r.options.Exemplars, before)
}
