// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata/livedatatest"
)

func pagesHost(keep livedata.Keep) *livedatatest.Host {
	return &livedatatest.Host{Host: componenttest.NewNopHost(), Registry: &livedatatest.Registry{Bounds: keep}}
}

func TestThePagesSeeATaskFromItsFirstEventOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := pagesHost(livedata.Keep{Tasks: 10, Bytes: 1 << 20})
		h := newTest(t, new(consumertest.TracesSink), nil)
		require.NoError(t, h.Start(t.Context(), host))
		tasks := host.Registry.Tasks(h.id)
		require.NotNil(t, tasks)
		key := event.TraceID(lifecycle.TraceID("", "shop", "1"))

		require.NoError(t, h.ConsumeTraces(t.Context(), events("1", lifecycle.TaskStartRequested, lifecycle.WorkflowTaskStarted)))
		open := tasks.Open("", time.Now())
		require.Len(t, open, 1)
		require.Equal(t, key, open[0].Key)
		require.Equal(t, assembly.StateRunning, open[0].State)
		require.Equal(t, time.Now().UnixNano(), open[0].Arrived)
		<-time.After(5 * time.Second)
		require.EqualValues(t, 5*time.Second, open[0].Now(time.Now())-open[0].Changed, "on the sender's clock, which is far behind")
		require.Len(t, tasks.Runs(key), 1)
		require.Equal(t, tree.ReasonOpen, tasks.Runs(key)[0].Tree.Reason)
		require.Empty(t, tasks.Finished(""))

		require.NoError(t, h.ConsumeTraces(t.Context(), whole("1")))
		<-time.After(31 * time.Second) // by the bubble's clock
		synctest.Wait()
		require.Empty(t, tasks.Open("", time.Now()))
		finished := tasks.Finished("process_order")
		require.Len(t, finished, 1)
		require.Equal(t, lifecycle.StatusSuccess, finished[0].Status)
		require.Empty(t, tasks.Finished("refund"))
		require.Len(t, tasks.Runs(key), 1)
		statistics := tasks.Statistics(time.Now())
		require.Len(t, statistics.Workflows, 1)
		require.EqualValues(t, 1, statistics.Workflows[0].Finished.Last(15))
		require.Zero(t, statistics.Workflows[0].Failed.Last(15))

		require.NoError(t, h.Shutdown(t.Context()))
		require.Nil(t, host.Registry.Tasks(h.id), "withdrawn")
		require.NoError(t, h.Shutdown(t.Context()))
	})
}

func TestWithoutThePagesNothingIsKeptForThem(t *testing.T) {
	h := newTest(t, new(consumertest.TracesSink), nil)
	require.NoError(t, h.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, h.ConsumeTraces(t.Context(), whole("1")))
	require.Nil(t, h.pages)
	require.NoError(t, h.Shutdown(t.Context()))
}

// The pages may be read at any time, also while tasks open and end, and after the stop.
func TestViewersAndEventsDoNotDisturbEachOther(t *testing.T) {
	host := pagesHost(livedata.Keep{Tasks: 10, Bytes: 1 << 20})
	h := newTest(t, new(consumertest.TracesSink), func(cfg *Config) { cfg.ReorderWindow = 0 })
	require.NoError(t, h.Start(t.Context(), host))
	tasks := host.Registry.Tasks(h.id)
	var viewers sync.WaitGroup
	for range 4 {
		viewers.Go(func() {
			for range 50 {
				for _, task := range tasks.Open("order", time.Now()) {
					tasks.Runs(task.Key)
				}
				tasks.Finished("1")
				tasks.Statistics(time.Now())
			}
		})
	}
	for i := range 200 {
		require.NoError(t, h.ConsumeTraces(t.Context(), whole(string(rune('A'+i)))))
	}
	viewers.Wait()
	require.NoError(t, h.Shutdown(t.Context()))
	require.Len(t, tasks.Finished(""), 10, "the bound of the ring")
	require.Empty(t, tasks.Open("", time.Now()))
	require.Nil(t, h.pages.snapshot(event.TraceID(pcommon.TraceID{9})))
}

// With emit: parts a task's page shows the emitted spans unchanged, and the held ones.
func TestARunThatGoesOnHasWhatIsOutAndWhatIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := pagesHost(livedata.Keep{Tasks: 10, Bytes: 1 << 20})
		h := newTest(t, new(consumertest.TracesSink), func(cfg *Config) { cfg.Emit = emitParts })
		require.NoError(t, h.Start(t.Context(), host))
		tasks := host.Registry.Tasks(h.id)
		key := event.TraceID(lifecycle.TraceID("", "shop", "1"))
		require.NoError(t, h.ConsumeTraces(t.Context(), events("1", lifecycle.TaskStartRequested, lifecycle.ObservabilityTaskEnqueue,
			lifecycle.WorkflowTaskStarted, lifecycle.WorkflowTaskFinalizationStarted, lifecycle.WorkflowTaskFinalizationCompleted)))
		first := tasks.Runs(key)
		require.Len(t, first, 1)
		require.Empty(t, first[0].Settled)
		require.False(t, first[0].Together)
		<-time.After(40 * time.Second) // by the bubble's clock
		synctest.Wait()
		runs := tasks.Runs(key)
		require.Len(t, runs, 1)
		require.NotEmpty(t, runs[0].Settled)
		require.Len(t, runs[0].Tree.Spans, len(first[0].Tree.Spans))
		seen := map[event.SpanID]bool{}
		for _, s := range runs[0].Tree.Spans {
			require.False(t, seen[s.ID])
			seen[s.ID] = true
		}
		require.NotEmpty(t, runs[0].Missing, "announcements that come twice came once")
		require.False(t, runs[0].Settled[runs[0].Tree.Spans[0].ID], "the task's span comes last")
		require.NoError(t, h.Shutdown(t.Context()))
		ended := tasks.Runs(key)
		require.Len(t, ended, 1)
		require.False(t, ended[0].Open)
		require.Equal(t, lifecycle.SpanTask, ended[0].Tree.Spans[0].Name)
		require.Len(t, ended[0].Tree.Spans, len(first[0].Tree.Spans))
	})
}
