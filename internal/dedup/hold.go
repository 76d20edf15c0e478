// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package dedup

// hold is what an open batch has added to the set. The set itself does not have the batches of keys, which would double its size. The
// set's mutex guards it.
type hold struct {
	// keys are zero where the batch does not have them first.
	keys []uint64
	// since is the number of turns of the set before the first key was added, and turned are the places of the keys with which it
	// turned again.
	since  uint64
	turned []int
	// outcome is closed when the batch ends; nil until the first one waits for it.
	outcome chan struct{}
}

// first returns the place of the first key that the set still has after so many turns: each key is forgotten by the second turn
// after it was added.
func (h *hold) first(turns uint64) int {
	const kept = 1
	if turns <= h.since+kept {
		return 0
	}
	if gone := turns - h.since - kept; gone <= uint64(len(h.turned)) {
		return h.turned[gone-1]
	}
	return len(h.keys)
}

// wait returns the channel that is closed at the end of the batch.
func (h *hold) wait() <-chan struct{} {
	if h.outcome == nil {
		h.outcome = make(chan struct{})
	}
	return h.outcome
}
