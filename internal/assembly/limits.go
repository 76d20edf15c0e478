// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
)

// Limits bound what an assembler holds and for how long. All durations count from the arrival of a task's latest event.
type Limits struct {
	// OpenTasks is the largest number of open tasks. One more evicts the task that has been idle longest.
	OpenTasks int
	// HeldBytes is the approximate memory of all open tasks; 0 is no limit. Above it the tasks that have been idle longest are
	// evicted.
	HeldBytes int64
	// EventsPerTask is the largest number of events kept per task. More are dropped, except those that end a pass or the task.
	EventsPerTask int
	// SpansPerTree is the largest number of spans emitted per tree; children beyond it are cut.
	SpansPerTree int
	// BytesPerTree is the approximate size of an emitted tree; children and span events beyond it are cut.
	BytesPerTree int64
	// ReorderWindow is how long an ended task of which nothing is missing waits for late events.
	ReorderWindow time.Duration
	// SettleTimeout is how long an ended task waits for events that are known to be missing.
	SettleTimeout time.Duration
	// IdleTimeout is how long a task that has not ended stays open.
	IdleTimeout time.Duration
	// Parts makes the assembler emit the settled spans of a task while it is open, instead of the whole tree after its end.
	Parts bool
	// WaitsOf replaces these three durations for tasks of a name; nil when they are the same for all.
	WaitsOf func(taskName string) Waits
	// Remembered is how many released tasks are remembered, so that late events and reruns are recognized.
	Remembered int
	// Finished is how many released tasks are kept with their events for SettleTimeout, so that late events that were not known to
	// be missing still become spans.
	Finished int
}

// ofTree returns the limits on a tree.
func (l *Limits) ofTree() history.Limits {
	return history.Limits{Spans: l.SpansPerTree, Bytes: l.BytesPerTree}
}

// DefaultLimits returns the limits of span_hierarchy's default configuration, for all shards together.
func DefaultLimits() Limits {
	return Limits{
		OpenTasks:     100_000,
		HeldBytes:     512 << 20,
		EventsPerTask: 20_000,
		SpansPerTree:  10_000,
		BytesPerTree:  16 << 20,
		ReorderWindow: 2 * time.Second,
		SettleTimeout: 30 * time.Second,
		IdleTimeout:   24 * time.Hour,
		Remembered:    100_000,
		Finished:      10_000,
	}
}
