// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

// family holds the series of one metric of one application.
type family struct {
	byKey map[string]*series
	// order is the order of first appearance.
	order    []*series
	overflow *series
}

// each iterates over the series, the overflow series last.
func (f *family) each(yield func(s *series) bool) {
	for _, s := range f.order {
		if !yield(s) {
			return
		}
	}
	if f.overflow != nil {
		yield(f.overflow)
	}
}

// series holds the values of one combination of labels.
type series struct {
	id  uint64
	app *application
	// metric is the index of its definition.
	metric int
	key    string
	labels []Label
	// bytes is its estimated size in the room.
	bytes int64
	// started is the wall time of the series' start, and touched the running time of its latest value.
	started, touched int64
	// folded is the series into which this one was merged; nil while it is live.
	folded *series
	// pending is true if no delivered flush has reported the latest value.
	pending bool
	Value
}

// touch records a new value. Batches that waited for the lock may have times out of order.
func (s *series) touch(now Instant) {
	s.touched = max(s.touched, now.Running)
	s.pending = true
}

// current returns the series that holds this one's values now.
func (s *series) current() *series {
	for s.folded != nil {
		s = s.folded
	}
	return s
}

// isOverflow reports whether the series aggregates what exceeds a limit.
func (s *series) isOverflow() bool { return s.app.families[s.metric].overflow == s }

// label returns the value of a label; empty if it is absent.
func (s *series) label(name string) string {
	for i := range s.labels {
		if s.labels[i].Name == name {
			return s.labels[i].Value
		}
	}
	return ""
}
