// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// oneTask returns the finished span of a task.
func oneTask() ptrace.Traces {
	td, spans := shopSpans(lifecycle.ScopeSpans)
	addSpan(spans, lifecycle.SpanTask, time.Second, map[string]any{
		lifecycle.AttrTaskName: "order", lifecycle.AttrStatus: "success",
	})
	return td
}

const oneTaskLabels = "status=success task_name=order"

func TestFlushesOnTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		p := newPair(t, nil)
		defer p.stop(t)
		<-time.After(15 * time.Second)
		synctest.Wait()
		require.Empty(t, p.sink.AllMetrics(), "nothing to say, nothing sent")

		<-time.After(5 * time.Second)
		p.consumeTraces(t, oneTask())
		for flush := range 3 {
			<-time.After(15 * time.Second)
			synctest.Wait()
			require.Len(t, p.sink.AllMetrics(), flush+1)
			got := read(p.sink.last(), "tasker.task.executions")[oneTaskLabels]
			require.Equal(t, uint64(1), got.count)
			require.Equal(t, began.Add(20*time.Second).UTC(), got.start, "a series begins when it is first seen")
		}
	})
}

func TestResourceAndScope(t *testing.T) {
	p := newPair(t, nil)
	p.consumeTraces(t, oneTask())
	p.stop(t)
	rm := p.sink.last().ResourceMetrics().At(0)
	require.Equal(t, map[string]any{
		"service.name": "shop", "service.namespace": "retail", "service.instance.id": "collector-1",
	}, rm.Resource().Attributes().AsRaw())
	require.Equal(t, lifecycle.ScopeMetrics, rm.ScopeMetrics().At(0).Scope().Name())
	require.Equal(t, "1.2.3", rm.ScopeMetrics().At(0).Scope().Version())
}

func TestBothInputsShareOneRegistryAndOneLastFlush(t *testing.T) {
	p := newPair(t, nil)
	ld, records := shopLogs()
	addEvent(records, "task.completed", 1, time.Now(), nil)
	p.consumeLogs(t, ld)
	require.NoError(t, p.logs.Shutdown(t.Context()))
	require.Empty(t, p.sink.AllMetrics(), "the traces input is still open")

	p.consumeTraces(t, oneTask())
	require.NoError(t, p.traces.Shutdown(t.Context()))
	require.Len(t, p.sink.AllMetrics(), 1)
	require.Equal(t, uint64(1), read(p.sink.last(), "tasker.task.executions")[oneTaskLabels].count)
	require.Equal(t, uint64(1), read(p.sink.last(), "tasker.events")["event=task.completed"].count)

	p.stop(t)
	require.Len(t, p.sink.AllMetrics(), 1, "a second shutdown does nothing")
}

func TestShutdownBeforeStart(t *testing.T) {
	next := new(consumertest.MetricsSink)
	c, err := NewFactory().CreateTracesToMetrics(t.Context(), connectortest.NewNopSettings(metadata.Type), createDefaultConfig(), next)
	require.NoError(t, err)
	require.NoError(t, c.Shutdown(t.Context()))
	require.NoError(t, c.Shutdown(t.Context()))
	require.Empty(t, next.AllMetrics())
}

func TestConfigsDoNotShare(t *testing.T) {
	factory := NewFactory()
	settings := connectortest.NewNopSettings(metadata.Type)
	var sinks [2]consumertest.MetricsSink
	for i := range sinks {
		c, err := factory.CreateTracesToMetrics(t.Context(), settings, createDefaultConfig(), &sinks[i])
		require.NoError(t, err)
		require.NoError(t, c.Start(t.Context(), componenttest.NewNopHost()))
		require.NoError(t, c.ConsumeTraces(finished(t.Context()), oneTask()))
		require.NoError(t, c.Shutdown(t.Context()))
		require.Equal(t, uint64(1), read(sinks[i].AllMetrics()[0], "tasker.task.executions")[oneTaskLabels].count)
	}
}

func TestRefusedLastFlushIsReported(t *testing.T) {
	p := newPair(t, nil)
	p.consumeTraces(t, oneTask())
	p.sink.refusing.Store(true)
	require.NoError(t, p.logs.Shutdown(t.Context()))
	require.ErrorIs(t, p.traces.Shutdown(t.Context()), errRefused)
}

func TestDeltaLosesAndRepeatsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now().UTC()
		p := newPair(t, func(cfg *Config) { cfg.AggregationTemporality = "delta" })
		defer p.stop(t)
		flush := func() point {
			<-time.After(15 * time.Second)
			synctest.Wait()
			return read(p.sink.last(), "tasker.task.duration")[oneTaskLabels]
		}

		p.consumeTraces(t, oneTask())
		got := flush()
		require.Equal(t, uint64(1), got.count)
		require.Equal(t, began, got.start)

		p.sink.refusing.Store(true)
		p.consumeTraces(t, oneTask())
		flush()
		p.consumeTraces(t, oneTask())
		flush()
		require.Len(t, p.sink.AllMetrics(), 1)
		require.Equal(t, map[string]int64{"": 2}, p.own(t, "refused_flushes"))

		p.sink.refusing.Store(false)
		p.consumeTraces(t, oneTask())
		got = flush()
		require.Equal(t, uint64(3), got.count, "two that were refused, and one that came since")
		require.Equal(t, 3.0, got.sum)
		require.Equal(t, 3, got.exemplars)
		require.Equal(t, began.Add(15*time.Second), got.start, "since the flush that was accepted")

		flush()
		require.Len(t, p.sink.AllMetrics(), 2, "nothing new, nothing sent")
	})
}

func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, func(cfg *Config) { cfg.SeriesExpiration = time.Minute })
		defer p.stop(t)
		p.consumeTraces(t, oneTask())
		<-time.After(50 * time.Second)
		synctest.Wait()
		require.Len(t, p.sink.AllMetrics(), 3)
		require.Equal(t, map[string]int64{"": 2}, p.own(t, "series"))
		<-time.After(time.Minute)
		synctest.Wait()
		require.Len(t, p.sink.AllMetrics(), 4)
		require.Empty(t, read(p.sink.last(), "tasker.task.executions"), "what has expired has no value")
		require.Equal(t, map[string]int64{"": 0}, p.own(t, "series"))
	})
}

// stuck blocks every flush until its context is done.
type stuck struct{ consumertest.MetricsSink }

func (s *stuck) ConsumeMetrics(ctx context.Context, _ pmetric.Metrics) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestShutdownCallsOffAStuckFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		settings := connectortest.NewNopSettings(metadata.Type)
		c, err := NewFactory().CreateTracesToMetrics(t.Context(), settings, createDefaultConfig(), new(stuck))
		require.NoError(t, err)
		require.NoError(t, c.Start(t.Context(), componenttest.NewNopHost()))
		require.NoError(t, c.ConsumeTraces(finished(t.Context()), oneTask()))
		<-time.After(16 * time.Second)

		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		require.ErrorIs(t, c.Shutdown(ctx), context.DeadlineExceeded)
	})
}
