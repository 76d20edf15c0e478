// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"math"
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Set is the set of events of one open task, packed, with what they say of the task itself.
type Set struct {
	Trace          TraceID
	Resource       *Resource
	ID             ID
	Name           string
	Parent         string // traceparent of the caller
	Steps          []Step
	CorrelationIDs []string // records refer to them by index, counted from 1

	packed  packed           // the events
	details []*Detail        // records refer to them by index, counted from 1
	lists   []int16          // the steps of discoveries, each list after its length
	places  map[string]int16 // indexes of steps by id; nil for few steps

	// Held is about how many bytes the task takes. The set adds what it keeps; its owner adds everything else.
	Held       int64
	ResourceAt int64 // time of the earliest event, which decides the resource
	ParentAt   int64 // time of the earliest event with a traceparent, which decides the parent
	lastList   int16 // place of the latest list
	Fixed      bool  // spans have been emitted: resource, parent and the resolution of the clocks no longer change
	Refused    bool  // the task was refused at creation
}

// Approximate bytes.
const (
	BytesPerStep          = 40
	bytesPerPlace         = 40
	bytesPerCorrelationID = 40

	bytesPerPointer   = 8
	bytesPerIndex     = 2
	bytesPerDetail    = 64
	bytesPerFailure   = 64
	BytesPerAttribute = 80
	BytesPerString    = 16
)

// small limits a count to a record's range, which exceeds what the engine sends.
func small(n int) int16 { return int16(max(-1, min(n, math.MaxInt16))) }

// Add keeps what the tree needs of an event, with its time of arrival, and returns its record.
func (s *Set) Add(shared *Shared, e *Event, arrived int64) Record {
	k := e.Kind()
	r := Record{At: e.At, Arrived: arrived, Identity: e.shortIdentity(), Kind: k, Step: NoStep, Number: -1, CorrelationID: s.KeepCorrelationID(shared, e.CorrelationID)}
	if e.StepID.Text != "" {
		r.Step = s.stepIndex(shared, e.StepID, e.StepName)
	}
	if s.Name == "" && e.TaskName != "" {
		s.Name = shared.Intern(e.TaskName)
	}
	if e.Traceparent != "" && !s.Fixed && (s.Parent == "" || e.At < s.ParentAt || e.At == s.ParentAt && e.Traceparent < s.Parent) {
		s.Parent, s.ParentAt = strings.Clone(e.Traceparent), e.At
	}
	switch k {
	case Created:
		r.Number = small(e.StepCount)
	case JobBegan:
		r.Number = small(e.JobRun)
		if e.QueueName != "" {
			r.Detail = s.keep(shared.detail(e.QueueName))
		}
	case Discovered:
		r.Number = s.keepList(shared, e)
	case BatchBegan:
		r.Number = small(e.StepCount)
		if e.Mode != "" {
			r.Detail = s.keep(shared.detail(e.Mode))
		}
	case StepRequested:
		r.Number = small(e.Attempt)
		if r.Step != NoStep && s.Steps[r.Step].Deps == nil && len(e.Dependencies) > 0 {
			s.Steps[r.Step].Shape = shared.Shape(s.Steps[r.Step].Name, e.Dependencies)
		}
	case StepFailed, TaskFailed:
		f := &Failure{Message: strings.Clone(e.ErrorMessage), Class: shared.Intern(e.ErrorClass), Backtrace: strings.Clone(e.Backtrace)}
		if f.Class == "" && e.Exception != "" {
			f.Class, f.Generic = shared.Intern(e.Exception), true
		}
		r.Detail = s.KeepDetail(&Detail{Failure: f})
		s.Refused = s.Refused || e.Refused
	case TaskCompleted:
		r.Number = small(e.TotalSteps)
	case PassEnded:
		if e.FinalStatus != "" {
			r.Detail = s.keep(shared.detail(e.FinalStatus))
		}
	case Backoff:
		r.Detail = s.KeepDetail(&Detail{Text: shared.Intern(e.BackoffType), Seconds: e.BackoffFor})
	case Query:
		r.Detail = s.KeepDetail(&Detail{Text: strings.Clone(e.SQL), Seconds: e.QueryDuration})
	case SpanEvent, StepReset, TaskPending, NothingViable, TaskCancelled, TaskResolved,
		StepCancelled, StepResolved:
		r.Detail = s.KeepDetail(&Detail{Text: shared.Intern(e.Name), Attributes: shared.copyAttributes(e.Attributes)})
	}
	s.put(&r)
	if e.MemoryDeltaMB != 0 && !e.ShowsAttributes() {
		// An event that defines a span is also a span event, for its memory.
		shown := r
		shown.Kind, shown.Number = SpanEvent, -1
		shown.Detail = s.KeepDetail(&Detail{Text: shared.Intern(e.Name), Attributes: []attribute.KeyValue{attribute.Double(lifecycle.AttrMemoryDeltaMB, e.MemoryDeltaMB)}})
		s.put(&shown)
	}
	return r
}

