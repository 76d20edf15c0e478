// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package periodic runs the loops of components. It keeps no state, so it may be called concurrently.
package periodic

import (
	"context"
	"time"
)

// Run calls do after each interval until ctx ends. While do runs no other call is made, and intervals that pass meanwhile are
// skipped. It returns when ctx has ended and do has returned.
func Run(ctx context.Context, interval time.Duration, do func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if ctx.Err() != nil { // both had come
				return
			}
			do()
		}
	}
}
