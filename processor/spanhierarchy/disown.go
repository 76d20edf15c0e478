// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"context"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// disown renames the scope of received spans that claim a scope of this collector: only its own components make event spans and
// finished spans, and spans received under their scopes are treated as an application's.
func (h *hierarchy) disown(ctx context.Context, td ptrace.Traces) {
	spans := int64(0)
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			if name := ss.Scope().Name(); name == lifecycle.ScopeEvents || name == lifecycle.ScopeSpans {
				ss.Scope().SetName(lifecycle.ScopeReceivedPrefix + name)
				spans += int64(ss.Spans().Len())
			}
		}
	}
	if spans == 0 {
		return
	}
	h.telemetry.ProcessorSpanHierarchyDisownedSpans.Add(ctx, spans)
	h.disowned.Do(func() {
		h.log.Warn("Spans under a scope of this collector's own did not come directly from its components. They are passed on as spans of an application: no tree is made of them, and they are not counted. "+
			"If collectors of yours send them, set trust_received, behind a receiver that nobody else reaches. If a processor such as batch stands between routed_events and span_hierarchy, remove it.",
			zap.Int64("spans", spans))
	})
}
