// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package emitted is the set of the spans of an open run that have been emitted: nothing is emitted twice, and what arrives late for
// an emitted span is recognized. The set belongs to its task.
//
// It is not safe for concurrent use.
package emitted

import (
	"encoding/binary"
	"slices"
)

// Span is a span that has been emitted. It is kept as long as the records from which it was made.
type Span struct {
	ID         [8]byte
	Start, End int64
	At         int64 // when it was emitted, by the collector's clock
	Step       int16 // of an attempt; else event.NoStep
	Cut        bool  // omitted by a limit
}

// Spans are emitted spans, ordered by id.
type Spans []Span

func (s Spans) find(id [8]byte) (int, bool) {
	sought := binary.BigEndian.Uint64(id[:])
	from, to := 0, len(s)
	for from < to { // slices.BinarySearchFunc takes twice as long
		middle := int(uint(from+to) >> 1)
		if binary.BigEndian.Uint64(s[middle].ID[:]) < sought {
			from = middle + 1
		} else {
			to = middle
		}
	}
	return from, from < len(s) && s[from].ID == id
}

// Has reports whether the span was emitted, or omitted by a limit.
func (s Spans) Has(id [8]byte) bool {
	if len(s) == 0 {
		return false
	}
	_, found := s.find(id)
	return found
}

// Add adds a span; one that is there already stays as it is.
func (s *Spans) Add(e Span) {
	if place, found := s.find(e.ID); !found {
		*s = slices.Insert(*s, place, e)
	}
}

// Restore removes a batch that was omitted because it was empty, when an attempt of it arrives late.
func (s *Spans) Restore(id [8]byte) {
	if place, found := s.find(id); found && (*s)[place].Cut {
		*s = slices.Delete(*s, place, place+1)
	}
}

// Forget removes the spans that ended up to a time.
func (s *Spans) Forget(until int64) {
	*s = slices.DeleteFunc(*s, func(e Span) bool { return e.End <= until })
}

// EmittedBefore reports whether the span was emitted before an event arrived.
func (s Spans) EmittedBefore(id [8]byte, arrived int64) bool {
	place, found := s.find(id)
	return found && !s[place].Cut && s[place].At < arrived
}

// HadAttempt reports whether an attempt of the step at a time was emitted before an event arrived. An event that arrived before
// that is accepted also when it is replayed after a start.
func (s Spans) HadAttempt(step int16, at, arrived int64) bool {
	for i := range s {
		if e := &s[i]; e.Step == step && e.At < arrived && e.Start <= at && at <= e.End {
			return true
		}
	}
	return false
}

// Attempt returns the attempt of the step that overlaps a stretch of time, or nil. An event that arrives after the attempt was emitted
// can make the reader find two, or another beginning; the emitted span still counts.
func (s Spans) Attempt(step int16, start, end int64) *Span {
	for i := range s {
		if e := &s[i]; e.Step == step && e.Start <= end && start <= e.End {
			return e
		}
	}
	return nil
}

// ByStep returns the spans of attempts by step, of so many steps.
func (s Spans) ByStep(steps int) []Spans {
	of := make([]Spans, steps)
	for _, e := range s {
		if e.Step >= 0 && int(e.Step) < steps {
			of[e.Step] = append(of[e.Step], e)
		}
	}
	return of
}
