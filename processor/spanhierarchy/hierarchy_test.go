// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/tasker-otel/otelcol-tasker/internal/health/healthtest"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy/internal/metadata"
)

// events makes event spans of one task, a millisecond apart.
func events(task string, names ...string) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr(lifecycle.AttrServiceName, "shop")
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName(lifecycle.ScopeEvents)
	for i, name := range names {
		span := ss.Spans().AppendEmpty()
		span.SetName(name)
		span.SetTraceID(lifecycle.TraceID("", "shop", task))
		span.SetSpanID(pcommon.SpanID{byte(i + 1)})
		at := pcommon.Timestamp(1e9 + i*1e6)
		span.SetStartTimestamp(at)
		span.SetEndTimestamp(at)
		span.Attributes().PutStr(lifecycle.AttrTaskID, task)
		span.Attributes().PutStr(lifecycle.AttrTaskName, "process_order")
	}
	return td
}

func whole(task string) ptrace.Traces {
	return events(task, lifecycle.TaskStartRequested, lifecycle.ObservabilityTaskEnqueue, lifecycle.WorkflowTaskStarted,
		lifecycle.WorkflowTaskFinalizationStarted, lifecycle.TaskCompleted, lifecycle.WorkflowTaskFinalizationCompleted)
}

func newTest(t testing.TB, next consumer.Traces, change func(*Config)) *hierarchy {
	cfg := createDefaultConfig()
	cfg.TrustReceived = true // a test's spans come from no component
	cfg.Shards = 2
	if change != nil {
		change(cfg)
	}
	require.NoError(t, cfg.Validate())
	h, err := newHierarchy(processortest.NewNopSettings(metadata.Type), cfg, next)
	require.NoError(t, err)
	return h
}

func spanNames(traces []ptrace.Traces) map[string]int {
	names := map[string]int{}
	for _, td := range traces {
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, span := range ss.Spans().All() {
					names[span.Name()]++
				}
			}
		}
	}
	return names
}

func TestATreeIsEmittedWhenItsTaskIsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := new(consumertest.TracesSink)
		h := newTest(t, sink, nil)
		require.NoError(t, h.Start(t.Context(), componenttest.NewNopHost()))
		require.NoError(t, h.ConsumeTraces(t.Context(), whole("1")))
		require.NoError(t, h.ConsumeTraces(t.Context(), whole("1")), "sent again")
		require.Zero(t, sink.SpanCount())
		<-time.After(31 * time.Second) // by the bubble's clock
		synctest.Wait()
		require.Equal(t, map[string]int{
			lifecycle.SpanTask: 1, lifecycle.SpanOrchestration: 1, lifecycle.SpanQueued: 1, lifecycle.SpanFinalization: 1,
		}, spanNames(sink.AllTraces()))
		service, _ := sink.AllTraces()[0].ResourceSpans().At(0).Resource().Attributes().Get(lifecycle.AttrServiceName)
		require.Equal(t, "shop", service.Str())
		require.NoError(t, h.Shutdown(t.Context()))
		require.NoError(t, h.Shutdown(t.Context()))
		require.Zero(t, h.pending.Load())
	})
}

func TestShutdownEmitsOpenTasksAsIncomplete(t *testing.T) {
	sink := new(consumertest.TracesSink)
	h := newTest(t, sink, nil)
	require.NoError(t, h.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, h.ConsumeTraces(t.Context(), events("1", lifecycle.TaskStartRequested, lifecycle.WorkflowTaskStarted)))
	require.NoError(t, h.Shutdown(t.Context()))
	root := sink.AllTraces()[0].ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	incomplete, _ := root.Attributes().Get(lifecycle.AttrIncomplete)
	require.True(t, incomplete.Bool())
	reason, _ := root.Attributes().Get(lifecycle.AttrReleaseReason)
	require.Equal(t, "shutdown", reason.Str())
}

func TestOtherSpansPassUntouched(t *testing.T) {
	sink := new(consumertest.TracesSink)
	h := newTest(t, sink, nil)
	td := events("1", lifecycle.TaskStartRequested)
	foreign := td.ResourceSpans().At(0).ScopeSpans().AppendEmpty()
	foreign.Scope().SetName("app")
	foreign.Spans().AppendEmpty().SetName("GET /orders")
	require.NoError(t, h.ConsumeTraces(t.Context(), td))
	require.Equal(t, map[string]int{"GET /orders": 1}, spanNames(sink.AllTraces()))
	require.NoError(t, h.Shutdown(t.Context()))
}

// refusing is a next component that refuses until allowed.
type refusing struct {
	consumertest.TracesSink
	refuse atomic.Bool
	err    error
	tries  atomic.Int64
}

