// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"math"
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Set is the set of events of one open task, packed, with what they say of the task itself.
type Set struct {
	trace          TraceID
	resource       *Resource
	id             ID
	name           string
	parent         string // traceparent of the caller
	steps          []step
	places         map[string]int16 // indexes of steps by id; nil for few steps
	correlationIDs []string         // records refer to them by index, counted from 1
	packed         packed           // the events
	details        []*detail        // records refer to them by index, counted from 1
	lists          []int16          // the steps of discoveries, each list after its length

	held       int64 // approximate bytes of all that the task takes; its owner adds what is not of this set
	resourceAt int64 // time of the earliest event, which decides the resource
	parentAt   int64 // time of the earliest event with a traceparent, which decides the parent
	lastList   int16
	fixed      bool // spans have been emitted: resource, parent and the resolution of the clocks no longer change
	refused    bool // the task was refused at creation
}

// Approximate bytes.
const (
	bytesPerStep          = 40
	bytesPerPlace         = 40
	bytesPerCorrelationID = 40

	bytesPerPointer   = 8
	bytesPerIndex     = 2
	bytesPerDetail    = 64
	bytesPerFailure   = 64
	bytesPerAttribute = 80
	bytesPerString    = 16
)

// small limits a count to a record's range, which exceeds what the engine sends.
func small(n int) int16 { return int16(max(-1, min(n, math.MaxInt16))) }

// add keeps what the tree needs of an event, with its time of arrival, and returns its record.
func (s *Set) add(shared *Shared, e *Event, arrived int64) record {
	k := classify(e)
	r := record{at: e.At, arrived: arrived, identity: e.key(), kind: k, step: noStep, number: -1, correlationID: s.correlationIndex(shared, e.CorrelationID)}
	if e.StepID.Text != "" {
		r.step = s.stepIndex(shared, e.StepID, e.StepName)
	}
	if s.name == "" && e.TaskName != "" {
		s.name = shared.intern(e.TaskName)
	}
	if e.Traceparent != "" && !s.fixed && (s.parent == "" || e.At < s.parentAt || e.At == s.parentAt && e.Traceparent < s.parent) {
		s.parent, s.parentAt = strings.Clone(e.Traceparent), e.At
	}
	switch k {
	case kindCreated:
		r.number = small(e.StepCount)
	case kindJobBegan:
		r.number = small(e.JobRun)
		if e.QueueName != "" {
			r.detail = s.keep(shared.detail(e.QueueName))
		}
	case kindDiscovered:
		r.number = s.keepList(shared, e)
	case kindBatchBegan:
		r.number = small(e.StepCount)
		if e.Mode != "" {
			r.detail = s.keep(shared.detail(e.Mode))
		}
	case kindStepRequested:
		r.number = small(e.Attempt)
		if r.step != noStep && s.steps[r.step].deps == nil && len(e.Dependencies) > 0 {
			s.steps[r.step].shape = shared.shape(s.steps[r.step].name, e.Dependencies)
		}
	case kindStepFailed, kindTaskFailed:
		f := &failure{message: strings.Clone(e.ErrorMessage), class: shared.intern(e.ErrorClass), trace: strings.Clone(e.Backtrace)}
		if f.class == "" && e.Exception != "" {
			f.class, f.generic = shared.intern(e.Exception), true
		}
		r.detail = s.keepOwn(&detail{failure: f})
		s.refused = s.refused || e.Refused
	case kindTaskCompleted:
		r.number = small(e.TotalSteps)
	case kindPassEnded:
		if e.FinalStatus != "" {
			r.detail = s.keep(shared.detail(e.FinalStatus))
		}
	case kindBackoff:
		r.detail = s.keepOwn(&detail{text: shared.intern(e.BackoffType), seconds: e.BackoffFor})
	case kindQuery:
		r.detail = s.keepOwn(&detail{text: strings.Clone(e.SQL), seconds: e.QueryDuration})
	case kindSpanEvent, kindStepReset, kindTaskPending, kindNothingViable, kindTaskCancelled, kindTaskResolved,
		kindStepCancelled, kindStepResolved:
		r.detail = s.keepOwn(&detail{text: shared.intern(e.Name), attrs: shared.copyAttributes(e.Attributes)})
	}
	s.put(&r)
	if e.MemoryDeltaMB != 0 && !e.ShowsAttributes() {
		// An event that defines a span is also a span event, for its memory.
		shown := r
		shown.kind, shown.number = kindSpanEvent, -1
		shown.detail = s.keepOwn(&detail{text: shared.intern(e.Name), attrs: []attribute.KeyValue{attribute.Double(lifecycle.AttrMemoryDeltaMB, e.MemoryDeltaMB)}})
		s.put(&shown)
	}
	return r
}

