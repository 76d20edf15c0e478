// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package seen_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/seen"
)

// The set does not exceed its limit, remembers at least the latest half of it, and a copy made from All is equal.
func TestBoundsAndCopies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(2, 20).Draw(t, "limit")
		s := seen.New(limit)
		var added []uint64
		for _, key := range rapid.SliceOfN(rapid.Uint64Range(1, 60), 0, 200).Draw(t, "keys") {
			isNew := s.Add(key)
			if recent := added[max(0, len(added)-limit/2):]; isNew && slices.Contains(recent, key) {
				t.Fatalf("%d was forgotten", key)
			}
			if !isNew && !slices.Contains(added, key) {
				t.Fatalf("%d was never added", key)
			}
			if isNew {
				added = append(added, key)
			}
			if s.Len() > limit {
				t.Fatalf("%d keys", s.Len())
			}
		}
		copied := seen.New(limit)
		for key := range s.All() {
			copied.Add(key)
		}
		if !slices.Equal(sorted(s), sorted(copied)) {
			t.Fatal("the copy holds other keys")
		}
	})
}

func sorted(s *seen.Set) []uint64 { return slices.Sorted(s.All()) }

func BenchmarkAdd(b *testing.B) {
	s := seen.New(1_000_000)
	next := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		next++
		s.Add(next * 0x9e3779b97f4a7c15)
	}
}
