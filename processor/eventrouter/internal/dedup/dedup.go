// Package dedup recognises items that came before, in bounded memory, and forgets those whose delivery failed.
package dedup

import (
	"sync"

	"github.com/tasker-otel/otelcol-tasker/internal/bounded/generations"
)

// Set remembers between half of its limit of keys and all of it, always the latest. It is safe for concurrent use; a batch
// takes its lock once.
type Set struct {
	mu sync.Mutex
	// earlier is what the turns of earlier processes add to those of this one.
	earlier uint64
	// batches is the batch that brought each key.
	batches *generations.Map[uint32]
	// open are the batches whose outcome is not known yet.
	open      map[uint32]struct{}
	lastBatch uint32
}

// New makes a set of at most limit keys, and at least two.
func New(limit int) *Set {
	return &Set{batches: generations.New[uint32](limit), open: map[uint32]struct{}{}}
}

// Len is the number of keys held.
func (s *Set) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.batches.Len()
}

// Turns is how often a generation was forgotten. What was added two turns ago is no longer held.
func (s *Set) Turns() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen()
}

func (s *Set) seen() uint64 { return s.earlier + s.batches.Turns() }

// Restore adds keys of an earlier process, which had seen so many turns when it added them. The oldest come first.
func (s *Set) Restore(keys []uint64, turns uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.earlier += max(turns, s.seen()) - s.seen()
	for _, key := range keys {
		if _, known := s.batches.Get(key); !known && key != 0 {
			s.batches.Add(key, 0) // batches are numbered from 1
		}
	}
}

// Claim is a batch's hold on the keys that it brought first. Until Commit or Release is called, once, other batches with
// one of these keys are refused. The zero Claim holds nothing.
type Claim struct {
	set   *Set
	keys  []uint64
	batch uint32
}

// Claim takes the keys of a batch. A key that came before, in an earlier batch or earlier in this one, is set to zero in
// keys; a key that is zero already is skipped. The claim keeps the slice.
//
// It is false, and nothing is changed in the set, if one of the keys is held by another batch: whether that key is a
// duplicate depends on the other's outcome. The caller should try again later; keys is then of no further use.
func (s *Set) Claim(keys []uint64) (Claim, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastBatch++
	claim := Claim{s, keys, s.lastBatch}
	s.batches.Fetch(keys)
	for i, key := range keys {
		if key == 0 {
			continue
		}
		holder, known := s.batches.Get(key)
		if !known {
			s.batches.Add(key, claim.batch)
			continue
		}
		if _, open := s.open[holder]; open {
			s.forget(keys[:i], claim.batch)
			return Claim{}, false
		}
		keys[i] = 0
	}
	s.open[claim.batch] = struct{}{}
	return claim, true
}

// Keys calls yield with each key that the batch brought first.
func (c Claim) Keys(yield func(uint64) bool) {
	for _, key := range c.keys {
		if key != 0 && !yield(key) {
			return
		}
	}
}

// Commit ends the claim: its keys are remembered.
func (c Claim) Commit() {
	if c.set == nil {
		return
	}
	c.set.mu.Lock()
	defer c.set.mu.Unlock()
	delete(c.set.open, c.batch)
}

// Release ends the claim and forgets its keys, so that the sender's next attempt is taken.
func (c Claim) Release() {
	if c.set == nil {
		return
	}
	c.set.mu.Lock()
	defer c.set.mu.Unlock()
	delete(c.set.open, c.batch)
	c.set.forget(c.keys, c.batch)
}

// forget leaves alone what another batch brought.
func (s *Set) forget(keys []uint64, batch uint32) {
	for _, key := range keys {
		if holder, found := s.batches.Get(key); found && holder == batch {
			s.batches.Delete(key)
		}
	}
}
