// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"
	"time"
)

// loop calls a function at an interval, from one goroutine.
type loop struct {
	quit, done chan struct{}
	// cancel ends the context of the call under way.
	cancel context.CancelFunc
}

// startLoop makes the first call at once, or after one interval. The calls have a context of their own: that of a
// component's Start ends with the start of the collector.
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

// stop waits for the call under way. When ctx ends first, the call's context ends too. It may be called once.
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
