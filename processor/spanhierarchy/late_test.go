// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
)

// The pages show the events that arrived after their spans had been emitted.
func TestThePagesSeeWhatCameTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := pagesHost(livedata.Keep{Tasks: 10, Bytes: 1 << 20})
		h := newTest(t, new(consumertest.TracesSink), nil)
		require.NoError(t, h.Start(t.Context(), host))
		tasks := host.Registry.Tasks(h.id)
		key := event.TraceID(lifecycle.TraceID("", "shop", "1"))
		require.NoError(t, h.ConsumeTraces(t.Context(), whole("1")))
		<-time.After(31 * time.Second)
		synctest.Wait()
		runs := tasks.Runs(key)
		require.NotEmpty(t, runs)
		require.Nil(t, runs[0].Late)

		require.NoError(t, h.ConsumeTraces(t.Context(), events("1", lifecycle.TaskStartRequested, lifecycle.WorkflowTaskStarted)))
		late := tasks.Runs(key)[0].Late
		require.NotNil(t, late)
		require.Equal(t, 2, late.Count)
		require.Equal(t, []livedata.LateName{{Event: lifecycle.TaskStartRequested, Count: 1}, {Event: lifecycle.WorkflowTaskStarted, Count: 1}}, late.Names)
		require.Len(t, late.Latest, 2)
		require.Equal(t, time.Now().UnixNano(), late.Latest[1].Came)
		require.NoError(t, h.Shutdown(t.Context()))
	})
}

// The late events kept are bounded, and counted exactly.
func TestLateEventsAreBounded(t *testing.T) {
	l := newLateEvents()
	id := func(n int) event.TraceID { return event.TraceID{byte(n >> 8), byte(n)} }
	for task := range 2 * lateTasks {
		l.add(&event.Event{TraceID: id(task), Name: "a"})
	}
	require.Len(t, l.tasks, lateTasks)
	require.Nil(t, l.of(id(lateTasks-1)))
	for n := range 100 {
		l.add(&event.Event{TraceID: id(lateTasks), Name: "event " + strconv.Itoa(n), At: int64(n)})
	}
	late := l.of(id(lateTasks))
	require.Equal(t, 101, late.Count)
	require.LessOrEqual(t, len(late.Names), lateNames+1)
	require.Equal(t, livedata.LateName{Event: otherNames, Count: 101 - lateNames}, late.Names[0])
	require.Len(t, late.Latest, lateLatest)
	require.EqualValues(t, 99, late.Latest[lateLatest-1].At)
}
