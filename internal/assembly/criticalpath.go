// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import "github.com/tasker-otel/otelcol-tasker/internal/assembly/critical"

// criticalRun returns what the critical path of a run is made of.
func (t *task) criticalRun(n *run) *critical.Run {
	r := &critical.Run{
		Start: n.start, End: n.end,
		Step: func(index int16) critical.Step {
			s := &t.steps[index]
			return critical.Step{Name: s.name, ID: s.id.Text, Deps: s.deps}
		},
		Attempts: make([]critical.Attempt, len(n.attempts)),
	}
	for i, a := range n.attempts {
		r.Attempts[i] = critical.Attempt{Step: a.step, Span: a.span, Start: a.start, End: a.end, FirstBatch: a.batch == n.attempts[0].batch}
		if a.before != nil && a.before.backoff != nil {
			r.Attempts[i].HasBackoff, r.Attempts[i].BackoffAt = true, a.before.backoff.at
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
	if cp := n.before; cp != nil {
		r.Before = &critical.Before{At: cp.at, Queued: cp.totals.queue, Latest: cp.latest}
		for i := range cp.steps {
			r.Before.Nodes = append(r.Before.Nodes, cp.steps[i].node)
		}
	}
	return r
}
