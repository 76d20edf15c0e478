// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter/internal/metadatatest"
)

// slow is a next component whose answers the test controls.
type slow struct {
	*fixture
	taken chan plog.Logs
	leave chan error
}

func newSlow(t *testing.T) *slow {
	t.Helper()
	s := &slow{taken: make(chan plog.Logs), leave: make(chan error)}
	next, err := consumer.NewLogs(func(_ context.Context, logs plog.Logs) error {
		s.taken <- logs
		return <-s.leave
	})
	require.NoError(t, err)
	s.fixture = newFixtureTo(t, nil, next)
	return s
}

// send sends events of one time in a request. The answer comes when the request has ended.
func (s *slow) send(ctx context.Context, t *testing.T, names ...string) <-chan error {
	logs := logsOf(t, "shop")
	for _, name := range names {
		logsOf(t, "shop", item{name, 5, nil}).ResourceLogs().MoveAndAppendTo(logs.ResourceLogs())
	}
	answer := make(chan error, 1)
	go func() { answer <- s.ConsumeLogs(ctx, logs) }()
	return answer
}

// A request with an event whose first request has not ended is answered after that one.
func TestResendWaitsForTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlow(t)
		first := s.send(t.Context(), t, "task.completed")
		<-s.taken
		resent := s.send(t.Context(), t, "task.failed", "task.completed")
		time.Sleep(createDefaultConfig().Deduplicate.MaxWait - 1)
		synctest.Wait()
		require.Empty(t, resent)

		s.leave <- nil
		require.NoError(t, <-first)
		rest := <-s.taken
		require.Equal(t, 1, rest.LogRecordCount())
		assert.Equal(t, "task.failed", records(rest)[0].EventName())
		s.leave <- nil
		require.NoError(t, <-resent)
	})
}

// When the first request fails, the waiting one passes the event on.
func TestResendAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlow(t)
		first := s.send(t.Context(), t, "task.completed")
		<-s.taken
		resent := s.send(t.Context(), t, "task.completed")
		synctest.Wait()
		failure := errors.New("lost")
		s.leave <- failure
		require.ErrorIs(t, <-first, failure)
		require.Equal(t, 1, (<-s.taken).LogRecordCount())
		s.leave <- nil
		require.NoError(t, <-resent)
	})
}

// The wait ends at max_wait, or with the sender's context. The answer is retryable, and nothing stays claimed.
func TestResendWaitsNoLongerThanAllowed(t *testing.T) {
	for name, test := range map[string]struct {
		patience time.Duration
		want     error
	}{
		"max_wait":        {time.Hour, errInFlight},
		"the sender left": {time.Second, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSlow(t)
				first := s.send(t.Context(), t, "task.completed")
				<-s.taken
				ctx, cancel := context.WithTimeout(t.Context(), test.patience)
				defer cancel()
				err := <-s.send(ctx, t, "task.failed", "task.completed")
				require.ErrorIs(t, err, test.want)
				assert.False(t, consumererror.IsPermanent(err))
				metadatatest.AssertEqualProcessorEventRouterRefused(t, s.tel,
					[]metricdata.DataPoint[int64]{{Value: 2}}, metricdatatest.IgnoreTimestamp())

				other := s.send(t.Context(), t, "task.failed")
				require.Equal(t, 1, (<-s.taken).LogRecordCount(), "task.failed is free")
				s.leave <- nil
				s.leave <- nil
				require.NoError(t, <-other)
				require.NoError(t, <-first)
			})
		})
	}
}

// Several senders send the same events in different batches while the next component sometimes fails. Each resends refused batches.
// Every event is delivered once, and no request is refused because of another one.
func TestSendersSideBySide(t *testing.T) {
	const senders, events = 4, 600
	var mu sync.Mutex
	delivered := map[pcommon.Timestamp]int{}
	busy := errors.New("busy")
	next, err := consumer.NewLogs(func(_ context.Context, logs plog.Logs) error {
		runtime.Gosched()
		if rand.IntN(4) == 0 {
			return busy
		}
		mu.Lock()
		defer mu.Unlock()
		for _, record := range records(logs) {
			delivered[record.Timestamp()-base]++
		}
		return nil
	})
	require.NoError(t, err)
	// A wait of an hour never times out, however slow the machine.
	f := newFixtureTo(t, func(c *Config) { c.Deduplicate.MaxWait = time.Hour }, next)
	var sending sync.WaitGroup
	for range senders {
		sending.Go(func() {
			for first := 0; first < events; {
				numbers := make([]int, min(1+rand.IntN(20), events-first))
				for i := range numbers {
					numbers[i] = first + i
				}
				switch err := f.ConsumeLogs(t.Context(), numbered(t, numbers...)); {
				case err == nil:
					first += len(numbers)
				case !errors.Is(err, busy):
					assert.NoError(t, err)
					return
				}
			}
		})
	}
	sending.Wait()
	require.Len(t, delivered, events)
	for at, times := range delivered {
		require.Equal(t, 1, times, at)
	}
}
