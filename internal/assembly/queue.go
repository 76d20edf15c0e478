// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

// wait is a stretch of time in the queue before a pass.
type wait struct {
	start, end  int64
	job         *record // that began and so ended the wait
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
		w.end = w.job.at
	}
	if i > 0 {
		w.start = n.passes[i-1].end
		return w, w.start <= w.end
	}
	if enqueued := n.enqueued(); enqueued != nil && enqueued.at <= w.end {
		w.start = enqueued.at
		return w, true
	}
	w.start, w.synthesized = n.start, true
	return w, p.job != nil && n.start < w.end
}

// enqueued returns the event by which the run was put in the queue.
func (n *run) enqueued() *record {
	for i := range n.records {
		switch n.records[i].kind {
		case kindEnqueued:
			return &n.records[i]
		case kindPassBegan:
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
	w := wait{start: enqueued.at, end: n.end}
	for i := range n.records {
		if r := &n.records[i]; r.kind == kindJobBegan && r.at >= w.start && (r.at < w.end || r.at == w.end && w.job == nil) {
			w.end, w.job = r.at, r
		}
	}
	return w, true
}
