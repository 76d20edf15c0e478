// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package dedup recognises items seen before, in bounded memory, and forgets those whose delivery failed.
//
// A [Set] belongs to the component that made it, and may be used concurrently by all of its requests.
package dedup

import (
	"context"
	"sync"

	"github.com/tasker-otel/otelcol-tasker/internal/bounded/generations"
)

// Set remembers the latest keys, between half of its limit and the limit. It is safe for concurrent use; a batch takes its lock
// once.
type Set struct {
	mu sync.Mutex
	// earlier is the number of turns in earlier processes.
	earlier uint64
	// batches has the batch that was the first with each key.
	batches *generations.Map[uint32]
	// open are the batches whose outcome is not known yet. The channel is closed when it is known; it is nil until the first one
	// waits for it.
	open      map[uint32]chan struct{}
	lastBatch uint32
}

// New makes a set of at most limit keys, and at least two.
func New(limit int) *Set {
	return &Set{batches: generations.New[uint32](limit), open: map[uint32]chan struct{}{}}
}

// Len returns the number of keys held.
func (s *Set) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.batches.Len()
}

// Turns returns how often a generation was forgotten. Keys added two turns ago are no longer held.
func (s *Set) Turns() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen()
}

func (s *Set) seen() uint64 { return s.earlier + s.batches.Turns() }

// Restore adds keys of an earlier process, added after the given number of turns. The oldest must come first.
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

// Claim is a batch's hold on the keys that it has first. Until Commit or Release is called, once, other batches with one of these
// keys wait. The zero Claim holds nothing.
type Claim struct {
	set   *Set
	keys  []uint64
	batch uint32
}

// Claim takes the keys of a batch. A key seen before, in an earlier batch or earlier in this one, is set to zero in keys; a key
// that is zero already is skipped. The claim keeps the slice.
//
// Whether a key that another batch holds is a duplicate depends on that batch's outcome, so Claim waits for it. It holds no key
// while it waits, so that batches cannot block each other. If ctx ends first, its error is returned, the set is unchanged, and keys
// must not be used. Claim ignores ctx unless it has to wait.
func (s *Set) Claim(ctx context.Context, keys []uint64) (Claim, error) {
	for {
		claim, outcome := s.TryClaim(keys)
		if outcome == nil {
			return claim, nil
		}
		select {
		case <-outcome:
		case <-ctx.Done():
			return Claim{}, ctx.Err()
		}
	}
}

// TryClaim is Claim without waiting. If another batch holds one of the keys, it returns the zero Claim and a channel that
// is closed when that batch's outcome is known; the same keys can be claimed again then.
func (s *Set) TryClaim(keys []uint64) (claim Claim, outcome <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastBatch++
	claim = Claim{s, keys, s.lastBatch}
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
			return Claim{}, s.outcome(holder)
		}
		keys[i] = 0
	}
	s.open[claim.batch] = nil
	return claim, nil
}

// outcome returns the channel that is closed at the end of an open batch.
func (s *Set) outcome(batch uint32) <-chan struct{} {
	if s.open[batch] == nil {
		s.open[batch] = make(chan struct{})
	}
	return s.open[batch]
}

// end removes a batch from those that are open, and wakes its waiters.
func (s *Set) end(batch uint32) {
	if waited := s.open[batch]; waited != nil {
		close(waited)
	}
	delete(s.open, batch)
}

// Keys calls yield with each key that the batch has first.
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
	c.set.end(c.batch)
}

// Release ends the claim and forgets its keys, so that the sender's next attempt is accepted.
func (c Claim) Release() {
	if c.set == nil {
		return
	}
	c.set.mu.Lock()
	defer c.set.mu.Unlock()
	c.set.end(c.batch)
	c.set.forget(c.keys, c.batch)
}

// forget does not remove keys of other batches.
func (s *Set) forget(keys []uint64, batch uint32) {
	for _, key := range keys {
		if holder, found := s.batches.Get(key); found && holder == batch {
			s.batches.Delete(key)
		}
	}
}
