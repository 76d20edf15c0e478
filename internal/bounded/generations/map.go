// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package generations remembers the latest of an endless stream of keys, in bounded memory.
//
// A Map is not safe for concurrent use; its owner serializes the calls.
package generations

import (
	"iter"
	"math/rand/v2"
)

// Map remembers keys in two generations: when the younger is full it becomes the older, and the older is forgotten. So
// between half of its limit and all of it is remembered, always the latest. Keys are hashes, and 0 stands for 1. A Map is not
// safe for concurrent use.
type Map[V any] struct {
	generation int
	turns      uint64
	young, old table[V]
	// fetched is what Fetch has read last.
	fetched uint64
}

// New makes a map of at most limit keys, and at least two.
func New[V any](limit int) *Map[V] {
	m := &Map[V]{generation: max(1, limit/2)}
	m.young.seed, m.old.seed = rand.Uint64()|1, rand.Uint64()|1
	return m
}

// Len returns the number of keys held.
func (m *Map[V]) Len() int { return m.young.len + m.old.len }

// Turns returns how often a generation was forgotten. What was added two turns ago is no longer held.
func (m *Map[V]) Turns() uint64 { return m.turns }

// Get returns the value of a key, if it is remembered.
func (m *Map[V]) Get(key uint64) (value V, found bool) {
	key = max(1, key)
	if value, found = m.young.get(key); found {
		return value, true
	}
	return m.old.get(key)
}

// Fetch loads the places of keys that are looked up next. A large map is in no cache: this way the processor waits for
// many of them at a time, and not for one after the other.
func (m *Map[V]) Fetch(keys []uint64) {
	m.fetched = m.young.fetch(keys) ^ m.old.fetch(keys)
}

// Add remembers a key that is not remembered.
func (m *Map[V]) Add(key uint64, value V) {
	if m.young.len >= m.generation {
		// The tables are used again, so that a map that is full allocates no more.
		m.old.clear()
		m.young, m.old = m.old, m.young
		m.turns++
	}
	m.young.add(max(1, key), value)
}

// Delete forgets a key.
func (m *Map[V]) Delete(key uint64) {
	key = max(1, key)
	for _, t := range [...]*table[V]{&m.young, &m.old} {
		if t.len == 0 {
			continue
		}
		if i, found := t.find(key); found {
			t.remove(i)
		}
	}
}

// All lists the keys, those of the older generation first. Adding them in this order to an empty map of the same limit
// gives the same generations.
func (m *Map[V]) All() iter.Seq2[uint64, V] {
	return func(yield func(uint64, V) bool) {
		for _, t := range [...]*table[V]{&m.old, &m.young} {
			for key, value := range t.all() {
				if !yield(key, value) {
					return
				}
			}
		}
	}
}
