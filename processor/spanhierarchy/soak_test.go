// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// TestAnHourAtLoadTakesNoMoreMemory runs the processor for an hour of a synthetic clock under a steady load: a task every three
// seconds, some of which fail, some never end and all have distinct texts. The heap must not grow from one quarter of an hour to
// the next.
func TestAnHourAtLoadTakesNoMoreMemory(t *testing.T) {
	minute := aMinute(t)
	synctest.Test(t, func(t *testing.T) {
		var spans atomic.Int64
		next, err := consumer.NewTraces(func(_ context.Context, td ptrace.Traces) error { spans.Add(int64(td.SpanCount())); return nil })
		require.NoError(t, err)
		h := newTest(t, next, func(cfg *Config) {
			cfg.IdleTimeout, cfg.RememberedTasks = 5*time.Minute, 300
		})
		require.NoError(t, h.Start(t.Context(), componenttest.NewNopHost()))
		var heaps []uint64
		for second := range 3600 {
			for round := max(0, second/60-len(minute)/60-1); round <= second/60; round++ {
				if at := second - 60*round; at < len(minute) && minute[at].SpanCount() > 0 {
					require.NoError(t, h.ConsumeTraces(t.Context(), unique(t, minute[at], round)))
				}
			}
			time.Sleep(time.Second)
			synctest.Wait()
			if (second+1)%900 == 0 {
				heaps = append(heaps, heapInUse())
			}
		}
		require.NoError(t, h.Shutdown(t.Context()))
		require.EqualValues(t, 1200, h.sum(func(s assembly.Stats) int64 {
			return s.Released[tree.ReasonEnded] + s.Released[tree.ReasonSettled] + s.Released[tree.ReasonIdle] + s.Released[tree.ReasonShutdown]
		}))
		require.Positive(t, h.sum(func(s assembly.Stats) int64 { return s.Released[tree.ReasonIdle] }))
		require.Greater(t, spans.Load(), int64(1200*10))
		t.Log("heap at the quarters:", heaps)
		for _, heap := range heaps[1:] {
			require.Less(t, heap, heaps[0]+grown, "heap at the quarters: %d", heaps)
		}
	})
}

// grown is the allowed difference of the heap, which varies with the open tasks. Keeping the released tasks of an hour would take
// nearly twice as much.
const grown = 384 << 10

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC() // memory released by finalizers of the first one
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// aMinute returns the events of twenty tasks that begin within a minute, a request for each second. Some of the tasks never end.
func aMinute(t *testing.T) []ptrace.Traces {
	lines, _ := streamtest.Generate(streamtest.Options{Tasks: 20, Seed: 9, Failures: true, Planned: true, SpacingMS: 3000})
	var seconds []ptrace.Traces
	td := eventSpansOf(t, lines)
	first := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).StartTimestamp()
	for _, rs := range td.ResourceSpans().All() {
		for _, span := range rs.ScopeSpans().At(0).Spans().All() {
			if span.TraceID()[0] < 16 && endsTask(span) {
				continue
			}
			second := int(span.StartTimestamp()-first) / 1e9
			for second >= len(seconds) {
				request := ptrace.NewTraces()
				to := request.ResourceSpans().AppendEmpty()
				rs.Resource().CopyTo(to.Resource())
				to.ScopeSpans().AppendEmpty().Scope().SetName(lifecycle.ScopeEvents)
				seconds = append(seconds, request)
			}
			span.CopyTo(seconds[second].ResourceSpans().At(0).ScopeSpans().At(0).Spans().AppendEmpty())
		}
	}
	return seconds
}

func endsTask(span ptrace.Span) bool {
	switch span.Name() {
	case lifecycle.TaskCompleted, lifecycle.TaskFailed, lifecycle.TaskCancelled, lifecycle.TaskResolvedManually,
		lifecycle.WorkflowTaskFinalizationCompleted:
		return true
	}
	return false
}

// unique returns a copy for one round: later by the given minutes, with other tasks and texts.
func unique(t testing.TB, td ptrace.Traces, round int) ptrace.Traces {
	t.Helper()
	fresh := ofRound(t, td, uint64(round)<<32)
	for _, span := range fresh.ResourceSpans().At(0).ScopeSpans().At(0).Spans().All() {
		later := span.StartTimestamp() + pcommon.Timestamp(round)*60e9
		span.SetStartTimestamp(later)
		span.SetEndTimestamp(later)
		for key, v := range span.Attributes().All() {
			switch key {
			case lifecycle.AttrCorrelationID, lifecycle.AttrErrorMessage, lifecycle.AttrReason:
				v.SetStr(fmt.Sprint(v.AsString(), " ", round))
			}
		}
	}
	return fresh
}
