// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"time"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

// clock has the times of an instance. It is set before the first input is started.
type clock struct {
	// started is when the process started, by the monotonic clock, and ranBefore the total running time, in nanoseconds, of
	// earlier processes with the same state.
	started   time.Time
	ranBefore int64
}

// now returns the wall clock's time and the total running time of the state.
func (c *clock) now() series.Instant {
	now := time.Now()
	return series.Instant{Wall: now.UnixNano(), Running: c.ranBefore + int64(now.Sub(c.started))}
}