func (s *Set) put(r *Record) {
	room := cap(s.packed.bytes)
	s.packed.add(r)
	s.Held += int64(cap(s.packed.bytes) - room)
}

// KeepCorrelationID finds or adds a correlation id. Index 0 means none, or that there are too many.
func (s *Set) KeepCorrelationID(shared *Shared, id string) uint16 {
	if id == "" {
		return 0
	}
	for i := len(s.CorrelationIDs) - 1; i >= 0; i-- { // mostly the latest one
		if s.CorrelationIDs[i] == id {
			return uint16(i + 1)
		}
	}
	if len(s.CorrelationIDs) >= maxCorrelationIDs {
		return 0
	}
	s.CorrelationIDs = append(s.CorrelationIDs, shared.internLately(id))
	s.Held += bytesPerCorrelationID
	return uint16(len(s.CorrelationIDs))
}

// maxCorrelationIDs bounds the correlation ids of a task, which are scanned.
const maxCorrelationIDs = 1<<12 - 1

// CorrelationID returns the correlation id with an index; an empty one for 0.
func (s *Set) CorrelationID(index uint16) string {
	if index == 0 {
		return ""
	}
	return s.CorrelationIDs[index-1]
}

// List returns the steps of a discovery.
func (s *Set) List(r *Record) []int16 {
	if r.Number < 0 {
		return nil
	}
	n := s.lists[r.Number]
	return s.lists[r.Number+1 : r.Number+1+n]
}

// keepList adds the steps of a discovery to the task and returns their index; -1 when there are too many. The second announcement
// shares the list of the first.
func (s *Set) keepList(shared *Shared, e *Event) int16 {
	indexes := shared.indexes[:0]
	for _, id := range e.StepIDs {
		if i := s.stepIndex(shared, ID{id, e.TaskID.Integer}, ""); i != NoStep {
			indexes = append(indexes, i)
		}
	}
	shared.indexes = indexes
	if len(s.lists) > 0 && slices.Equal(indexes, s.lists[s.lastList+1:]) {
		return s.lastList
	}
	place := len(s.lists)
	if place+1+len(indexes) > math.MaxInt16 {
		return -1
	}
	s.Held += int64(1+len(indexes)) * bytesPerIndex
	s.lists = append(append(s.lists, int16(len(indexes))), indexes...)
	s.lastList = int16(place)
	return s.lastList
}

// Count returns how many events are in the set, with repetitions.
func (s *Set) Count() int { return int(s.packed.count) }

// Unpack appends the records to a list, in the order in which they arrived.
func (s *Set) Unpack(into []Record) []Record { return s.packed.unpack(into) }

// Replace replaces all records.
func (s *Set) Replace(records []Record) { s.packed.pack(records) }

// Reallocate moves the lists that grow in place to memory of their own, without spare capacity.
func (s *Set) Reallocate() {
	s.packed.bytes = slices.Clone(s.packed.bytes)
	s.Steps = slices.Clone(s.Steps)
}

// Clone copies the set, so that it can be read while events are added to the original.
func (s *Set) Clone() Set {
	c := *s
	c.Reallocate() // the other lists only grow
	c.places = nil
	return c
}

// Size returns about how many bytes the set takes.
func (s *Set) Size() int64 {
	n := int64(len(s.ID.Text)+cap(s.packed.bytes)+len(s.CorrelationIDs)*bytesPerCorrelationID+cap(s.details)*bytesPerPointer+len(s.lists)*bytesPerIndex) +
		int64(len(s.places))*bytesPerPlace
	for i := range s.Steps {
		n += BytesPerStep + int64(len(s.Steps[i].ID.Text))
	}
	for _, d := range s.details {
		n += d.Size()
	}
	return n
}
