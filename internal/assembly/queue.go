// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import "github.com/tasker-otel/otelcol-tasker/internal/assembly/event"

// wait is a stretch of time in the queue before a pass.
type wait struct {
	start, end  int64
	job         *event.Record // that began and so ended the wait
	synthesized bool
}

// waitBefore returns the wait that led to the pass: from the enqueuing, or from the end of the pass before, to the beginning of the
// job.
func (n *run) waitBefore(i int) (wait, bool) {
	if i == 0 && n.before != nil {
		return wait{}, false
	}
	p := n.passes[i]
	w := wait{end: p.start, job: p.job, synthesized: p.job == nil}
	if w.job != nil {
		w.end = w.job.At
	}
	if i > 0 {
		w.start = n.passes[i-1].end
		return w, w.start <= w.end
	}
	if enqueued := n.enqueued(); enqueued != nil && enqueued.At <= w.end {
		w.start = enqueued.At
		return w, true
	}
	w.start, w.synthesized = n.start, true
	return w, p.job != nil && n.start < w.end
}

// enqueued returns the event by which the run was put in the queue.
func (n *run) enqueued() *event.Record {
	for i := range n.records {
		switch n.records[i].Kind {
		case event.Enqueued:
			return &n.records[i]
		case event.PassBegan:
			return nil
		}
	}
	return nil
}

// waitWithoutPass returns the wait of a run that has no pass: to the beginning of a job, which ran no pass, or to the end.
func (n *run) waitWithoutPass() (wait, bool) {
	enqueued := n.enqueued()
	if len(n.passes) > 0 || enqueued == nil {
		return wait{}, false
	}
	w := wait{start: enqueued.At, end: n.end}
	for i := range n.records {
		if r := &n.records[i]; r.Kind == event.JobBegan && r.At >= w.start && (r.At < w.end || r.At == w.end && w.job == nil) {
			w.end, w.job = r.At, r
		}
	}
	return w, true
}
