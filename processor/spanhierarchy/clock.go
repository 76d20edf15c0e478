// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import "time"

// clock is the time base of all deadlines: the time for which the processor has run since its state was created. It does not jump
// when the machine's clock is set, and it stands still while the collector is down, because senders wait as long. It is set at the
// start and then only read.
type clock struct {
	before  time.Duration // the running time of earlier processes, as far as stored
	started time.Time     // with a monotonic reading
}

func newClock() clock { return clock{started: time.Now()} }

// goOn continues the clock from a stored time.
func (c *clock) goOn(from time.Time) {
	c.before, c.started = time.Duration(from.UnixNano()), time.Now()
}

// now returns the running time as a time after the Unix epoch.
func (c *clock) now() time.Time {
	return time.Unix(0, int64(c.before+time.Since(c.started)))
}
