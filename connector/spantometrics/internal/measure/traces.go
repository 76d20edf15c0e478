// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/tally"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
)

// traces measures spans made by a component of this process, or all if trust_received is set.
func (b *batch) traces(td ptrace.Traces, by origin.Maker) {
	ours := func(maker origin.Maker) bool { return by == maker || b.recorder.options.TrustReceived }
	for _, resourceSpans := range td.ResourceSpans().All() {
		b.enter(resourceSpans.Resource().Attributes())
		for _, scopeSpans := range resourceSpans.ScopeSpans().All() {
			spans := scopeSpans.Spans()
			switch name := scopeSpans.Scope().Name(); {
			case spans.Len() == 0:
			case name == lifecycle.ScopeSpans && !ours(origin.Hierarchy), name == lifecycle.ScopeEvents && !ours(origin.EventSpans):
				b.skip(tally.Received, spans.Len())
			case name == lifecycle.ScopeSpans:
				b.chooseApplication()
				for _, span := range spans.All() {
					b.finishedSpan(span)
				}
			case name == lifecycle.ScopeEvents && b.recorder.options.EventSpans:
				b.chooseApplication()
				for _, span := range spans.All() {
					b.measureEvent(event{
						name:  lifecycle.Canonical(span.Name()),
						at:    int64(span.StartTimestamp()),
						trace: span.TraceID(),
						attrs: span.Attributes(),

						fingerprint: b.spanFingerprint(span),
					})
				}
			case name == lifecycle.ScopeEvents:
				b.skip(tally.EventSpan, spans.Len())
			default:
				b.skip(tally.NotTasker, spans.Len())
			}
		}
	}
}
