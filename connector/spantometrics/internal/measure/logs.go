// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/tally"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

func (b *batch) logs(ld plog.Logs) {
	for _, resourceLogs := range ld.ResourceLogs().All() {
		b.enter(resourceLogs.Resource().Attributes())
		chosen := false
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			fingerprints := b.fingerprintsOf(scopeLogs.LogRecords())
			for i, record := range scopeLogs.LogRecords().All() {
				if record.EventName() == "" {
					b.skip(tally.NotTasker, 1)
					continue
				}
				if !chosen {
					b.chooseApplication()
					chosen = true
				}
				b.measureEvent(recordEvent(record, fingerprints[i]))
			}
		}
	}
}

// recordEvent returns the event of a record. A record without a time gets that of its receipt.
func recordEvent(record plog.LogRecord, fingerprint uint64) event {
	at := record.Timestamp()
	if at == 0 {
		at = record.ObservedTimestamp()
	}
	return event{
		name:  lifecycle.Canonical(record.EventName()),
		at:    int64(at),
		trace: record.TraceID(),
		attrs: record.Attributes(),

		fingerprint: fingerprint,
	}
}
