// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tasker-otel/otelcol-tasker/internal/counter"
	"github.com/tasker-otel/otelcol-tasker/internal/wire"
	"github.com/tasker-otel/otelcol-tasker/receiver/taskerevents/internal/metadata"
)

// ownTelemetry counts refused items and replaced values. receiverhelper counts accepted ones.
type ownTelemetry struct {
	builder                *metadata.TelemetryBuilder
	payloadClock, ownClock counter.Attributes
	bulky, stamp, unused   counter.Attributes
}

func newOwnTelemetry(builder *metadata.TelemetryBuilder) ownTelemetry {
	return ownTelemetry{
		builder: builder, payloadClock: counter.With("clock", "payload"), ownClock: counter.With("clock", "receipt"),
		bulky: counter.With("reason", "bulky"), stamp: counter.With("reason", "stamp"), unused: counter.With("reason", "unused"),
	}
}

// decoded counts a body with a final result. One that the pipeline refused for now is sent again and counted then.
func (t ownTelemetry) decoded(ctx context.Context, report wire.Report) {
	for reason, count := range report.RefusedBy {
		counter.Add(ctx, t.builder.ReceiverTaskerEventsRefusedItems, count, counter.With("reason", string(reason)))
	}
	counter.Add(ctx, t.builder.ReceiverTaskerEventsClockFallbacks, report.PayloadClock, t.payloadClock)
	counter.Add(ctx, t.builder.ReceiverTaskerEventsClockFallbacks, report.ReceiptClock, t.ownClock)
	counter.Add(ctx, t.builder.ReceiverTaskerEventsImpossibleTimes, report.ClockFallbacks, nil)
	counter.Add(ctx, t.builder.ReceiverTaskerEventsUnknownFields, report.UnknownFields, nil)
	counter.Add(ctx, t.builder.ReceiverTaskerEventsRemovedValues, report.LeftOut, t.bulky)
	counter.Add(ctx, t.builder.ReceiverTaskerEventsRemovedValues, report.Stamps, t.stamp)
	counter.Add(ctx, t.builder.ReceiverTaskerEventsRemovedValues, report.Unused, t.unused)
}

// leftOut counts an ignored header.
func (t ownTelemetry) leftOut(ctx context.Context) {
	t.builder.ReceiverTaskerEventsUnknownFields.Add(ctx, 1)
}

// undecoded counts a request whose body was not decoded.
func (t ownTelemetry) undecoded(ctx context.Context, status int) {
	t.builder.ReceiverTaskerEventsRefusedRequests.Add(ctx, 1,
		metric.WithAttributeSet(attribute.NewSet(attribute.Int("http.response.status_code", status))))
}
