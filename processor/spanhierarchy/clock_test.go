// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/journal/journaltest"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// TestTheClockIsTheRunningTime: it begins at zero, whatever the machine's clock says, and continues from the stored time.
func TestTheClockIsTheRunningTime(t *testing.T) {
	c := newClock()
	assert.Contains(t, c.started.String(), " m=", "the time passed is read from the monotonic clock")
	c.goOn(time.Unix(3600, 0))
	assert.Contains(t, c.started.String(), " m=")
	synctest.Test(t, func(t *testing.T) {
		c := newClock()
		time.Sleep(time.Minute)
		assert.Equal(t, time.Unix(60, 0), c.now())
		c.goOn(time.Unix(3600, 0))
		time.Sleep(time.Second)
		assert.Equal(t, time.Unix(3601, 0), c.now())
	})
}

// TestAttackClockIsSetBetweenTwoStarts: no deadline depends on the machine's clock at a start. Stored times are running times, so a
// clock set back delays nothing, and a clock set forward ends nothing early.
func TestAttackClockIsSetBetweenTwoStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := journaltest.New()
		life := incarnate(t, s, nil)
		require.NoError(t, life.hierarchy.ConsumeTraces(t.Context(), whole("1"))) // misses events: it settles after 30 s
		time.Sleep(20 * time.Second)
		assert.Empty(t, life.stop(t))
		time.Sleep(100 * 24 * time.Hour) // forward by more than any deadline
		life = incarnate(t, s, nil)
		assert.Less(t, life.clock.now(), time.Unix(60, 0), "the state is as old as it ran")
		time.Sleep(5 * time.Second)
		assert.Empty(t, life.emitted(time.Now()))
		time.Sleep(30 * time.Second)
		assert.NotEmpty(t, life.stop(t))
	})
}

// TestCompactionKeepsTheClock: the entry with the latest time is removed when its tasks are released, but an open task does not
// start waiting again after the next start.
func TestCompactionKeepsTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := journaltest.New()
		life := incarnate(t, s, func(cfg *Config) { cfg.RememberedTasks = 0 })
		require.NoError(t, life.hierarchy.ConsumeTraces(t.Context(), events("open", lifecycle.TaskStartRequested, lifecycle.WorkflowTaskStarted)))
		for task := range 20 {
			require.NoError(t, life.hierarchy.ConsumeTraces(t.Context(), whole(fmt.Sprint(task))))
			time.Sleep(time.Hour)
		}
		require.NoError(t, life.state.compact(t.Context()))
		ended := life.die(t)
		require.NotEmpty(t, ended)
		life = incarnate(t, s, nil)
		time.Sleep(4*time.Hour + 2*time.Minute)
		spans := life.stop(t)
		require.NotEmpty(t, spans, "it was silent for 24 hours in all")
		assert.Contains(t, spans[0].Attributes, lifecycle.AttrIncomplete)
	})
}

// TestRestoreBesideAScrape: the collector's own metrics are read while the state is restored, under the race detector.
func TestRestoreBesideAScrape(t *testing.T) {
	s := journaltest.New()
	life := incarnate(t, s, nil)
	for task := range 200 {
		require.NoError(t, life.hierarchy.ConsumeTraces(t.Context(), whole(fmt.Sprint(task))))
	}
	life.stop(t)
	h := newTest(t, consumertest.NewNop(), func(cfg *Config) { cfg.Storage = &journaltest.ID })
	var scrapes sync.WaitGroup
	stop := make(chan struct{})
	scrapes.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				h.sum(func(s assembly.Stats) int64 { return s.HeldBytes })
			}
		}
	})
	require.NoError(t, h.Start(t.Context(), s.Host()))
	close(stop)
	scrapes.Wait()
	require.EqualValues(t, 200, h.sum(func(s assembly.Stats) int64 { return s.OpenTasks }))
	require.NoError(t, h.Shutdown(t.Context()))
}
