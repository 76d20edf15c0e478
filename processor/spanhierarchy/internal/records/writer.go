// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/journal/fields"
)

const (
	entryArrival protowire.Number = iota + 1
	entryResource
	entryName
	entryGroup
	entryRelease
)

const (
	groupTrace protowire.Number = iota + 1
	groupLast
	groupResource
	groupCount
	groupEvent
)

// A release begins like a group: with its trace, and the time up to which it reaches.
const (
	releaseState protowire.Number = groupEvent + 1 + iota
	releaseSerial
)

const resourceAttribute protowire.Number = 1

// Writer makes one entry at a time. Its memory is reused for the next entry, so it serves one goroutine.
type Writer struct {
	entry     []byte
	resources map[*event.Resource]int
	names     map[string]int
	groups    map[groupKey]int
	list      []group
	used      int // of the list
	events    int
	releases  int
	inner     []byte
	scratch   []byte
}

type groupKey struct {
	trace    event.TraceID
	resource int
}

// group is the events of one task with one resource.
type group struct {
	key    groupKey
	last   int64
	count  int64
	events []byte
	before repeated
}

// NewWriter makes a writer.
func NewWriter() *Writer {
	return &Writer{resources: map[*event.Resource]int{}, names: map[string]int{}, groups: map[groupKey]int{}}
}

// Begin begins an entry for one time of arrival.
func (w *Writer) Begin(arrival time.Time) {
	w.entry = fields.Int(w.entry[:0], entryArrival, arrival.UnixNano())
	clear(w.resources)
	clear(w.names)
	clear(w.groups)
	w.used, w.events, w.releases = 0, 0, 0
}

// Event adds an event. It keeps references to its strings until the entry has ended.
func (w *Writer) Event(e *event.Event) {
	w.events++
	key := groupKey{e.TraceID, w.resource(e.Resource)}
	place, known := w.groups[key]
	if !known {
		place = w.used
		w.groups[key] = place
		w.used++
		if place == len(w.list) {
			w.list = append(w.list, group{})
		}
		g := &w.list[place]
		*g = group{key: key, last: e.At, events: g.events[:0]}
	}
	g := &w.list[place]
	w.inner, w.scratch = appendEvent(w.inner[:0], e, &g.before, w.name(e.Name), w.scratch)
	g.events = fields.Message(g.events, groupEvent, w.inner)
	g.count++
	g.last = max(g.last, e.At)
	g.before = repeatedOf(e)
}

// resource returns the index of a resource in the entry.
func (w *Writer) resource(r *event.Resource) int {
	if place, known := w.resources[r]; known {
		return place
	}
	place := len(w.resources)
	w.resources[r] = place
	w.inner = w.inner[:0]
	if r != nil {
		for i := range r.Attributes {
			w.scratch = attribute.Append(w.scratch[:0], &r.Attributes[i])
			w.inner = fields.Message(w.inner, resourceAttribute, w.scratch)
		}
	}
	w.entry = fields.Message(w.entry, entryResource, w.inner)
	return place
}

func (w *Writer) name(name string) int {
	if place, known := w.names[name]; known {
		return place
	}
	place := len(w.names)
	w.names[name] = place
	w.entry = fields.Element(w.entry, entryName, name)
	return place
}

// Release adds the release of a task. It copies the state.
func (w *Writer) Release(r *assembly.Release) {
	w.releases++
	w.inner = fields.Message(w.inner[:0], groupTrace, r.Trace[:])
	w.inner = fields.Int(w.inner, groupLast, r.End)
	w.inner = fields.Message(w.inner, releaseState, r.State)
	w.inner = fields.Int(w.inner, releaseSerial, r.Serial)
	w.entry = fields.Message(w.entry, entryRelease, w.inner)
}

// Events returns the number of events in the entry.
func (w *Writer) Events() int { return w.events }

// Releases returns the number of releases in the entry.
func (w *Writer) Releases() int { return w.releases }

// End returns the entry, which is valid until Begin is called again.
func (w *Writer) End() []byte {
	for i := range w.list[:w.used] {
		g := &w.list[i]
		w.inner = fields.Message(w.inner[:0], groupTrace, g.key.trace[:])
		w.inner = fields.Int(w.inner, groupLast, g.last)
		w.inner = fields.Int(w.inner, groupResource, int64(g.key.resource))
		w.inner = fields.Int(w.inner, groupCount, g.count)
		w.inner = append(w.inner, g.events...)
		w.entry = fields.Message(w.entry, entryGroup, w.inner)
		g.before = repeated{} // its strings belong to the caller
	}
	return w.entry
}
