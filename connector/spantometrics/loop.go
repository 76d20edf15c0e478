// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"
	"time"
)

// loop calls a function periodically from one goroutine.
type loop struct {
	quit, done chan struct{}
	// cancel cancels the context of the current call.
	cancel context.CancelFunc
}

// startLoop makes the first call immediately, or after one interval. The calls get a context of their own, because that of
// Start ends with the collector's startup.
func startLoop(interval time.Duration, atOnce bool, call func(context.Context)) *loop {
	ctx, cancel := context.WithCancel(context.Background())
	l := &loop{quit: make(chan struct{}), done: make(chan struct{}), cancel: cancel}
	go func() {
		defer close(l.done)
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		if atOnce {
			call(ctx)
		}
		for {
			select {
			case <-l.quit:
				return
			case <-ticker.C:
				call(ctx)
			}
		}
	}()
	return l
}

// stop waits for the current call. If ctx is done first, it cancels the call's context. It must be called at most once.
func (l *loop) stop(ctx context.Context) {
	defer l.cancel()
	close(l.quit)
	select {
	case <-l.done:
	case <-ctx.Done():
		l.cancel()
		<-l.done
	}
}
