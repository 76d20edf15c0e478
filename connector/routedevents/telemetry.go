package routedevents

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/tasker-otel/otelcol-tasker/connector/routedevents/internal/metadata"
)

// counts are those of one batch. They are reported only once the batch was taken, because a refused one comes again.
type counts struct {
	converted, notRouted, noTask, noName int64
}

// telemetry reports the connector's own metrics for one signal. Its attribute sets are made once.
type telemetry struct {
	builder                              *metadata.TelemetryBuilder
	converted, notRouted, noTask, noName metric.AddOption
}

func newTelemetry(set connector.Settings, signal string) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, fmt.Errorf("telemetry of %s: %w", set.ID, err)
	}
	ofSignal := attribute.String("signal", signal)
	dropped := func(reason string) metric.AddOption {
		return metric.WithAttributeSet(attribute.NewSet(ofSignal, attribute.String("reason", reason)))
	}
	return &telemetry{
		builder:   builder,
		converted: metric.WithAttributeSet(attribute.NewSet(ofSignal)),
		notRouted: dropped("not_routed"),
		noTask:    dropped("no_task"),
		noName:    dropped("no_name"),
	}, nil
}

func (t *telemetry) record(ctx context.Context, c counts) {
	add(ctx, t.builder.ConnectorRoutedEventsConverted, c.converted, t.converted)
	dropped := t.builder.ConnectorRoutedEventsDropped
	add(ctx, dropped, c.notRouted, t.notRouted)
	add(ctx, dropped, c.noTask, t.noTask)
	add(ctx, dropped, c.noName, t.noName)
}

// add leaves out zeros, so that only reasons that occur become series.
func add(ctx context.Context, counter metric.Int64Counter, n int64, option metric.AddOption) {
	if n > 0 {
		counter.Add(ctx, n, option)
	}
}
