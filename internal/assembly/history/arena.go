// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package history

import "slices"

// arena is the memory of what a reader finds. What is allocated from it is valid until it is reset.
type arena struct {
	runs     slab[Run]
	passes   slab[Pass]
	batches  slab[Batch]
	attempts slab[Attempt]
}

// reset makes all memory available again.
func (m *arena) reset() {
	m.runs.reset(func(n *Run) {
		*n = Run{Passes: emptied(n.Passes), Attempts: emptied(n.Attempts), Forgotten: emptied(n.Forgotten)}
	})
	m.passes.reset(func(p *Pass) { *p = Pass{Batches: emptied(p.Batches), Searches: emptied(p.Searches)} })
	m.batches.reset(func(b *Batch) { *b = Batch{Attempts: emptied(b.Attempts)} })
	m.attempts.reset(func(a *Attempt) { *a = Attempt{} })
}

// longestKept is the length up to which the memory of a list is reused.
const longestKept = 256

// emptied returns the list with length zero and its capacity.
func emptied[T any](list []T) []T {
	if cap(list) > longestKept {
		return nil
	}
	clear(list)
	return list[:0]
}

// zeros returns a list of n zeros that reuses the memory of a list.
func zeros[T any](list []T, n int) []T {
	list = slices.Grow(list[:0], n)[:n]
	clear(list)
	return list
}

const (
	// slabSize is how many values are allocated at once.
	slabSize = 32
	// keptSlabs is how many allocations are kept: enough for all but a few tasks.
	keptSlabs = 32
)

// slab allocates values one by one from reused memory.
type slab[T any] struct {
	chunks []*[slabSize]T
	used   int
}

// next returns a zero value whose lists keep their capacity.
func (s *slab[T]) next() *T {
	if s.used == len(s.chunks)*slabSize {
		s.chunks = append(s.chunks, new([slabSize]T))
	}
	value := &s.chunks[s.used/slabSize][s.used%slabSize]
	s.used++
	return value
}

// reset takes back all values; empty resets a value to what next returns.
func (s *slab[T]) reset(empty func(*T)) {
	for i := range s.used {
		empty(&s.chunks[i/slabSize][i%slabSize])
	}
	if len(s.chunks) > keptSlabs {
		clear(s.chunks[keptSlabs:])
		s.chunks = s.chunks[:keptSlabs]
	}
	s.used = 0
}
