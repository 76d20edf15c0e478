// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/tally"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
)

// traces measures spans made by a component of this process, or all if trust_received is set.
func (b *batch) traces(td ptrace.Traces, by origin.Maker) error {
	if err := b.identifySpans(td, by); err != nil {
		b.skip(tally.Malformed, spansOf(td))
		return err
	}
	for _, resourceSpans := range td.ResourceSpans().All() {
		b.enter(resourceSpans.Resource().Attributes())
		for _, scopeSpans := range resourceSpans.ScopeSpans().All() {
			spans := scopeSpans.Spans()
			switch name := scopeSpans.Scope().Name(); {
			case spans.Len() == 0:
			case name == lifecycle.ScopeEvents && b.measuresEventSpans(by):
				b.chooseApplication()
				for _, span := range spans.All() {
					if err := b.eventSpan(span); err != nil {
						return err
					}
				}
			case name == lifecycle.ScopeSpans && b.trusts(by, origin.Hierarchy):
				b.chooseApplication()
				b.finishedSpans(spans)
			default:
				b.skip(b.reasonToSkip(name, by), eventsOf(spans))
			}
		}
	}
	return nil
}

// trusts reports whether data made by a component is regarded as that of the expected one.
func (b *batch) trusts(by, expected origin.Maker) bool {
	return by == expected || b.recorder.options.TrustReceived
}

func (b *batch) measuresEventSpans(by origin.Maker) bool {
	return b.recorder.options.EventSpans && b.trusts(by, origin.EventSpans)
}

// reasonToSkip returns why the spans of a scope are not measured.
func (b *batch) reasonToSkip(scope string, by origin.Maker) tally.SkipReason {
	switch {
	case scope == lifecycle.ScopeSpans, scope == lifecycle.ScopeEvents && !b.trusts(by, origin.EventSpans):
		return tally.Received
	case scope == lifecycle.ScopeEvents:
		return tally.EventSpan
	}
	return tally.NotTasker
}

// eventsOf counts spans, and of those that carry a batch its events.
func eventsOf(spans ptrace.SpanSlice) (n int64) {
	for _, span := range spans.All() {
		n += eventbatch.Count(span.Name(), span.Attributes())
	}
	return n
}

// spansOf counts all spans as eventsOf does.
func spansOf(td ptrace.Traces) (n int64) {
	for _, resourceSpans := range td.ResourceSpans().All() {
		for _, scopeSpans := range resourceSpans.ScopeSpans().All() {
			n += eventsOf(scopeSpans.Spans())
		}
	}
	return n
}

// eventSpan measures the event of a span, or the events of the batch that it carries.
func (b *batch) eventSpan(span ptrace.Span) error {
	if carried, found := eventbatch.OfSpan(span); found {
		return b.measureCarried(carried, 0)
	}
	fingerprint, attrs := b.nextFingerprint(), span.Attributes()
	if b.isRouted(eventrecord.SignalsOf(attrs)) {
		b.measurePdata(lifecycle.Canonical(span.Name()), span.StartTimestamp(), span.TraceID(), attrs, fingerprint)
	}
	return nil
}
