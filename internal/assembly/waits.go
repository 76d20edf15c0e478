// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import "time"

// waiting is what an open task waits for, counted from its last event on.
type waiting uint8

const (
	// waitQuiet: the task ended, and as far as is known nothing is missing.
	waitQuiet waiting = iota
	// waitMissing: the task ended, and a check found events missing.
	waitMissing
	// waitActivity: the task was released, and only the queue's own retries arrived since.
	waitActivity
	// waitEnd: the task has not ended.
	waitEnd
	// waitResumed: a check found that the task resumed after its end.
	waitResumed
)

// Waits are the timeouts of tasks of one name.
type Waits struct {
	ReorderWindow, SettleTimeout, IdleTimeout time.Duration
}

// of returns how long a task waits from its last event on.
func (w *Waits) of(what waiting) time.Duration {
	switch what {
	case waitQuiet:
		return w.ReorderWindow
	case waitMissing, waitActivity:
		return w.SettleTimeout
	default:
		return w.IdleTimeout
	}
}

// patience returns how long after a cancellation a pass may begin that belongs to the cancelled run: a task whose job is still in
// the queue is held for it. It is also, by the time of the events, how long after an attempt's end another announcement of it
// counts.
func (w *Waits) patience() int64 { return int64(w.SettleTimeout - w.ReorderWindow) }

// sharedWaits bounds the names of tasks whose waits are cached.
const sharedWaits = 1 << 12

// waitsOf returns the timeouts of tasks of the name.
func (a *Assembler) waitsOf(name string) *Waits {
	if a.limits.WaitsOf == nil || name == "" {
		return &a.usual
	}
	if known, ok := a.waits[name]; ok {
		return known
	}
	waits := a.limits.WaitsOf(name)
	if len(a.waits) >= sharedWaits {
		clear(a.waits)
	}
	a.waits[name] = &waits
	return &waits
}
