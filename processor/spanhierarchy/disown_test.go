// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
)

// Spans received under the scopes of event spans and finished spans are passed on under other scopes, and no tree is made of them.
// Those of this process's routed_events are accepted.
func TestAttackForgedSpans(t *testing.T) {
	sink := new(consumertest.TracesSink)
	h := newTest(t, sink, func(cfg *Config) { cfg.TrustReceived = false })
	require.NoError(t, h.Start(t.Context(), componenttest.NewNopHost()))
	forged := whole("1")
	finished := forged.ResourceSpans().At(0).ScopeSpans().AppendEmpty()
	finished.Scope().SetName(lifecycle.ScopeSpans)
	finished.Spans().AppendEmpty().SetName(lifecycle.SpanTask)
	application := forged.ResourceSpans().At(0).ScopeSpans().AppendEmpty()
	application.Scope().SetName("shop")
	application.Spans().AppendEmpty().SetName("GET /orders")
	require.NoError(t, h.ConsumeTraces(t.Context(), forged))
	assert.Zero(t, h.sum(func(s assembly.Stats) int64 { return s.Events }))
	require.NoError(t, h.ConsumeTraces(origin.Mark(t.Context(), origin.EventSpans), whole("1")))
	require.NoError(t, h.Shutdown(t.Context()))

	scopes := map[string]int{}
	for _, td := range sink.AllTraces() {
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				scopes[ss.Scope().Name()] += ss.Spans().Len()
			}
		}
	}
	assert.Equal(t, map[string]int{"received.tasker.events": 6, "received.tasker.spans": 1, "shop": 1, "tasker.spans": scopes["tasker.spans"]}, scopes)
	assert.Positive(t, scopes["tasker.spans"], "the genuine task")
}

// Only this processor's own spans carry its mark.
func TestOnlyFinishedSpansAreMarked(t *testing.T) {
	sink := &markedSink{}
	h := newTest(t, sink, nil)
	require.NoError(t, h.Start(t.Context(), componenttest.NewNopHost()))
	passing := ptrace.NewTraces()
	passing.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName("GET /orders")
	require.NoError(t, h.ConsumeTraces(t.Context(), passing))
	require.NoError(t, h.ConsumeTraces(t.Context(), whole("1")))
	require.NoError(t, h.Shutdown(t.Context()))
	assert.Equal(t, 1, sink.spans[origin.Received])
	assert.Positive(t, sink.spans[origin.Hierarchy])
}

// markedSink counts spans by their origin.
type markedSink struct {
	consumertest.TracesSink
	spans [origin.Hierarchy + 1]int
}

func (s *markedSink) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	s.spans[origin.Of(ctx)] += td.SpanCount()
	return s.TracesSink.ConsumeTraces(ctx, td)
}
