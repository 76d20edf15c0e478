// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree/critical"
)

// criticalRun returns what the critical path of the run is made of.
func (c *Composer) criticalRun() *critical.Run {
	n := c.run
	r := &critical.Run{
		Start: n.Start, End: n.End,
		Step: func(index int16) critical.Step {
			s := &c.task.Events.Steps[index]
			return critical.Step{Name: s.Name, ID: s.ID.Text, Deps: s.Deps}
		},
		Attempts: make([]critical.Attempt, len(n.Attempts)),
	}
	for i, a := range n.Attempts {
		r.Attempts[i] = critical.Attempt{Step: a.Step, Span: a.Span, Start: a.Start, End: a.End, FirstBatch: a.Batch == n.Attempts[0].Batch}
		if a.Before != nil && a.Before.Backoff != nil {
			r.Attempts[i].HasBackoff, r.Attempts[i].BackoffAt = true, a.Before.Backoff.At
		}
	}
	if w, ok := n.WaitWithoutPass(); ok {
		r.Queued = append(r.Queued, critical.Interval{Start: w.Start, End: w.End})
	}
	for i := range n.Passes {
		if w, ok := n.WaitBefore(i); ok {
			r.Queued = append(r.Queued, critical.Interval{Start: w.Start, End: w.End})
		}
	}
	if before := c.forgotten; before != nil {
		r.Before = &critical.Before{At: n.Before.At, Queued: before.totals.queue, Latest: before.latest, Nodes: slices.Clone(before.nodes)}
	}
	return r
}
