// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskercsv

import "time"

// leastStep is the least time by which a clock is taken to have been set: the wall clock and the monotonic clock are not
// read at the same moment.
const leastStep = time.Second

// clock finds out when the wall clock was set back.
type clock struct {
	// began is when the first time was given, and wall and elapsed are the last time by the wall clock and by the monotonic
	// one.
	began         time.Time
	wall, elapsed time.Duration
}

// setBack returns by how much the clock was set back since the last call; 0 if it was not.
func (c *clock) setBack(now time.Time) time.Duration {
	if c.began.IsZero() {
		c.began = now
	}
	wall, elapsed := now.Round(0).Sub(c.began.Round(0)), now.Sub(c.began)
	back := (elapsed - c.elapsed) - (wall - c.wall)
	c.wall, c.elapsed = wall, elapsed
	if back < leastStep {
		return 0
	}
	return back
}
