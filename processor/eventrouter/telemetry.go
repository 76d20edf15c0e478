// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/metric"

	"github.com/tasker-otel/otelcol-tasker/internal/counter"
	"github.com/tasker-otel/otelcol-tasker/internal/dedup"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/journal"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter/internal/metadata"
)

// telemetry reports the processor's own metrics. Its attribute sets are made once.
type telemetry struct {
	builder *metadata.TelemetryBuilder

	traces, metrics, logs      counter.Attributes
	payloadClock, receiptClock counter.Attributes
	// reasons run parallel to dropReasons.
	reasons [len(dropReasons)]counter.Attributes
}

func newTelemetry(settings component.TelemetrySettings, seen *dedup.Set, statistics *statistics, shedder *shedder, stored journal.Observer) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(settings)
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		builder.RegisterProcessorEventRouterEventsCallback(statistics.observe),
		builder.RegisterProcessorEventRouterShedCallback(statistics.observeShed),
		builder.RegisterProcessorEventRouterInFlightEventsCallback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(shedder.inFlight.Load())
			return nil
		}))
	if seen != nil {
		err = errors.Join(err, builder.RegisterProcessorEventRouterKnownEventsCallback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(seen.Len()))
			return nil
		}))
	}
	err = errors.Join(err,
		builder.RegisterProcessorEventRouterStorageBytesCallback(stored.Bytes()),
		builder.RegisterProcessorEventRouterStorageFailingCallback(stored.Failing()),
		builder.RegisterProcessorEventRouterStorageFailuresCallback(stored.Failures()),
		builder.RegisterProcessorEventRouterStorageLastCommitCallback(stored.LastCommit()),
		builder.RegisterProcessorEventRouterStorageSetAsideCallback(stored.SetAside()),
		builder.RegisterProcessorEventRouterStorageWaitingCallback(stored.Waiting()),
	)
	if err != nil {
		builder.Shutdown()
		return nil, err
	}
	t := &telemetry{
		builder: builder,
		traces:  counter.With("signal", "traces"),
		metrics: counter.With("signal", "metrics"),
		logs:    counter.With("signal", "logs"),

		payloadClock: counter.With("clock", "payload"),
		receiptClock: counter.With("clock", "receipt"),
	}
	for i, reason := range dropReasons {
		t.reasons[i] = counter.With("reason", string(reason))
	}
	return t, nil
}

// record counts an accepted batch. A refused one is sent again and counted then.
func (t *telemetry) record(ctx context.Context, b *batch) {
	var by [outcomes]int64
	for i := range b.events {
		e := &b.events[i]
		outcome := e.outcome()
		by[outcome]++
		if e.counts != nil {
			e.counts.count(e, outcome)
		}
	}
	var traces, metrics, logs int64
	for set, n := range by[:firstDrop] {
		signals := lifecycle.Signals(set)
		if signals.Has(lifecycle.SignalTraces) {
			traces += n
		}
		if signals.Has(lifecycle.SignalMetrics) {
			metrics += n
		}
		if signals.Has(lifecycle.SignalLogs) {
			logs += n
		}
	}
	counter.Add(ctx, t.builder.ProcessorEventRouterKept, b.kept, nil)
	routed := t.builder.ProcessorEventRouterRouted
	counter.Add(ctx, routed, traces, t.traces)
	counter.Add(ctx, routed, metrics, t.metrics)
	counter.Add(ctx, routed, logs, t.logs)
	for i, n := range by[firstDrop:] {
		counter.Add(ctx, t.builder.ProcessorEventRouterDropped, n, t.reasons[i])
	}
	fallbacks := t.builder.ProcessorEventRouterClockFallbacks
	counter.Add(ctx, fallbacks, b.clocks[eventrecord.ClockPayload], t.payloadClock)
	counter.Add(ctx, fallbacks, b.clocks[eventrecord.ClockReceipt], t.receiptClock)
	counter.Add(ctx, t.builder.ProcessorEventRouterImpossibleTimes, b.impossible, nil)
	counter.Add(ctx, t.builder.ProcessorEventRouterRemovedValues, b.scrubbed.Removed, nil)
	counter.Add(ctx, t.builder.ProcessorEventRouterRedactedValues, b.scrubbed.Masked, nil)
	counter.Add(ctx, t.builder.ProcessorEventRouterTruncatedValues, b.scrubbed.Truncated, nil)
}

// refuse counts the records of a batch that was refused.
func (t *telemetry) refuse(ctx context.Context, events int) {
	counter.Add(ctx, t.builder.ProcessorEventRouterRefused, events, nil)
}

// notKept counts the events of a batch that was passed on but not stored.
func (t *telemetry) notKept(ctx context.Context, events int) {
	counter.Add(ctx, t.builder.ProcessorEventRouterUnrememberedEvents, events, nil)
}

func (t *telemetry) shutdown() { t.builder.Shutdown() }
