// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package generations provides a bounded map that holds the most recently added keys.
//
// A Map is not safe for concurrent use.
package generations

import (
	"iter"
	"math/rand/v2"
)

// Map holds keys in two generations. When the younger one is full it becomes the older one, and the older one is discarded.
// So a full Map holds between half of its limit and all of it, always the most recently added keys. Keys are hashes; 0 is
// treated as 1. A Map is not safe for concurrent use.
type Map[V any] struct {
	generation int
	turns      uint64
	young, old table[V]
	// fetched makes the reads of Fetch observable, so that the compiler keeps them.
	fetched uint64
}

// New makes a map of at most limit keys, at least two.
func New[V any](limit int) *Map[V] {
	m := &Map[V]{generation: max(1, limit/2)}
	m.young.seed, m.old.seed = rand.Uint64()|1, rand.Uint64()|1
	return m
}

// Len returns the number of keys held.
func (m *Map[V]) Len() int { return m.young.len + m.old.len }

// Turns returns how often a generation was discarded. A key added two turns ago is no longer held.
func (m *Map[V]) Turns() uint64 { return m.turns }

// Get returns the value of a key, if it is held.
func (m *Map[V]) Get(key uint64) (value V, found bool) {
	key = max(1, key)
	if value, found = m.young.get(key); found {
		return value, true
	}
	return m.old.get(key)
}

// FetchedAtOnce is the largest useful number of keys to fetch before they are looked up: more displace each other from the CPU's caches.
const FetchedAtOnce = 512

// Fetch reads the slots of keys that are looked up next. A large map is not in the CPU's cache: this way its cache misses
// overlap.
func (m *Map[V]) Fetch(keys []uint64) {
	m.fetched = m.young.fetch(keys) ^ m.old.fetch(keys)
}

// Add adds a key that is not held.
func (m *Map[V]) Add(key uint64, value V) {
	m.makeRoom()
	key = max(1, key)
	i, _ := m.young.find(key)
	m.young.put(i, key, value)
}

// AddNew adds a key unless it is held. It returns false if it is.
func (m *Map[V]) AddNew(key uint64, value V) bool {
	key = max(1, key)
	if _, found := m.old.get(key); found {
		return false
	}
	if m.young.isFull() || m.young.len >= m.generation {
		if _, found := m.young.get(key); found {
			return false
		}
		m.makeRoom()
	}
	i, found := m.young.find(key)
	if !found {
		m.young.put(i, key, value)
	}
	return !found
}

// makeRoom makes room for a key in the younger generation.
func (m *Map[V]) makeRoom() {
	if m.young.len >= m.generation {
		// The tables are reused, so that a full map does not allocate.
		m.old.clear()
		m.young, m.old = m.old, m.young
		m.turns++
	}
	if m.young.isFull() {
		m.young.grow()
	}
}

// Delete removes a key.
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

// All iterates over the keys, the older generation first. Adding them in this order to an empty map of the same limit
// restores the same generations.
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
