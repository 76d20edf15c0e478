// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/critical"
)

// criticalRun returns what the critical path of the run is made of.
func (c *composer) criticalRun() *critical.Run {
	n := c.run
	r := &critical.Run{
		Start: n.start, End: n.end,
		Step: func(index int16) critical.Step {
			s := &c.task.Events.Steps[index]
			return critical.Step{Name: s.Name, ID: s.ID.Text, Deps: s.Deps}
		},
		Attempts: make([]critical.Attempt, len(n.attempts)),
	}
	for i, a := range n.attempts {
		r.Attempts[i] = critical.Attempt{Step: a.step, Span: a.span, Start: a.start, End: a.end, FirstBatch: a.batch == n.attempts[0].batch}
		if a.before != nil && a.before.backoff != nil {
			r.Attempts[i].HasBackoff, r.Attempts[i].BackoffAt = true, a.before.backoff.At
		}
	}
	if w, ok := n.waitWithoutPass(); ok {
		r.Queued = append(r.Queued, critical.Interval{Start: w.start, End: w.end})
	}
	for i := range n.passes {
		if w, ok := n.waitBefore(i); ok {
			r.Queued = append(r.Queued, critical.Interval{Start: w.start, End: w.end})
		}
	}
	if before := c.forgotten; before != nil {
		r.Before = &critical.Before{At: n.before.at, Queued: before.totals.queue, Latest: before.latest, Nodes: slices.Clone(before.nodes)}
	}
	return r
}
