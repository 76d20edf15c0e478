// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package dedup recognises items seen before, in bounded memory, and forgets those whose delivery failed.
//
// A [Set] belongs to the component that made it, and may be used concurrently by all of its requests.
package dedup

import (
	"context"
	"slices"
	"sync"

	"github.com/tasker-otel/otelcol-tasker/internal/bounded/generations"
)

// Set remembers the latest keys, between half of its limit and the limit. It is safe for concurrent use; a batch takes its lock
// once.
type Set struct {
	mu sync.Mutex
	// earlier is the number of turns in earlier processes.
	earlier uint64
	keys    *generations.Map[struct{}]
	// open are the batches whose outcome is not known yet, in the order of their claims.
	open []*hold
	// holders are the batches of the keys of the first indexed of open, so that looking for the holder of a key does not take longer
	// with more open batches. A batch is added when a repeated key is looked up.
	holders map[uint64]held
	indexed int
}

// held is a key of a batch.
type held struct {
	hold  *hold
	place int
}

// New makes a set of at most limit keys, and at least two.
func New(limit int) *Set {
	return &Set{keys: generations.New[struct{}](limit)}
}

// Len returns the number of keys held.
func (s *Set) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys.Len()
}

// Turns returns how often a generation was forgotten. Keys added two turns ago are no longer held.
func (s *Set) Turns() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen()
}

func (s *Set) seen() uint64 { return s.earlier + s.keys.Turns() }

// Restore adds keys of an earlier process, added after the given number of turns. The oldest must come first.
func (s *Set) Restore(keys []uint64, turns uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.earlier += max(turns, s.seen()) - s.seen()
	for _, key := range keys {
		if key != 0 {
			s.keys.AddNew(key, struct{}{})
		}
	}
}

// Claim is a batch's hold on the keys that it has first. Until Commit or Release is called, once, other batches with one of these
// keys wait. The zero Claim holds nothing.
type Claim struct {
	set *Set
	*hold
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
	turns := s.keys.Turns()
	h := &hold{keys: keys, since: turns}
	for i, key := range keys {
		if i%generations.FetchedAtOnce == 0 {
			s.keys.Fetch(keys[i:min(i+generations.FetchedAtOnce, len(keys))])
		}
		if key == 0 {
			continue
		}
		if s.keys.AddNew(key, struct{}{}) {
			if now := s.keys.Turns(); now != turns {
				turns = now
				h.turned = append(h.turned, i)
			}
			continue
		}
		if holder := s.holder(key); holder != nil {
			h.keys = keys[:i]
			s.forget(h)
			return Claim{}, holder.wait()
		}
		keys[i] = 0
	}
	s.open = append(s.open, h)
	return Claim{s, h}, nil
}

// holder returns the open batch that holds a key, if there is one.
func (s *Set) holder(key uint64) *hold {
	s.index()
	if of, found := s.holders[key]; found && of.place >= of.hold.first(s.keys.Turns()) {
		return of.hold
	}
	return nil
}

// index adds the batches claimed since the last call. A key that was forgotten and added again is that of the latest batch, and place.
func (s *Set) index() {
	if s.holders == nil {
		s.holders = map[uint64]held{}
	}
	for _, h := range s.open[s.indexed:] {
		for place, key := range h.keys {
			if key != 0 {
				s.holders[key] = held{h, place}
			}
		}
	}
	s.indexed = len(s.open)
}

// Keys calls yield with each key that the batch has first.
func (c Claim) Keys(yield func(uint64) bool) {
	if c.hold == nil {
		return
	}
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
	c.set.end(c.hold)
}

// Release ends the claim and forgets its keys, so that the sender's next attempt is accepted.
func (c Claim) Release() {
	if c.set == nil {
		return
	}
	c.set.mu.Lock()
	defer c.set.mu.Unlock()
	c.set.end(c.hold)
	c.set.forget(c.hold)
}

// end removes a batch from those that are open, and wakes its waiters.
func (s *Set) end(h *hold) {
	if h.outcome != nil {
		close(h.outcome)
	}
	i := slices.Index(s.open, h)
	if i < 0 {
		return
	}
	s.open = slices.Delete(s.open, i, i+1)
	if i >= s.indexed {
		return
	}
	if s.indexed--; s.indexed == 0 {
		s.holders = nil
		return
	}
	for _, key := range h.keys {
		if s.holders[key].hold == h {
			delete(s.holders, key)
		}
	}
}

// forget does not remove keys that another batch has added since they were forgotten.
func (s *Set) forget(h *hold) {
	for _, key := range h.keys[h.first(s.keys.Turns()):] {
		if key != 0 {
			s.keys.Delete(key)
		}
	}
}
