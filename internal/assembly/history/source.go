// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package history

import "github.com/tasker-otel/otelcol-tasker/internal/assembly/event"

// Source is what the history of an open task is read from: its events, and what is known of those that are no longer kept.
type Source struct {
	Events event.Set

	Released   *Released      // nil until a run has been released
	Checkpoint *Checkpoint    // replaces the first records of the open run; nil while none is forgotten
	Records    []event.Record // the events, sorted; only while the task is checked
	Coarse     bool           // some clock has seconds only; known while the task is checked
}

// Forgot reports whether what happened at a time has been emitted and forgotten.
func (t *Source) Forgot(at int64) bool { return t.Checkpoint != nil && at <= t.Checkpoint.At }
