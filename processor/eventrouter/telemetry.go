package eventrouter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/routing"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter/internal/dedup"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter/internal/metadata"
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter/internal/scrub"
)

// counts are those of one batch. They are reported only once the batch was taken, because a refused one comes again.
type counts struct {
	kept                  int64
	traces, metrics, logs int64

	noName, noRoute, disabled, filtered, sampled, duplicate int64

	scrubbed scrub.Counts
}

func (c *counts) keep(signals lifecycle.Signals) {
	c.kept++
	if signals.Has(lifecycle.SignalTraces) {
		c.traces++
	}
	if signals.Has(lifecycle.SignalMetrics) {
		c.metrics++
	}
	if signals.Has(lifecycle.SignalLogs) {
		c.logs++
	}
}

func (c *counts) drop(reason routing.Reason) {
	switch reason {
	case reasonNoName:
		c.noName++
	case routing.ReasonNoRoute:
		c.noRoute++
	case routing.ReasonDisabled:
		c.disabled++
	case routing.ReasonFiltered:
		c.filtered++
	case routing.ReasonSampled:
		c.sampled++
	case reasonDuplicate:
		c.duplicate++
	}
}

// telemetry reports the processor's own metrics. Its attribute sets are made once.
type telemetry struct {
	builder *metadata.TelemetryBuilder

	traces, metrics, logs metric.AddOption

	noName, noRoute, disabled, filtered, sampled, duplicate metric.AddOption
}

func newTelemetry(settings component.TelemetrySettings, seen *dedup.Set) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(settings)
	if err != nil {
		return nil, err
	}
	if seen != nil {
		err = builder.RegisterProcessorEventRouterKnownEventsCallback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(seen.Len()))
			return nil
		})
		if err != nil {
			builder.Shutdown()
			return nil, err
		}
	}
	with := func(key, value string) metric.AddOption {
		return metric.WithAttributeSet(attribute.NewSet(attribute.String(key, value)))
	}
	return &telemetry{
		builder:   builder,
		traces:    with("signal", "traces"),
		metrics:   with("signal", "metrics"),
		logs:      with("signal", "logs"),
		noName:    with("reason", string(reasonNoName)),
		noRoute:   with("reason", string(routing.ReasonNoRoute)),
		disabled:  with("reason", string(routing.ReasonDisabled)),
		filtered:  with("reason", string(routing.ReasonFiltered)),
		sampled:   with("reason", string(routing.ReasonSampled)),
		duplicate: with("reason", string(reasonDuplicate)),
	}, nil
}

func (t *telemetry) record(ctx context.Context, c *counts) {
	add(ctx, t.builder.ProcessorEventRouterKept, c.kept)
	routed := t.builder.ProcessorEventRouterRouted
	add(ctx, routed, c.traces, t.traces)
	add(ctx, routed, c.metrics, t.metrics)
	add(ctx, routed, c.logs, t.logs)
	dropped := t.builder.ProcessorEventRouterDropped
	add(ctx, dropped, c.noName, t.noName)
	add(ctx, dropped, c.noRoute, t.noRoute)
	add(ctx, dropped, c.disabled, t.disabled)
	add(ctx, dropped, c.filtered, t.filtered)
	add(ctx, dropped, c.sampled, t.sampled)
	add(ctx, dropped, c.duplicate, t.duplicate)
	add(ctx, t.builder.ProcessorEventRouterRemovedValues, c.scrubbed.Removed)
	add(ctx, t.builder.ProcessorEventRouterRedactedValues, c.scrubbed.Masked)
	add(ctx, t.builder.ProcessorEventRouterTruncatedValues, c.scrubbed.Truncated)
}

// refuse counts the records of a batch that was not taken.
func (t *telemetry) refuse(ctx context.Context, events int) {
	add(ctx, t.builder.ProcessorEventRouterRefused, int64(events))
}

// add leaves out zeros, so that only reasons that occur become series.
func add(ctx context.Context, counter metric.Int64Counter, n int64, options ...metric.AddOption) {
	if n > 0 {
		counter.Add(ctx, n, options...)
	}
}

func (t *telemetry) shutdown() { t.builder.Shutdown() }
