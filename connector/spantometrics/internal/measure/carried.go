// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package measure

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/tally"
	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// head is what is always read of the head of an event in a batch. It has no pointers, because there are many of them.
type head struct {
	trace     pcommon.TraceID
	at        pcommon.Timestamp
	atReceipt bool
	signals   lifecycle.Signals
}

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
		if !b.isRouted(head.signals) {
			continue
		}
		values := events.ValuesAt(shape.Reads)
		if events.Err() != nil {
			b.skip(tally.Malformed, int64(len(b.recorder.fingerprints)-b.measured+1))
			break
		}
		at := head.at
		if at == 0 && !head.atReceipt {
			at = receipt
		}
		if shape.ReadsHead {
			b.recorder.head = events.Head()
		}
		b.measureEvent(&event{
			name: shape.Name, plan: shape.Plan, at: int64(at), trace: head.trace,
			attrs: shape.OfEvent(&b.recorder.head, values), fingerprint: fingerprint,
		})
	}
	return events.Err()
}
