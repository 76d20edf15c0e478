package spanhierarchy

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/performance"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy/internal/metadata"
)

// hierarchy is the processor. Event spans go to the shard of their trace; each shard has a goroutine of its own that
// releases trees and hands them on, so no request waits for the next component.
type hierarchy struct {
	next      consumer.Traces
	shards    []*shard
	monitor   *performance.Monitor // nil when it is off
	telemetry *metadata.TelemetryBuilder

	completes  bool // Tasker's own two-level spans
	maxPending int64
	pending    atomic.Int64 // finished spans that the next component has not taken yet
	noTask     atomic.Int64

	start, stop sync.Once
	cancel      context.CancelFunc
	running     sync.WaitGroup
}

// errPending is retryable: the data that it refuses was not taken in.
var errPending = errors.New("span_hierarchy: too many finished spans wait for the next component (max_pending_spans); send again later")

func newHierarchy(set processor.Settings, cfg *Config, next consumer.Traces) (*hierarchy, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("make the telemetry of span_hierarchy: %w", err)
	}
	h := &hierarchy{next: next, telemetry: telemetry, maxPending: int64(cfg.MaxPendingSpans), monitor: cfg.Performance.monitor(), completes: cfg.CompleteSpans}
	n := cfg.shards()
	for range n {
		h.shards = append(h.shards, newShard(h, cfg.limits(n), set.Logger))
	}
	if err := h.registerTelemetry(); err != nil {
		return nil, fmt.Errorf("register the telemetry of span_hierarchy: %w", err)
	}
	return h, nil
}

// Capabilities: event spans are taken out of what is passed on.
func (h *hierarchy) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

// Start begins to release trees.
func (h *hierarchy) Start(context.Context, component.Host) error {
	h.start.Do(func() {
		ctx, cancel := context.WithCancel(context.Background())
		h.cancel = cancel
		for _, s := range h.shards {
			h.running.Go(func() { s.run(ctx) })
		}
	})
	return nil
}

// Shutdown emits what is open, the tasks that have not ended as incomplete, and waits until the next component has taken
// it or ctx ends.
func (h *hierarchy) Shutdown(ctx context.Context) error {
	var err error
	h.stop.Do(func() {
		started := h.cancel != nil
		if started {
			h.cancel()
		}
		h.running.Wait()
		for _, s := range h.shards {
			err = errors.Join(err, s.flush(ctx))
		}
		h.telemetry.Shutdown()
	})
	return err
}

// ConsumeTraces takes in event spans and passes other spans on. An error means that nothing was taken in, or that it may
// be sent again to the same effect: an event counts once.
func (h *hierarchy) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	if !hasEvents(td) {
		return h.pass(ctx, td)
	}
	if h.pending.Load() > h.maxPending {
		h.telemetry.ProcessorSpanHierarchyRefused.Add(ctx, int64(td.SpanCount()))
		return errPending
	}
	h.observe(td, time.Now())
	td.ResourceSpans().RemoveIf(func(rs ptrace.ResourceSpans) bool {
		rs.ScopeSpans().RemoveIf(ofEvents)
		return rs.ScopeSpans().Len() == 0
	})
	if td.ResourceSpans().Len() == 0 {
		return nil
	}
	return h.pass(ctx, td)
}

// pass hands on the spans that are no events.
func (h *hierarchy) pass(ctx context.Context, td ptrace.Traces) error {
	if h.completes {
		if n := complete(td); n > 0 {
			h.telemetry.ProcessorSpanHierarchySpansCompleted.Add(ctx, n)
		}
	}
	return h.next.ConsumeTraces(ctx, td)
}

func ofEvents(ss ptrace.ScopeSpans) bool { return ss.Scope().Name() == lifecycle.ScopeEvents }

func hasEvents(td ptrace.Traces) bool {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			if ofEvents(ss) {
				return true
			}
		}
	}
	return false
}

func (h *hierarchy) observe(td ptrace.Traces, now time.Time) {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			if !ofEvents(ss) {
				continue
			}
			for _, s := range h.shards {
				s.observe(rs.Resource().Attributes(), ss.Spans(), now)
			}
			for _, span := range ss.Spans().All() {
				if span.TraceID().IsEmpty() {
					h.noTask.Add(1)
				}
			}
		}
	}
}

// shardOf spreads tasks by their trace id, which is a hash.
func (h *hierarchy) shardOf(trace pcommon.TraceID) *shard {
	return h.shards[(int(trace[14])<<8|int(trace[15]))%len(h.shards)]
}
