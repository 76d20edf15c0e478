// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tasker-otel/otelcol-tasker/internal/dedup"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/journal"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter/internal/metadata"
)

// telemetry reports the processor's own metrics. Its attribute sets are made once.
type telemetry struct {
	builder *metadata.TelemetryBuilder

	traces, metrics, logs      metric.AddOption
	payloadClock, receiptClock metric.AddOption
	// reasons run parallel to dropReasons.
	reasons [len(dropReasons)]metric.AddOption
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
	with := func(key, value string) metric.AddOption {
		return metric.WithAttributeSet(attribute.NewSet(attribute.String(key, value)))
	}
	t := &telemetry{
		builder: builder,
		traces:  with("signal", "traces"),
		metrics: with("signal", "metrics"),
		logs:    with("signal", "logs"),

		payloadClock: with("clock", "payload"),
		receiptClock: with("clock", "receipt"),
	}
	for i, reason := range dropReasons {
		t.reasons[i] = with("reason", string(reason))
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
	add(ctx, t.builder.ProcessorEventRouterKept, int64(b.kept))
	routed := t.builder.ProcessorEventRouterRouted
	add(ctx, routed, traces, t.traces)
	add(ctx, routed, metrics, t.metrics)
	add(ctx, routed, logs, t.logs)
	for i, n := range by[firstDrop:] {
		add(ctx, t.builder.ProcessorEventRouterDropped, n, t.reasons[i])
	}
	fallbacks := t.builder.ProcessorEventRouterClockFallbacks
	add(ctx, fallbacks, b.clocks[eventrecord.ClockPayload], t.payloadClock)
	add(ctx, fallbacks, b.clocks[eventrecord.ClockReceipt], t.receiptClock)
	add(ctx, t.builder.ProcessorEventRouterImpossibleTimes, b.impossible)
	add(ctx, t.builder.ProcessorEventRouterRemovedValues, b.scrubbed.Removed)
	add(ctx, t.builder.ProcessorEventRouterRedactedValues, b.scrubbed.Masked)
	add(ctx, t.builder.ProcessorEventRouterTruncatedValues, b.scrubbed.Truncated)
}

// refuse counts the records of a batch that was refused.
func (t *telemetry) refuse(ctx context.Context, events int) {
	add(ctx, t.builder.ProcessorEventRouterRefused, int64(events))
}

// notKept counts the events of a batch that was passed on but not stored.
func (t *telemetry) notKept(ctx context.Context, events int) {
	add(ctx, t.builder.ProcessorEventRouterUnrememberedEvents, int64(events))
}

// add leaves out zeros, so that only occurring reasons become series.
func add(ctx context.Context, counter metric.Int64Counter, n int64, options ...metric.AddOption) {
	if n > 0 {
		counter.Add(ctx, n, options...)
	}
}

func (t *telemetry) shutdown() { t.builder.Shutdown() }