func (r *refusing) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	r.tries.Add(1)
	if r.refuse.Load() {
		return r.err
	}
	return r.TracesSink.ConsumeTraces(ctx, td)
}

func TestRejectedTreesAreRetainedAndSendersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &refusing{err: errors.New("queue is full")}
		sink.refuse.Store(true)
		h := newTest(t, sink, func(c *Config) { c.MaxPendingSpans = 3 })
		host := &healthtest.Host{Host: componenttest.NewNopHost()}
		require.NoError(t, h.Start(t.Context(), host))
		require.NoError(t, h.ConsumeTraces(t.Context(), whole("1")))
		<-time.After(time.Minute)
		synctest.Wait()
		require.Greater(t, sink.tries.Load(), int64(1))
		err := h.ConsumeTraces(t.Context(), whole("2"))
		require.ErrorIs(t, err, errPending)
		require.False(t, consumererror.IsPermanent(err))
		require.Equal(t, []string{"the next component refuses finished spans: queue is full"}, host.Reported())
		sink.refuse.Store(false)
		<-time.After(lastRetry)
		synctest.Wait()
		require.Equal(t, 1, spanNames(sink.AllTraces())[lifecycle.SpanTask])
		require.Equal(t, "ok", host.Reported()[1])
		require.NoError(t, h.ConsumeTraces(t.Context(), whole("2")))
		require.NoError(t, h.Shutdown(t.Context()))
		require.Len(t, host.Reported(), 2)
		require.Equal(t, 2, spanNames(sink.AllTraces())[lifecycle.SpanTask])
	})
}

func TestTreesRefusedForGoodAreDropped(t *testing.T) {
	sink := &refusing{err: consumererror.NewPermanent(errors.New("too large"))}
	sink.refuse.Store(true)
	h := newTest(t, sink, nil)
	require.NoError(t, h.ConsumeTraces(t.Context(), whole("1")))
	require.NoError(t, h.Shutdown(t.Context()))
	require.EqualValues(t, 1, sink.tries.Load())
	require.Zero(t, h.pending.Load())
}

func TestConfigNamesEveryMistake(t *testing.T) {
	cfg := createDefaultConfig()
	cfg.MaxOpenTasks, cfg.Shards, cfg.SettleTimeout, cfg.FinishedTasks = 0, -1, time.Second, -1
	err := cfg.Validate()
	for _, want := range []string{"max_open_tasks: 0 is too small; use 1 or more", "shards: -1 is negative", "settle_timeout: 1s is less than reorder_window; use 2s or more", "finished_tasks: -1 is negative"} {
		require.ErrorContains(t, err, want)
	}
	require.NoError(t, createDefaultConfig().Validate())

	cfg = createDefaultConfig()
	cfg.ReorderWindow, cfg.EmitAgainWithin, cfg.Performance.SlowStep = 5, 5, 30
	err = cfg.Validate()
	for _, want := range []string{"reorder_window: 5ns is in nanoseconds", "emit_again_within: 5ns is in", "performance::slow_step: 30ns is in"} {
		require.ErrorContains(t, err, want)
	}
}

// TestAStopCutsNothingOff: a batch that the next component is accepting at the stop is accepted, and only once; one that it never
// accepts does not block the stop for ever.
func TestAStopCutsNothingOff(t *testing.T) {
	for name, takes := range map[string]time.Duration{"slow": 3 * time.Second, "stuck": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var begun, taken atomic.Int64
				next, err := consumer.NewTraces(func(ctx context.Context, _ ptrace.Traces) error {
					begun.Add(1)
					select {
					case <-ctx.Done():
						return ctx.Err()
					case <-time.After(takes):
						taken.Add(1)
						return nil
					}
				})
				require.NoError(t, err)
				h := newTest(t, next, func(cfg *Config) { cfg.SettleTimeout = cfg.ReorderWindow })
				require.NoError(t, h.Start(t.Context(), componenttest.NewNopHost()))
				require.NoError(t, h.ConsumeTraces(t.Context(), whole("1")))
				time.Sleep(4 * time.Second)
				require.EqualValues(t, 1, begun.Load())
				stopped := time.Now()
				err = h.Shutdown(context.Background()) // the collector passes no deadline
				require.Less(t, time.Since(stopped), time.Minute)
				if name == "slow" {
					require.NoError(t, err)
					require.EqualValues(t, 1, begun.Load())
					require.EqualValues(t, 1, taken.Load())
					return
				}
				require.ErrorContains(t, err, "lost")
			})
		})
	}
}
