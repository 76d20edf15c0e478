// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// ConsumeLogs counts events. It does not retain ld. It fails only if the storage does.
func (in logsInput) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	return in.measure(ctx, func(r *recorder) { r.logs(ld) })
}

func (r *recorder) logs(ld plog.Logs) {
	for _, resourceLogs := range ld.ResourceLogs().All() {
		r.enter(resourceLogs.Resource().Attributes())
		chosen := false
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			fingerprints := r.fingerprintsOf(scopeLogs.LogRecords())
			for i, record := range scopeLogs.LogRecords().All() {
				if record.EventName() == "" {
					r.tally.skipped[skipNotTasker]++
					continue
				}
				if !chosen {
					r.chooseApplication()
					chosen = true
				}
				r.measureEvent(recordEvent(record, fingerprints[i]))
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
