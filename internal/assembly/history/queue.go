// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package history

import "github.com/tasker-otel/otelcol-tasker/internal/assembly/event"

// Wait is a stretch of time in the queue before a pass.
type Wait struct {
	Start, End  int64
	Job         *event.Record // that began and so ended the wait
	Synthesized bool
}

// WaitBefore returns the wait that led to the pass: from the enqueuing, or from the end of the pass before, to the beginning of the
// job.
func (n *Run) WaitBefore(i int) (Wait, bool) {
	if i == 0 && n.Before != nil {
		return Wait{}, false
	}
	p := n.Passes[i]
	w := Wait{End: p.Start, Job: p.Job, Synthesized: p.Job == nil}
	if w.Job != nil {
		w.End = w.Job.At
	}
	if i > 0 {
		w.Start = n.Passes[i-1].End
		return w, w.Start <= w.End
	}
	if enqueued := n.enqueued(); enqueued != nil && enqueued.At <= w.End {
		w.Start = enqueued.At
		return w, true
	}
	w.Start, w.Synthesized = n.Start, true
	return w, p.Job != nil && n.Start < w.End
}

// enqueued returns the event by which the run was put in the queue.
func (n *Run) enqueued() *event.Record {
	for i := range n.Records {
		switch n.Records[i].Kind {
		case event.Enqueued:
			return &n.Records[i]
		case event.PassBegan:
			return nil
		}
	}
	return nil
}

// WaitWithoutPass returns the wait of a run that has no pass: to the beginning of a job, which ran no pass, or to the end.
func (n *Run) WaitWithoutPass() (Wait, bool) {
	enqueued := n.enqueued()
	if len(n.Passes) > 0 || enqueued == nil {
		return Wait{}, false
	}
	w := Wait{Start: enqueued.At, End: n.End}
	for i := range n.Records {
		if r := &n.Records[i]; r.Kind == event.JobBegan && r.At >= w.Start && (r.At < w.End || r.At == w.End && w.Job == nil) {
			w.End, w.Job = r.At, r
		}
	}
	return w, true
}
