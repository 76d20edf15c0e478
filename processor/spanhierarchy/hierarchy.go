// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

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
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/internal/admission/backpressure"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/health"
	"github.com/tasker-otel/otelcol-tasker/internal/journal"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy/internal/performance"
)

// hierarchy is the processor. Event spans go to the shard of their trace; each shard has its own goroutine that releases trees and
// passes them on, so no request waits for the next component.
type hierarchy struct {
	id        component.ID
	log       *zap.Logger
	storage   *component.ID
	state     *state                          // nil without storage, and before Start
	stored    atomic.Pointer[journal.Journal] // the state's, for the telemetry, which may be read at any time
	next      consumer.Traces
	shards    []*shard
	monitor   *performance.Monitor // nil when disabled
	telemetry *metadata.TelemetryBuilder
	health    *health.Status // nil before Start
	pages     *pages         // nil without the extension tasker_pages, and before Start

	clock      clock
	emitAgain  time.Duration
	together   bool // emit: whole
	completes  bool // Tasker's own two-level spans
	trusts     bool // accept received event spans
	maxPending int64
	pending    atomic.Int64 // finished spans that the next component has not accepted yet
	noTask     atomic.Int64
	intakes    sync.Pool // of *intake

	start, stop sync.Once
	disowned    sync.Once          // logs the first received span under one of our scopes
	cancel      context.CancelFunc // ends the loops
	handing     context.Context    // of what a loop passes on; it outlives the loop
	cut         context.CancelFunc // ends handing
	running     sync.WaitGroup
}

const (
	// cutAfter is how long a stop waits for a batch in transit to the next component.
	cutAfter = 10 * time.Second
	// flushFor is how long a stop offers finished spans without storage. A next component with a full queue would block it for as
	// long as its destination is unavailable. With storage cutAfter is enough, because the rest stays stored.
	flushFor = 30 * time.Second
)

// errPending is retryable: the refused data was not accepted.
var errPending = errors.New("span_hierarchy: too many finished spans wait for the next component (max_pending_spans); send again later")

func newHierarchy(set processor.Settings, cfg *Config, next consumer.Traces) (*hierarchy, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("make the telemetry of span_hierarchy: %w", err)
	}
	h := &hierarchy{
		id: set.ID, log: set.Logger, clock: newClock(), storage: cfg.Storage, next: next, telemetry: telemetry, maxPending: int64(cfg.MaxPendingSpans),
		monitor: cfg.Performance.monitor(), completes: cfg.CompleteSpans, emitAgain: cfg.EmitAgainWithin, trusts: cfg.TrustReceived,
		together: cfg.Emit != emitParts,
	}
	h.intakes.New = func() any { return newIntake() }
	n := cfg.shards()
	for range n {
		h.shards = append(h.shards, newShard(h, cfg.limits(n)))
	}
	if err := h.registerTelemetry(); err != nil {
		return nil, fmt.Errorf("register the telemetry of span_hierarchy: %w", err)
	}
	return h, nil
}

// Capabilities reports MutatesData, because event spans are removed from the data.
func (h *hierarchy) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

// Start restores the stored state and starts to release trees.
func (h *hierarchy) Start(ctx context.Context, host component.Host) error {
	var err error
	h.start.Do(func() { err = h.begin(ctx, host) })
	return err
}

func (h *hierarchy) begin(ctx context.Context, host component.Host) error {
	h.health = health.New(host)
	h.offerPages(host)
	if h.storage == nil {
		h.log.Info("open tasks are kept in memory: a stop emits them as incomplete, a crash loses them; set 'storage' to keep them")
	} else {
		state, err := openState(ctx, host, *h.storage, h.id, h)
		if err != nil {
			return fmt.Errorf("span_hierarchy: %w", err)
		}
		if err := state.restore(ctx); err != nil {
			return errors.Join(fmt.Errorf("span_hierarchy: restore the stored state: %w", err), state.close(ctx))
		}
		state.journal.ReportTo(h.health)
		h.state = state
		h.stored.Store(state.journal)
	}
	running, cancel := context.WithCancel(context.Background()) // ctx ends with the start
	h.cancel = cancel
	h.handing, h.cut = context.WithCancel(context.Background())
	for _, s := range h.shards {
		h.running.Go(func() { s.run(running) })
	}
	if h.state != nil {
		h.running.Go(func() { h.state.upkeep(running) })
	}
	return nil
}

