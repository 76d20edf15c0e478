// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/journal"
)

// registerTelemetry registers asynchronous instruments that read the shards' counts, so that the hot path updates none.
func (h *hierarchy) registerTelemetry() error {
	total := func(pick func(assembly.Stats) int64) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(h.sum(pick))
			return nil
		}
	}
	dropped := map[string]func(assembly.Stats) int64{
		"late":       func(s assembly.Stats) int64 { return s.Late },
		"over_limit": func(s assembly.Stats) int64 { return s.OverLimit },
		"stray":      func(s assembly.Stats) int64 { return s.Strays },
		"schema":     func(s assembly.Stats) int64 { return s.Schema },
	}
	stored := journal.Observe(func() *journal.Journal { return h.stored.Load() })
	t := h.telemetry
	return errors.Join(
		t.RegisterProcessorSpanHierarchyStorageBytesCallback(stored.Bytes()),
		t.RegisterProcessorSpanHierarchyStorageCommitsCallback(stored.Commits()),
		t.RegisterProcessorSpanHierarchyStorageFailingCallback(stored.Failing()),
		t.RegisterProcessorSpanHierarchyStorageFailuresCallback(stored.Failures()),
		t.RegisterProcessorSpanHierarchyStorageLastCommitCallback(stored.LastCommit()),
		t.RegisterProcessorSpanHierarchyStorageSetAsideCallback(stored.SetAside()),
		t.RegisterProcessorSpanHierarchyStorageWaitingCallback(stored.Waiting()),
		t.RegisterProcessorSpanHierarchyEventsCallback(total(func(s assembly.Stats) int64 { return s.Events })),
		t.RegisterProcessorSpanHierarchyOpenTasksCallback(total(func(s assembly.Stats) int64 { return s.OpenTasks })),
		t.RegisterProcessorSpanHierarchyHeldEventsCallback(total(func(s assembly.Stats) int64 { return s.HeldEvents })),
		t.RegisterProcessorSpanHierarchyHeldBytesCallback(total(func(s assembly.Stats) int64 { return s.HeldBytes })),
		t.RegisterProcessorSpanHierarchyLateSpansCallback(total(func(s assembly.Stats) int64 { return s.LateSpans })),
		t.RegisterProcessorSpanHierarchySpanEventsCutCallback(total(func(s assembly.Stats) int64 { return s.SpanEventsCut })),
		t.RegisterProcessorSpanHierarchyPartsCallback(total(func(s assembly.Stats) int64 { return s.Parts })),
		t.RegisterProcessorSpanHierarchySpansCutCallback(total(func(s assembly.Stats) int64 { return s.SpansCut })),
		t.RegisterProcessorSpanHierarchyTreesIncompleteCallback(total(func(s assembly.Stats) int64 { return s.Incomplete })),
		t.RegisterProcessorSpanHierarchyPendingSpansCallback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(h.pending.Load())
			return nil
		}),
		t.RegisterProcessorSpanHierarchyEventsDroppedCallback(func(_ context.Context, o metric.Int64Observer) error {
			for reason, pick := range dropped {
				o.Observe(h.sum(pick), metric.WithAttributes(attribute.String("reason", reason)))
			}
			o.Observe(h.noTask.Load(), metric.WithAttributes(attribute.String("reason", "no_task")))
			return nil
		}),
		t.RegisterProcessorSpanHierarchySpansUnsettledCallback(func(_ context.Context, o metric.Int64Observer) error {
			for gap := range history.Gaps {
				spans := h.sum(func(s assembly.Stats) int64 { return s.Unsettled[gap] })
				o.Observe(spans, metric.WithAttributes(attribute.String("missing", gap.String())))
			}
			return nil
		}),
		t.RegisterProcessorSpanHierarchyTreesCallback(func(_ context.Context, o metric.Int64Observer) error {
			for reason := range tree.ReasonShutdown + 1 {
				released := h.sum(func(s assembly.Stats) int64 { return s.Released[reason] })
				o.Observe(released, metric.WithAttributes(attribute.String("reason", reason.String())))
			}
			return nil
		}),
	)
}

func (h *hierarchy) sum(pick func(assembly.Stats) int64) int64 {
	n := int64(0)
	for _, s := range h.shards {
		n += pick(s.stats())
	}
	return n
}
