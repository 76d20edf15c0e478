// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package periodic runs the loops of components. It has no state.
package periodic

import (
	"context"
	"time"
)

// Run calls do after each interval until ctx is done. Calls do not overlap: intervals that elapse during a call are
// skipped. It returns after the last call has returned.
func Run(ctx context.Context, interval time.Duration, do func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if ctx.Err() != nil { // both channels were ready
				return
			}
			do()
		}
	}
}
