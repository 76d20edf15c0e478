// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/tally"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
)

// measureCarried measures the events of a batch. An event without a time gets that of its carrier's receipt.
func (b *batch) measureCarried(batch eventbatch.Batch, receipt pcommon.Timestamp) error {
	events := b.recorder.events
	if err := events.Open(batch); err != nil {
		return err
	}
	for events.Next() {
		fingerprint, head, shape := b.nextFingerprint(), &b.recorder.heads[b.headsRead], events.Known()
		b.headsRead++
		if shape.Name == "" {
			b.skip(tally.NotTasker, 1)
			continue
		}
		b.chooseApplication()
		if !b.isRouted(head.Signals) {
			continue
		}
		values := events.Values()
		if events.Err() != nil {
			b.skip(tally.Malformed, int64(len(b.recorder.fingerprints)-b.measured+1))
			break
		}
		at := head.Time
		if at == 0 && !head.AtReceipt {
			at = receipt
		}
		b.event = event{
			name: shape.Name, plan: shape.Plan, at: int64(at), trace: head.TraceID, attrs: shape.OfEvent(head, values), fingerprint: fingerprint,
		}
		b.measureEvent()
	}
	return events.Err()
}
