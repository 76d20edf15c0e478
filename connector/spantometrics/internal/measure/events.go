// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/plan"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/tally"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// event is an event from a log record, an event span or a batch. Its name is canonical.
type event struct {
	name string
	// plan is that of its name.
	plan *plan.Plan
	// at is the event's time in Unix nanoseconds; 0 if unknown.
	at    int64
	trace pcommon.TraceID
	attrs plan.Attributes
	// fingerprint identifies the event among those of all applications; 0 if unknown.
	fingerprint uint64
}

// isRouted reports whether an event was routed to metrics. Others are skipped.
func (b *batch) isRouted(signals lifecycle.Signals) bool {
	if signals.Has(lifecycle.SignalMetrics) {
		return true
	}
	b.skip(tally.NotRouted, 1)
	return false
}

// measureEvent counts an event and measures its payload.
func (b *batch) measureEvent(e *event) {
	e.at = b.possible(e.at)
	if b.tooOld(e.at) || !b.firstEvent(e) {
		return
	}
	b.out.Tally.Events++
	item := &b.recorder.item
	item.BeginEvent(e.plan, e.name, e.attrs, e.at, e.trace)
	e.plan.Run(item, &b.out)
	b.trackActive(e)
}
