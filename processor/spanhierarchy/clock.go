// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import "time"

// clock is that of all deadlines: the time for which the processor has run since its state began. It does not jump when somebody
// sets the machine's clock, and it stands still while the collector is unavailable: the senders are kept waiting as long. It is set
// at the start and then only read.
type clock struct {
	before  time.Duration // what earlier processes have run, as far as it is stored
	started time.Time     // with a monotonic reading
}

func newClock() clock { return clock{started: time.Now()} }

// goOn makes the clock go on from a time that is stored.
func (c *clock) goOn(from time.Time) {
	c.before, c.started = time.Duration(from.UnixNano()), time.Now()
}

// now is the running time, as that long after the Unix epoch.
func (c *clock) now() time.Time {
	return time.Unix(0, int64(c.before+time.Since(c.started)))
}