func (s *Set) put(r *record) {
	room := cap(s.packed.bytes)
	s.packed.add(r)
	s.held += int64(cap(s.packed.bytes) - room)
}

// correlationIndex finds or adds a correlation id. Index 0 means none, or that there are too many.
func (s *Set) correlationIndex(shared *Shared, id string) uint16 {
	if id == "" {
		return 0
	}
	for i := len(s.correlationIDs) - 1; i >= 0; i-- { // mostly the latest one
		if s.correlationIDs[i] == id {
			return uint16(i + 1)
		}
	}
	if len(s.correlationIDs) >= maxCorrelationIDs {
		return 0
	}
	s.correlationIDs = append(s.correlationIDs, shared.internLately(id))
	s.held += bytesPerCorrelationID
	return uint16(len(s.correlationIDs))
}

// maxCorrelationIDs bounds the correlation ids of a task, which are scanned.
const maxCorrelationIDs = 1<<12 - 1

func (s *Set) correlationID(index uint16) string {
	if index == 0 {
		return ""
	}
	return s.correlationIDs[index-1]
}

// list returns the steps of a discovery.
func (s *Set) list(r *record) []int16 {
	if r.number < 0 {
		return nil
	}
	n := s.lists[r.number]
	return s.lists[r.number+1 : r.number+1+n]
}

// keepList adds the steps of a discovery to the task and returns their index; -1 when there are too many. The second announcement
// shares the list of the first.
func (s *Set) keepList(shared *Shared, e *Event) int16 {
	indexes := shared.indexes[:0]
	for _, id := range e.StepIDs {
		if i := s.stepIndex(shared, ID{id, e.TaskID.Integer}, ""); i != noStep {
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
	s.held += int64(1+len(indexes)) * bytesPerIndex
	s.lists = append(append(s.lists, int16(len(indexes))), indexes...)
	s.lastList = int16(place)
	return s.lastList
}

// count returns how many events are in the set, with repetitions.
func (s *Set) count() int { return int(s.packed.count) }

// unpack appends the records to a list, in the order in which they arrived.
func (s *Set) unpack(into []record) []record { return s.packed.unpack(into) }

// repack replaces all records.
func (s *Set) repack(records []record) { s.packed.pack(records) }

// reallocate moves the lists that grow in place to memory of their own, without spare capacity.
func (s *Set) reallocate() {
	s.packed.bytes = slices.Clone(s.packed.bytes)
	s.steps = slices.Clone(s.steps)
}

// size returns about how many bytes the set takes.
func (s *Set) size() int64 {
	n := int64(len(s.id.Text)+cap(s.packed.bytes)+len(s.correlationIDs)*bytesPerCorrelationID+cap(s.details)*bytesPerPointer+len(s.lists)*bytesPerIndex) +
		int64(len(s.places))*bytesPerPlace
	for i := range s.steps {
		n += bytesPerStep + int64(len(s.steps[i].id.Text))
	}
	for _, d := range s.details {
		n += d.size()
	}
	return n
}
