// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"errors"
	"fmt"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/journal/fields"
)

// Reader reads entries. Equal resources are shared, also across entries. It serves one goroutine.
type Reader struct {
	known     map[string]*event.Resource
	resources []*event.Resource
	names     []string
	event     event.Event
}

// NewReader makes a reader.
func NewReader() *Reader { return &Reader{known: map[string]*event.Resource{}} }

// Releases reads the releases of tasks, and returns when the batch arrived. Their state belongs to the entry.
func (r *Reader) Releases(entry []byte, read func(release assembly.Release) error) (arrival time.Time, err error) {
	arrival = time.Unix(0, 0)
	err = fields.Read(entry, func(f *fields.Field) error {
		switch f.Number {
		case entryArrival:
			arrival = time.Unix(0, f.Int())
		case entryRelease:
			release, err := readHead(f.Data)
			if err != nil {
				return err
			}
			return read(assembly.Release{Trace: release.trace, End: release.until, Serial: release.serial, State: release.state})
		}
		return nil
	})
	return arrival, err
}

// Events reads the events in the order of arrival, task by task. The event is valid until read returns.
func (r *Reader) Events(entry []byte, read func(e *event.Event, arrival time.Time)) error {
	arrival := time.Unix(0, 0)
	r.resources, r.names = r.resources[:0], r.names[:0]
	return fields.Read(entry, func(f *fields.Field) error {
		switch f.Number {
		case entryArrival:
			arrival = time.Unix(0, f.Int())
		case entryResource:
			resource, err := r.resource(f.Data)
			r.resources = append(r.resources, resource)
			return err
		case entryName:
			r.names = append(r.names, string(f.Data))
		case entryGroup:
			return r.group(f.Data, arrival, read)
		}
		return nil
	})
}

func (r *Reader) group(data []byte, arrival time.Time, read func(e *event.Event, arrival time.Time)) error {
	e := &r.event
	*e = event.Event{StepIDs: e.StepIDs[:0], Dependencies: e.Dependencies[:0], Attributes: e.Attributes[:0]}
	place := int64(0)
	return fields.Read(data, func(f *fields.Field) error {
		switch f.Number {
		case groupTrace:
			copy(e.TraceID[:], f.Data)
		case groupResource:
			place = f.Int()
		case groupEvent:
			if place < 0 || place >= int64(len(r.resources)) {
				return fmt.Errorf("a group has resource %d of %d", place, len(r.resources))
			}
			e.Resource = r.resources[place]
			if err := readEvent(f.Data, e, r.names); err != nil {
				return err
			}
			read(e, arrival)
		}
		return nil
	})
}

// knownResources bounds how many resources are shared.
const knownResources = 4096

func (r *Reader) resource(data []byte) (*event.Resource, error) {
	if known, found := r.known[string(data)]; found {
		return known, nil
	}
	resource := new(event.Resource)
	err := fields.Read(data, func(f *fields.Field) error {
		if f.Number != resourceAttribute {
			return nil
		}
		kv, err := attribute.Read(f.Data)
		resource.Attributes = append(resource.Attributes, kv)
		return err
	})
	if err == nil && len(r.known) < knownResources {
		r.known[string(data)] = resource
	}
	return resource, err
}

// head has the fields of a group before its events, or of a release.
type head struct {
	trace  event.TraceID
	until  int64
	events int64
	serial int64
	state  []byte
}

func readHead(data []byte) (h head, err error) {
	for len(data) > 0 {
		var f fields.Field
		if f, data, err = fields.Next(data); err != nil {
			return h, err
		}
		switch f.Number {
		case groupTrace:
			if copy(h.trace[:], f.Data) != len(h.trace) {
				return h, errors.New("a trace id is truncated")
			}
		case groupLast:
			h.until = f.Int()
		case groupCount:
			h.events = f.Int()
		case releaseState:
			h.state = f.Data
		case releaseSerial:
			h.serial = f.Int()
		case groupEvent:
			return h, nil
		}
	}
	return h, nil
}
