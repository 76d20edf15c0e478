package routedevents

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/xconnector"
	"go.opentelemetry.io/collector/consumer"

	"github.com/tasker-otel/otelcol-tasker/connector/routedevents/internal/metadata"
)

// NewFactory makes the factory of routed_events.
func NewFactory() connector.Factory {
	return xconnector.NewFactory(
		metadata.Type,
		func() component.Config { return &Config{LogBody: bodyMessage, EventAttributes: attributesAll} },
		xconnector.WithLogsToTraces(createLogsToTraces, metadata.LogsToTracesStability),
		xconnector.WithLogsToLogs(createLogsToLogs, metadata.LogsToLogsStability),
		xconnector.WithDeprecatedTypeAlias(metadata.DeprecatedType),
	)
}

func createLogsToTraces(_ context.Context, set connector.Settings, cfg component.Config, next consumer.Traces) (connector.Logs, error) {
	telemetry, err := newTelemetry(set, "traces")
	if err != nil {
		return nil, err
	}
	return &toTraces{next: next, telemetry: telemetry, whole: cfg.(*Config).EventAttributes != attributesTree}, nil
}

func createLogsToLogs(_ context.Context, set connector.Settings, cfg component.Config, next consumer.Logs) (connector.Logs, error) {
	telemetry, err := newTelemetry(set, "logs")
	if err != nil {
		return nil, err
	}
	return &toLogs{next: next, telemetry: telemetry, lines: cfg.(*Config).LogBody == bodyJSON}, nil
}