// Shutdown waits until the next component has accepted the finished spans, or ctx ends. Without storage it also emits open tasks,
// as incomplete; with storage they stay open for the next start, and refused spans stay stored.
func (h *hierarchy) Shutdown(ctx context.Context) error {
	var err error
	h.stop.Do(func() {
		h.health.Stop()
		h.pages.stop()
		if h.cancel != nil {
			h.cancel()
			// A batch that is being accepted should complete: canceled, it would be offered again to components that have it
			// already.
			defer time.AfterFunc(cutAfter, h.cut).Stop()
			defer h.cut()
		}
		h.running.Wait()
		limit := flushFor
		if h.state != nil {
			limit = cutAfter
		}
		offering, stopOffering := context.WithTimeout(ctx, limit)
		defer stopOffering()
		for _, s := range h.shards {
			err = errors.Join(err, s.flush(ctx, offering))
		}
		if h.state != nil {
			err = errors.Join(err, h.state.close(ctx))
		}
		h.telemetry.Shutdown()
	})
	return err
}

// ConsumeTraces accepts event spans and passes other spans on. After an error the request may be sent again: an event counts once.
func (h *hierarchy) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	if !h.trusts && origin.Of(ctx) != origin.EventSpans {
		h.disown(ctx, td)
	}
	if !hasEvents(td) {
		return h.pass(ctx, td)
	}
	if h.pending.Load() > h.maxPending {
		h.telemetry.ProcessorSpanHierarchyRefused.Add(ctx, countEvents(td))
		return errPending
	}
	if err := h.take(ctx, td, h.clock.now()); err != nil {
		h.telemetry.ProcessorSpanHierarchyRefused.Add(ctx, countEvents(td))
		return err
	}
	td.ResourceSpans().RemoveIf(func(rs ptrace.ResourceSpans) bool {
		rs.ScopeSpans().RemoveIf(ofEvents)
		return rs.ScopeSpans().Len() == 0
	})
	if td.ResourceSpans().Len() == 0 {
		return nil
	}
	return h.pass(ctx, td)
}

// countEvents counts spans, and the events of a batch instead of its span.
func countEvents(td ptrace.Traces) int64 {
	n := int64(td.SpanCount())
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			if !ofEvents(ss) {
				continue
			}
			for _, span := range ss.Spans().All() {
				n += eventbatch.Count(span.Name(), span.Attributes()) - 1
			}
		}
	}
	return n
}

// pass passes on the spans that are not events, synchronously.
func (h *hierarchy) pass(ctx context.Context, td ptrace.Traces) error {
	if h.completes {
		if n := complete(td); n > 0 {
			h.telemetry.ProcessorSpanHierarchySpansCompleted.Add(ctx, n)
		}
	}
	return backpressure.Limit(ctx, h.next.ConsumeTraces, td)
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

// take makes the events durable, if there is storage, and observes them. Each shard gets its events in one call.
func (h *hierarchy) take(ctx context.Context, td ptrace.Traces, now time.Time) error {
	in := h.intakes.Get().(*intake)
	defer func() {
		if in.forget() {
			h.intakes.Put(in)
		}
	}()
	if err := in.sort(h, td); err != nil {
		return err
	}
	if h.state != nil {
		h.state.gate.RLock()
		defer h.state.gate.RUnlock()
		if err := h.state.record(ctx, in, now); err != nil {
			return err
		}
	}
	for i, s := range h.shards {
		if err := s.observe(in, i, now); err != nil {
			return err
		}
	}
	h.noTask.Add(in.noTask)
	return nil
}

// shardOf distributes tasks by their trace id, which is a hash.
func (h *hierarchy) shardOf(trace pcommon.TraceID) *shard {
	return h.shards[h.placeOf(trace)]
}

// placeOf returns the index of a task's shard.
func (h *hierarchy) placeOf(trace pcommon.TraceID) int {
	return (int(trace[14])<<8 | int(trace[15])) % len(h.shards)
}
