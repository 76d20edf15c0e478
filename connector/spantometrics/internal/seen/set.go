// Package seen remembers which spans and events were measured, in bounded memory, so that one that comes again is not
// measured again.
package seen

import (
	"iter"
	"maps"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/oplog"
)

// Set remembers keys in two generations: when the younger is full it becomes the older, and the older is forgotten. So
// between half of its limit and all of it is remembered, always the latest. It has no lock of its own: the registry's lock
// guards it.
type Set struct {
	generation int
	young, old map[uint64]struct{}
	// log takes every new key, if the state is kept, as one of kind.
	log  *oplog.Log
	kind oplog.Things
}

// New makes a set of at most limit keys, and at least two.
func New(limit int) *Set {
	return &Set{generation: max(1, limit/2), young: map[uint64]struct{}{}, old: map[uint64]struct{}{}}
}

// Add remembers a key, and is false if it was known.
func (s *Set) Add(key uint64) bool {
	if _, known := s.young[key]; known {
		return false
	}
	if _, known := s.old[key]; known {
		return false
	}
	if len(s.young) >= s.generation {
		// The maps are used again, so that a set that is full allocates no more.
		clear(s.old)
		s.young, s.old = s.old, s.young
	}
	s.young[key] = struct{}{}
	s.log.Seen(s.kind, key)
	return true
}

// KeepIn makes the set write every new key into a log, as one of a kind.
func (s *Set) KeepIn(log *oplog.Log, kind oplog.Things) { s.log, s.kind = log, kind }

// Write writes the whole set into another log.
func (s *Set) Write(log *oplog.Log, kind oplog.Things) {
	for key := range s.All() {
		log.Seen(kind, key)
		log.Cut()
	}
}

// Len is the number of keys held.
func (s *Set) Len() int { return len(s.young) + len(s.old) }

// All lists the keys in an order in which adding them to an empty set of the same limit gives the same generations.
func (s *Set) All() iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for _, generation := range [...]map[uint64]struct{}{s.old, s.young} {
			for key := range maps.Keys(generation) {
				if !yield(key) {
					return
				}
			}
		}
	}
}
