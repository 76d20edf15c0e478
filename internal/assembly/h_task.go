// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import "github.com/tasker-otel/otelcol-tasker/internal/assembly/event"

// historyTask is an open task as its history is read: its events, and what is known of those that are no longer kept.
type historyTask struct {
	Events event.Set

	released   *releasedTask  // nil until a run has been released
	checkpoint *checkpoint    // replaces the first records of the open run; nil while none is forgotten
	records    []event.Record // the events, sorted; only while the task is checked
	coarse     bool           // some clock has seconds only; known while the task is checked
}

// forgot reports whether what happened at a time has been emitted and forgotten.
func (t *historyTask) forgot(at int64) bool { return t.checkpoint != nil && at <= t.checkpoint.at }
