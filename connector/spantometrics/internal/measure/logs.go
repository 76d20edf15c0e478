// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/plan"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/tally"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// logs measures records, and the events of those that carry a batch.
func (b *batch) logs(ld plog.Logs) error {
	if err := b.identifyRecords(ld); err != nil {
		b.skip(tally.Malformed, recordsOf(ld))
		return err
	}
	for _, resourceLogs := range ld.ResourceLogs().All() {
		b.enter(resourceLogs.Resource().Attributes())
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			for _, record := range scopeLogs.LogRecords().All() {
				if carried, found := eventbatch.Of(record); found {
					if err := b.measureCarried(carried, record.ObservedTimestamp()); err != nil {
						return err
					}
					continue
				}
				b.measureRecord(record, b.nextFingerprint())
			}
		}
	}
	return nil
}

// measureRecord measures the event of a record. A record without a time gets that of its receipt.
func (b *batch) measureRecord(record plog.LogRecord, fingerprint uint64) {
	if record.EventName() == "" {
		b.skip(tally.NotTasker, 1)
		return
	}
	b.chooseApplication()
	attrs := record.Attributes()
	if !b.isRouted(eventrecord.SignalsOf(attrs)) {
		return
	}
	at := record.Timestamp()
	if at == 0 {
		at = record.ObservedTimestamp()
	}
	b.measurePdata(lifecycle.Canonical(record.EventName()), at, record.TraceID(), attrs, fingerprint)
}

// measurePdata measures the event of a record or span.
func (b *batch) measurePdata(name string, at pcommon.Timestamp, trace pcommon.TraceID, attrs pcommon.Map, fingerprint uint64) {
	b.measureEvent(&event{
		name: name, plan: b.recorder.plans.OfEvent(name), at: int64(at), trace: trace, attrs: plan.Pdata(attrs), fingerprint: fingerprint,
	})
}

// recordsOf counts records, and of those that carry a batch its events.
func recordsOf(ld plog.Logs) (n int64) {
	for _, resourceLogs := range ld.ResourceLogs().All() {
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			for _, record := range scopeLogs.LogRecords().All() {
				n += eventbatch.Count(record.EventName(), record.Attributes())
			}
		}
	}
	return n
}
