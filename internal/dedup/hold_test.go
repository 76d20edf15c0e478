// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package dedup

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// model is a set that has the batch of each key.
type model struct {
	generation int
	young, old map[uint64]int
	open       map[int][]uint64
}

func (m *model) holder(key uint64) (batch int, found bool) {
	if batch, found = m.young[key]; found {
		return batch, true
	}
	batch, found = m.old[key]
	return batch, found
}

// claim returns the open batch for which this one must wait; 0 if there is none.
func (m *model) claim(batch int, keys []uint64) (waitsFor int) {
	for i, key := range keys {
		if key == 0 {
			continue
		}
		holder, known := m.holder(key)
		if !known {
			if len(m.young) >= m.generation {
				m.young, m.old = map[uint64]int{}, m.young
			}
			m.young[key] = batch
			continue
		}
		if _, open := m.open[holder]; open {
			m.forget(batch, keys[:i])
			return holder
		}
		keys[i] = 0
	}
	m.open[batch] = keys
	return 0
}

func (m *model) forget(batch int, keys []uint64) {
	for _, key := range keys {
		if holder, known := m.holder(key); known && holder == batch {
			delete(m.young, key)
			delete(m.old, key)
		}
	}
}

// Whatever is claimed, released and forgotten, the set decides as one that has the batch of each key.
func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(2, 60).Draw(t, "limit")
		s, want := New(limit), &model{max(1, limit/2), map[uint64]int{}, map[uint64]int{}, map[int][]uint64{}}
		claims := map[int]Claim{}
		for batch := 1; batch <= 60; batch++ {
			keys := rapid.SliceOfN(rapid.Uint64Range(0, 100), 0, 30).Draw(t, "keys")
			expected := slices.Clone(keys)
			waitsFor := want.claim(batch, expected)
			claim, outcome := s.TryClaim(keys)
			switch {
			case waitsFor == 0 && outcome != nil:
				t.Fatalf("batch %d waits", batch)
			case waitsFor != 0 && outcome != claims[waitsFor].outcome:
				t.Fatalf("batch %d does not wait for %d", batch, waitsFor)
			case outcome == nil:
				claims[batch] = claim
			}
			if !slices.Equal(keys, expected) {
				t.Fatalf("batch %d has %v; want %v", batch, keys, expected)
			}
			for ended := range batch {
				claim, open := claims[ended]
				if !open || rapid.IntRange(0, 4).Draw(t, "ends") != 0 {
					continue
				}
				keys := want.open[ended]
				delete(claims, ended)
				delete(want.open, ended)
				if rapid.Bool().Draw(t, "released") {
					claim.Release()
					want.forget(ended, keys)
				} else {
					claim.Commit()
				}
			}
			if s.Len() != len(want.young)+len(want.old) {
				t.Fatalf("%d keys; want %d", s.Len(), len(want.young)+len(want.old))
			}
		}
	})
}
