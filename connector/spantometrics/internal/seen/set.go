// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package seen remembers, in bounded memory, which spans and events were measured, to detect duplicates.
//
// The state of an instance owns a Set for spans and one for events. It is not safe for concurrent use: the mutex of the series
// guards it.
package seen

import (
	"iter"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
	"github.com/tasker-otel/otelcol-tasker/internal/bounded/generations"
)

// Set remembers the most recent keys, up to its limit and at least half of that. The registry's mutex guards it.
type Set struct {
	keys *generations.Map[struct{}]
	// log receives every new key as one of kind; nil without persistence.
	log  *records.Log
	kind records.Things
}

// New makes a set of at most limit keys, at least two.
func New(limit int) *Set { return &Set{keys: generations.New[struct{}](limit)} }

// Add adds a key, which is a hash. It returns false if it is known.
func (s *Set) Add(key uint64) bool {
	if !s.keys.AddNew(key, struct{}{}) {
		return false
	}
	s.log.Seen(s.kind, key)
	return true
}

// Fetch loads keys that are added next into the CPU's cache.
func (s *Set) Fetch(keys []uint64) { s.keys.Fetch(keys) }

// SetLog makes the set write every new key to a log.
func (s *Set) SetLog(log *records.Log, kind records.Things) { s.log, s.kind = log, kind }

// Write writes the whole set to another log.
func (s *Set) Write(log *records.Log, kind records.Things) {
	for key := range s.All() {
		log.Seen(kind, key)
		log.Cut()
	}
}

// Len returns the number of keys.
func (s *Set) Len() int { return s.keys.Len() }

// All iterates over the keys in an order that restores the same generations when added to an empty set of the same limit.
func (s *Set) All() iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for key := range s.keys.All() {
			if !yield(key) {
				return
			}
		}
	}
}
