// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/tally"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// event is an event from a log record or an event span. Its name is canonical.
type event struct {
	name string
	// at is the event's time in Unix nanoseconds; 0 if unknown.
	at    int64
	trace pcommon.TraceID
	attrs pcommon.Map
	// fingerprint identifies the event among those of all applications; 0 if unknown.
	fingerprint uint64
}

// measureEvent counts an event and measures its payload.
func (b *batch) measureEvent(e event) {
	if !eventrecord.SignalsOf(e.attrs).Has(lifecycle.SignalMetrics) {
		b.skip(tally.NotRouted, 1)
		return
	}
	e.at = b.possible(e.at)
	if b.tooOld(e.at) || !b.firstEvent(&e) {
		return
	}
	b.out.Tally.Events++
	b.event = e
	item, p := &b.recorder.item, b.recorder.plans.OfEvent(e.name)
	item.BeginEvent(p, e.name, e.attrs, e.at, e.trace)
	p.Run(item, &b.out)
	b.trackActive()
}
