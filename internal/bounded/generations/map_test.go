// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package generations_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/bounded/generations"
)

// model implements Map with Go's maps.
type model struct {
	generation int
	young, old map[uint64]int
}

func (m *model) get(key uint64) (int, bool) {
	if value, found := m.young[key]; found {
		return value, true
	}
	value, found := m.old[key]
	return value, found
}

func (m *model) all() map[uint64]int {
	all := maps.Clone(m.old)
	maps.Copy(all, m.young)
	return all
}

// After any additions and deletions the map equals its model, and so does a map restored from All.
func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(2, 300).Draw(t, "limit")
		// A small range makes keys recur; a large number fills a table beyond its first size. Some keys differ in their
		// high bits only.
		keys := rapid.OneOf(rapid.Uint64Range(1, 400), rapid.Map(rapid.Uint64Range(1, 400), func(key uint64) uint64 { return key << 48 }))
		m, want := generations.New[int](limit), &model{max(1, limit/2), map[uint64]int{}, map[uint64]int{}}
		for step, key := range rapid.SliceOfN(keys, 0, 1500).Draw(t, "keys") {
			m.Fetch([]uint64{key, 0, uint64(step)}) // has no effect on the contents
			value, found := m.Get(key)
			wanted, known := want.get(key)
			if found != known || value != wanted {
				t.Fatalf("key %d: %d, %v; want %d, %v", key, value, found, wanted, known)
			}
			if step%2 == 0 && m.AddNew(key, step) == found {
				t.Fatalf("key %d was added: %v; found before: %v", key, !found, found)
			}
			switch {
			case !found:
				if step%2 != 0 {
					m.Add(key, step)
				}
				if len(want.young) >= want.generation {
					want.young, want.old = map[uint64]int{}, want.young
				}
				want.young[key] = step
			case key%3 == 0:
				m.Delete(key)
				delete(want.young, key)
				delete(want.old, key)
			}
			if m.Len() > limit || m.Len() != len(want.young)+len(want.old) {
				t.Fatalf("%d keys of %d; want %d", m.Len(), limit, len(want.all()))
			}
		}
		copied := generations.New[int](limit)
		for key, value := range m.All() {
			copied.Add(key, value)
		}
		for _, got := range []*generations.Map[int]{m, copied} {
			if !maps.Equal(want.all(), maps.Collect(got.All())) {
				t.Fatalf("%v; want %v", maps.Collect(got.All()), want.all())
			}
		}
	})
}

func TestZeroIsOne(t *testing.T) {
	m := generations.New[string](4)
	m.Delete(0)
	m.Add(0, "nothing")
	value, found := m.Get(1)
	require.Equal(t, "nothing", value)
	require.True(t, found)
	m.Delete(1)
	require.Zero(t, m.Len())
}

func TestTurns(t *testing.T) {
	m := generations.New[int](4)
	for key := range uint64(9) {
		m.Add(key+1, 0)
	}
	require.Equal(t, uint64(4), m.Turns())
	require.Equal(t, 3, m.Len())
}

// BenchmarkAdd adds a stream of new keys to a full map, in batches, with and without Fetch.
func BenchmarkAdd(b *testing.B) {
	for _, fetches := range []bool{false, true} {
		b.Run(fmt.Sprintf("fetched=%t", fetches), func(b *testing.B) {
			const limit, batch = 1_000_000, 500
			m := generations.New[uint32](limit)
			next := uint64(0)
			fill := func(keys []uint64) {
				for i := range keys {
					next += 0x9e3779b97f4a7c15
					keys[i] = next
				}
			}
			all := make([]uint64, limit)
			fill(all)
			for _, key := range all {
				m.Add(key, 0)
			}
			keys := all[:batch]
			b.ReportAllocs()
			for b.Loop() {
				fill(keys)
				if fetches {
					m.Fetch(keys)
				}
				for _, key := range keys {
					m.AddNew(key, 0)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/key")
		})
	}
}
