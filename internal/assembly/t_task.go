// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

// treeTask is an open task with what has been emitted of it.
type treeTask struct {
	historyTask

	emission  *emission // of the open run; nil while nothing has been emitted
	dropped   int32     // events over the limit
	disturbed bool      // an event older than the emission's frontier arrived
	leaving   bool      // it is released with the run being emitted
	cut       bool      // a limit omitted something
}

// callerOf returns the traceparent of the run's caller: the earliest of any event up to the beginning of the first pass. Spans of
// the pass are emitted while it runs, so a later one changes nothing.
func (t *treeTask) callerOf(n *run) string {
	if len(n.passes) > 0 && t.Events.ParentAt > n.passes[0].start {
		return ""
	}
	return t.Events.Parent
}
