// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskercsv

import "time"

// leastStep is the smallest detected step of the clock. The wall clock and the monotonic clock are not read at the same
// instant.
const leastStep = time.Second

// clock detects when the wall clock is set back.
type clock struct {
	// began is the first time given; wall and elapsed are the last readings of the wall clock and the monotonic clock.
	began         time.Time
	wall, elapsed time.Duration
}

// setBack returns by how much the clock was set back since the last call, or 0.
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
