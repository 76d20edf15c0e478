// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/periodic"
)

// loop calls a function periodically from one goroutine.
type loop struct {
	done chan struct{}
	// quit ends the loop after the current call, and cancel cancels the context of that call.
	quit, cancel context.CancelFunc
}

// startLoop makes the first call immediately, or after one interval. The calls get a context of their own, because that of
// Start ends with the collector's startup.
func startLoop(interval time.Duration, atOnce bool, call func(context.Context)) *loop {
	ctx, cancel := context.WithCancel(context.Background())
	running, quit := context.WithCancel(ctx)
	l := &loop{done: make(chan struct{}), quit: quit, cancel: cancel}
	go func() {
		defer close(l.done)
		if atOnce {
			call(ctx)
		}
		periodic.Run(running, interval, func() { call(ctx) })
	}()
	return l
}

// stop waits for the current call. If ctx is done first, it cancels the call's context. It must be called at most once.
func (l *loop) stop(ctx context.Context) {
	defer l.cancel()
	l.quit()
	select {
	case <-l.done:
	case <-ctx.Done():
		l.cancel()
		<-l.done
	}
}
