// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
)

// around are the attempts near the time of an event, to which it can belong. A task can have thousands of attempts and as many
// queries, each of which is near a few attempts only: events are read in the order of their times, so an attempt that was over
// before one event is over for all later ones.
type around struct {
	attempts []*history.Attempt // in the order of the run's attempts
	next     int                // index in the run of the first attempt that has not begun
	latest   int64              // time of the latest event
	most     int                // length of attempts above which those that are over are removed
}

func (n *around) begin() { n.attempts, n.next, n.latest, n.most = n.attempts[:0], 0, 0, 0 }

// at returns all attempts of the run that have begun at a time, and some of those that are over, in their order.
func (n *around) at(c *Composer, at int64) []*history.Attempt {
	if at < n.latest {
		n.begin() // the history is in the order of arrival
	}
	n.latest = at
	for ; n.next < len(c.run.Attempts) && c.run.Attempts[n.next].Start <= at; n.next++ {
		if a := c.run.Attempts[n.next]; !c.over(a, at) {
			n.attempts = append(n.attempts, a)
		}
	}
	if len(n.attempts) > n.most {
		n.attempts = slices.DeleteFunc(n.attempts, func(a *history.Attempt) bool { return c.over(a, at) })
		n.most = 2*len(n.attempts) + 8
	}
	return n.attempts
}

// over reports whether no event at that time or later concerns the attempt.
func (c *Composer) over(a *history.Attempt, at int64) bool {
	return a.End < at && (c.going == nil || a.Settled.Ended && a.Settled.Until <= c.going.Now)
}
