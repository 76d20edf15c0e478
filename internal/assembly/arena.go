// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import "slices"

// arena is memory for reading tasks, used again for the next task: a task that goes on is read several times a second. What is
// taken from it holds until the next task is unpacked.
type arena struct {
	runs     slab[run]
	passes   slab[pass]
	batches  slab[batch]
	attempts slab[attempt]

	// Of the reader, by step.
	current []*attempt
	resets  []bool
	listed  []bool
	counts  []int32
	open    []int8
}

// reset makes all memory available again.
func (m *arena) reset() {
	m.runs.reset()
	m.passes.reset()
	m.batches.reset()
	m.attempts.reset()
	clear(m.current)
}

// zeros gives a list of n zeros, in the memory of a list that is not needed any more.
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

// slab hands out values one by one, from memory that is used again.
type slab[T any] struct {
	chunks []*[slabSize]T
	used   int
}

// next is a zero value.
func (s *slab[T]) next() *T {
	if s.used == len(s.chunks)*slabSize {
		s.chunks = append(s.chunks, new([slabSize]T))
	}
	value := &s.chunks[s.used/slabSize][s.used%slabSize]
	s.used++
	return value
}

func (s *slab[T]) reset() {
	for i := 0; i*slabSize < s.used; i++ {
		clear(s.chunks[i][:min(slabSize, s.used-i*slabSize)])
	}
	if len(s.chunks) > keptSlabs {
		clear(s.chunks[keptSlabs:])
		s.chunks = s.chunks[:keptSlabs]
	}
	s.used = 0
}
