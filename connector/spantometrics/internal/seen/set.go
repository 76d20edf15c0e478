// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package seen remembers which spans and events were measured, in bounded memory, so that one that comes again is not
// measured again.
//
// The connector's instance owns a Set, under the registry's lock.
package seen

import (
	"iter"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
	"github.com/tasker-otel/otelcol-tasker/internal/bounded/generations"
)

// Set remembers between half of its limit of keys and all of it, always the latest. It has no lock of its own: the
// registry's lock guards it.
type Set struct {
	keys *generations.Map[struct{}]
	// log takes every new key, if the state is kept, as one of kind.
	log  *records.Log
	kind records.Things
}

// New makes a set of at most limit keys, and at least two.
func New(limit int) *Set { return &Set{keys: generations.New[struct{}](limit)} }

// Add remembers a key, a hash, and is false if it was known.
func (s *Set) Add(key uint64) bool {
	if _, known := s.keys.Get(key); known {
		return false
	}
	s.keys.Add(key, struct{}{})
	s.log.Seen(s.kind, key)
	return true
}

// Fetch loads the places of keys that are added next from memory.
func (s *Set) Fetch(keys []uint64) { s.keys.Fetch(keys) }

// SetLog makes the set write every new key into a log, as one of a kind.
func (s *Set) SetLog(log *records.Log, kind records.Things) { s.log, s.kind = log, kind }

// Write writes the whole set into another log.
func (s *Set) Write(log *records.Log, kind records.Things) {
	for key := range s.All() {
		log.Seen(kind, key)
		log.Cut()
	}
}

// Len returns the number of keys held.
func (s *Set) Len() int { return s.keys.Len() }

// All lists the keys in an order in which adding them to an empty set of the same limit gives the same generations.
func (s *Set) All() iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for key := range s.keys.All() {
			if !yield(key) {
				return
			}
		}
	}
}
