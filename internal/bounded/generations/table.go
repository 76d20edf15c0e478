// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package generations

import "iter"

// table is a hash table with linear probing for keys that are hashes. A lookup costs one cache miss where Go's map costs
// two or three, which dominates the cost of a million keys.
type table[V any] struct {
	// slots is empty, or its length is a power of two of which at most two thirds are in use.
	slots []slot[V]
	len   int
	// seed is odd and random, so that senders cannot choose keys that collide.
	seed uint64
	// shift reduces a 64-bit product to an index into slots.
	shift int
}

// slot is free if its key is 0. The key comes last: a zero-size field at the end would be padded.
type slot[V any] struct {
	value V
	key   uint64
}

// minSlots is the size of the smallest table: 1 << minBits.
const (
	minBits  = 6
	minSlots = 1 << minBits
)

// find returns the slot of a key, or the free slot for it. The table must have slots.
func (t *table[V]) find(key uint64) (int, bool) {
	mask := len(t.slots) - 1
	for i := t.home(key); ; i = (i + 1) & mask {
		switch t.slots[i].key {
		case key:
			return i, true
		case 0:
			return i, false
		}
	}
}

func (t *table[V]) home(key uint64) int { return int((key * t.seed) >> t.shift) }

func (t *table[V]) get(key uint64) (value V, found bool) {
	if t.len == 0 {
		return value, false
	}
	i, found := t.find(key)
	return t.slots[i].value, found
}

// fetch reads the home slots of keys. The caller must use the meaningless result, or the compiler may drop the reads.
func (t *table[V]) fetch(keys []uint64) (all uint64) {
	if t.len == 0 {
		return 0
	}
	for _, key := range keys {
		all ^= t.slots[t.home(key)].key
	}
	return all
}

// isFull reports whether the table must grow before a key is added.
func (t *table[V]) isFull() bool { return t.len >= len(t.slots)/3*2 }

// put adds a key at the free slot that find has returned.
func (t *table[V]) put(i int, key uint64, value V) {
	t.slots[i] = slot[V]{value, key}
	t.len++
}

func (t *table[V]) grow() {
	before := t.slots
	if len(before) == 0 {
		t.slots, t.shift = make([]slot[V], minSlots), 64-minBits
		return
	}
	t.slots, t.shift = make([]slot[V], 2*len(before)), t.shift-1
	mask := len(t.slots) - 1
	for _, s := range before {
		if s.key == 0 {
			continue
		}
		i := t.home(s.key)
		for t.slots[i].key != 0 { // the keys differ
			i = (i + 1) & mask
		}
		t.slots[i] = s
	}
}

// remove frees a slot and moves displaced entries back, so that no search ends at the gap.
func (t *table[V]) remove(gap int) {
	mask := len(t.slots) - 1
	for i := (gap + 1) & mask; t.slots[i].key != 0; i = (i + 1) & mask {
		if home := t.home(t.slots[i].key); (i-home)&mask >= (i-gap)&mask {
			t.slots[gap] = t.slots[i]
			gap = i
		}
	}
	t.slots[gap] = slot[V]{}
	t.len--
}

// clear empties the table and keeps its memory.
func (t *table[V]) clear() {
	clear(t.slots)
	t.len = 0
}

func (t *table[V]) all() iter.Seq2[uint64, V] {
	return func(yield func(uint64, V) bool) {
		for _, s := range t.slots {
			if s.key != 0 && !yield(s.key, s.value) {
				return
			}
		}
	}
}
