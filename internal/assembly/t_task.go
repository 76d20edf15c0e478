// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import "github.com/tasker-otel/otelcol-tasker/internal/assembly/history"

// treeTask is an open task with what has been emitted of it.
type treeTask struct {
	history.Task

	emission  *emission // of the open run; nil while nothing has been emitted
	dropped   int32     // events over the limit
	disturbed bool      // an event older than the emission's frontier arrived
	leaving   bool      // it is released with the run being emitted
	cut       bool      // a limit omitted something
}

// callerOf returns the traceparent of the run's caller: the earliest of any event up to the beginning of the first pass. Spans of
// the pass are emitted while it runs, so a later one changes nothing.
func (t *treeTask) callerOf(n *history.Run) string {
	if len(n.Passes) > 0 && t.Events.ParentAt > n.Passes[0].Start {
		return ""
	}
	return t.Events.Parent
}
