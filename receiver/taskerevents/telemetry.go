// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tasker-otel/otelcol-tasker/internal/wire"
	"github.com/tasker-otel/otelcol-tasker/receiver/taskerevents/internal/metadata"
)

// ownTelemetry counts refused items and replaced values. receiverhelper counts accepted ones.
type ownTelemetry struct {
	builder                *metadata.TelemetryBuilder
	payloadClock, ownClock metric.MeasurementOption
	bulky, stamp, unused   metric.MeasurementOption
}

func newOwnTelemetry(builder *metadata.TelemetryBuilder) ownTelemetry {
	with := func(key, value string) metric.MeasurementOption {
		return metric.WithAttributeSet(attribute.NewSet(attribute.String(key, value)))
	}
	return ownTelemetry{
		builder: builder, payloadClock: with("clock", "payload"), ownClock: with("clock", "receipt"),
		bulky: with("reason", "bulky"), stamp: with("reason", "stamp"), unused: with("reason", "unused"),
	}
}

// decoded counts a body with a final result. One that the pipeline refused for now is sent again and counted then.
func (t ownTelemetry) decoded(ctx context.Context, report wire.Report) {
	for reason, count := range report.RefusedBy {
		t.builder.ReceiverTaskerEventsRefusedItems.Add(ctx, int64(count),
			metric.WithAttributeSet(attribute.NewSet(attribute.String("reason", string(reason)))))
	}
	addSome(ctx, t.builder.ReceiverTaskerEventsClockFallbacks, report.PayloadClock, t.payloadClock)
	addSome(ctx, t.builder.ReceiverTaskerEventsClockFallbacks, report.ReceiptClock, t.ownClock)
	addSome(ctx, t.builder.ReceiverTaskerEventsImpossibleTimes, report.ClockFallbacks)
	addSome(ctx, t.builder.ReceiverTaskerEventsUnknownFields, report.UnknownFields)
	addSome(ctx, t.builder.ReceiverTaskerEventsRemovedValues, report.LeftOut, t.bulky)
	addSome(ctx, t.builder.ReceiverTaskerEventsRemovedValues, report.Stamps, t.stamp)
	addSome(ctx, t.builder.ReceiverTaskerEventsRemovedValues, report.Unused, t.unused)
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

func addSome(ctx context.Context, counter metric.Int64Counter, count int, options ...metric.AddOption) {
	if count > 0 {
		counter.Add(ctx, int64(count), options...)
	}
}
