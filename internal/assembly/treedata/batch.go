// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package treedata

import (
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
)

// shape is what a reader knows of events with the same name and keys.
type shape struct {
	reads  []keyed // the keys whose values are read
	values eventbatch.Places
	shown  bool
	// event is the memory of At. It has no other fields than those that every event of the shape has, so these are all that is
	// written for the next one.
	event event.Event
	used  bool // since Open
}

// keyed is a key at a place of a shape.
type keyed struct {
	place int
	code  code
}

func newShape(of *eventbatch.Shape) *shape {
	s := &shape{shown: ReadsOf(of.Name).All()}
	for i, key := range of.Keys {
		if k := codeOf(key); k.read(s.shown) {
			s.reads = append(s.reads, keyed{i, k})
			s.values = s.values.With(i)
		}
	}
	return s
}

// Open begins a batch, until Close.
func (r *Reader) Open(events string) error { return r.batch.Open(eventbatch.Batch{Events: events}) }

// Close releases the batch.
func (r *Reader) Close() {
	r.batch.Close()
	for _, of := range r.used {
		of.used = false
		Empty(&of.event)
	}
	clear(r.used)
	r.used = r.used[:0]
}

// At reads the event at an offset of the batch, as Event does. Its strings are parts of the batch. It is valid until the next call, and
// until Close.
func (r *Reader) At(offset int, resource *event.Resource) (*event.Event, error) {
	if !r.batch.Seek(offset) {
		return nil, r.batch.Err()
	}
	of := *r.batch.Known()
	if !of.used {
		of.used = true
		r.used = append(r.used, of)
	}
	return &of.event, r.readInto(&of.event, of, resource)
}

// ReadAt is At into memory of the caller, which Empty has emptied or which is new.
func (r *Reader) ReadAt(e *event.Event, offset int, resource *event.Resource) error {
	if !r.batch.Seek(offset) {
		return r.batch.Err()
	}
	return r.readInto(e, *r.batch.Known(), resource)
}

// readInto reads the current event into memory that is empty, or has an event of the same shape.
func (r *Reader) readInto(e *event.Event, as *shape, resource *event.Resource) error {
	head, values := r.batch.Head(), r.batch.ValuesAt(as.values)
	if err := r.batch.Err(); err != nil {
		return err
	}
	of := r.batch.Shape()
	begin(e, of.Name, head.TraceID, head.Identity, head.Time, resource)
	for _, key := range as.reads {
		v := values[key.place]
		if v.Kind == eventbatch.KindList {
			r.readItems(v)
		}
		if !r.field(e, key.code, v) && as.shown {
			e.Attributes = append(e.Attributes, r.readAttribute(of.Keys[key.place], v))
		}
	}
	return nil
}

// readItems sets the items to the elements of a list.
func (r *Reader) readItems(list eventbatch.Value) {
	r.items = r.items[:0]
	for item := range list.Elements() {
		r.items = append(r.items, r.text(item))
	}
}
