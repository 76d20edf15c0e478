// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
)

// ConsumeTraces measures finished spans and, if configured, event spans. It does not retain td. It fails only if the
// storage does.
func (in tracesInput) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	return in.measure(ctx, func(r *recorder) { r.traces(td, origin.Of(ctx)) })
}

// traces measures spans made by a component of this process, or all if trust_received is set.
func (r *recorder) traces(td ptrace.Traces, by origin.Maker) {
	ours := func(maker origin.Maker) bool { return by == maker || r.instance.cfg.TrustReceived }
	for _, resourceSpans := range td.ResourceSpans().All() {
		r.enter(resourceSpans.Resource().Attributes())
		for _, scopeSpans := range resourceSpans.ScopeSpans().All() {
			spans := scopeSpans.Spans()
			switch name := scopeSpans.Scope().Name(); {
			case spans.Len() == 0:
			case name == lifecycle.ScopeSpans && !ours(origin.Hierarchy), name == lifecycle.ScopeEvents && !ours(origin.EventSpans):
				r.tally.skipped[skipReceived] += int64(spans.Len())
			case name == lifecycle.ScopeSpans:
				r.chooseApplication()
				for _, span := range spans.All() {
					r.finishedSpan(span)
				}
			case name == lifecycle.ScopeEvents && r.instance.cfg.EventSpans:
				r.chooseApplication()
				for _, span := range spans.All() {
					r.measureEvent(event{
						name:  lifecycle.Canonical(span.Name()),
						at:    int64(span.StartTimestamp()),
						trace: span.TraceID(),
						attrs: span.Attributes(),

						fingerprint: r.spanFingerprint(span),
					})
				}
			case name == lifecycle.ScopeEvents:
				r.tally.skipped[skipEventSpan] += int64(spans.Len())
			default:
				r.tally.skipped[skipNotTasker] += int64(spans.Len())
			}
		}
	}
}
