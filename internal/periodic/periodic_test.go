// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package periodic

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRunCallsUntilTheContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		go Run(ctx, time.Second, func() { calls++ })
		time.Sleep(3500 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, 3, calls)
		cancel()
		time.Sleep(time.Minute)
		require.Equal(t, 3, calls, "it has ended")
	})
}

func TestRunSkipsIntervalsWhileACallRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		calls, ended := 0, make(chan struct{})
		go func() {
			defer close(ended)
			Run(ctx, time.Second, func() {
				calls++
				time.Sleep(2500 * time.Millisecond)
			})
		}()
		time.Sleep(10 * time.Second)
		cancel()
		<-ended
		require.Less(t, calls, 5)
		require.Greater(t, calls, 2)
	})
}
