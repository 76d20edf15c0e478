// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package tree

import "github.com/tasker-otel/otelcol-tasker/internal/assembly/event"

// Tree is one run of a task: the task's span first, every parent before its children. Spans of the run that were emitted before as
// parts are not in it. The tree and everything in it belong to the assembler and are valid only until the sink returns.
type Tree struct {
	Trace event.TraceID
	// Key is the id under which the assembler knows the task. It differs from Trace if the task has a caller.
	Key      event.TraceID
	Resource *event.Resource
	Reason   Reason
	// Part is true while the task is open: the tree has final spans of it, without the task's own.
	Part  bool
	Spans []Span
	// Cut is the number of spans that the limits on a tree left out, and SpanEventsCut that of events on spans.
	Cut, SpanEventsCut int
	// EventsDropped is the number of events dropped because a span has 128 at most.
	EventsDropped int

	steps []event.Step // of the task
}

// Steps visits the steps of the tree's task: their names, and those of the steps they depend on. It may be called until the sink
// returns.
func (t *Tree) Steps(visit func(name string, dependencies []string)) {
	for i := range t.steps {
		visit(t.steps[i].Name, t.steps[i].Deps)
	}
}

// Reason says why a tree left the assembler.
type Reason uint8

const (
	// ReasonEnded means that the task ended and nothing of it is missing.
	ReasonEnded Reason = iota
	// ReasonSettled means that the task ended and some events did not arrive within the settle timeout.
	ReasonSettled
	// ReasonIdle means that no event arrived for the idle timeout; the tree is incomplete.
	ReasonIdle
	// ReasonEvicted means that the number of open tasks was at its limit, and this one had been idle longest.
	ReasonEvicted
	// ReasonEvictedBytes means that the memory of open tasks was over its limit, and this one had been idle longest.
	ReasonEvictedBytes
	// ReasonShutdown means that the collector stopped.
	ReasonShutdown

	// ReasonOpen means that the task is open, and the tree, which is not emitted, shows its present state.
	ReasonOpen
)

func (r Reason) String() string {
	return [...]string{"ended", "settled", "idle", "evicted", "evicted_bytes", "shutdown", "open"}[r]
}
