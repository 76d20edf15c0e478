// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskercsv

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/xexporter"

	"github.com/tasker-otel/otelcol-tasker/exporter/taskercsv/internal/metadata"
)

// NewFactory creates the factory of the exporter.
func NewFactory() exporter.Factory {
	return xexporter.NewFactory(
		metadata.Type,
		createDefaultConfig,
		xexporter.WithDeprecatedTypeAlias(metadata.DeprecatedType),
		xexporter.WithMetrics(createMetrics, metadata.MetricsStability),
		xexporter.WithTraces(createTraces, metadata.TracesStability),
		xexporter.WithLogs(createLogs, metadata.LogsStability),
	)
}

func createMetrics(ctx context.Context, set exporter.Settings, config component.Config) (exporter.Metrics, error) {
	cfg := config.(*Config)
	e, err := newCSVExporter(set.TelemetrySettings, cfg, signalMetrics, newMetricRows(cfg))
	if err != nil {
		return nil, err
	}
	inner, err := exporterhelper.NewMetrics(ctx, set, config, e.pushMetrics, e.options()...)
	if err != nil {
		e.telemetry.Shutdown()
		return nil, err
	}
	return struct {
		consumer.Metrics
		startStop
	}{inner, stoppedOnce(inner)}, nil
}

func createTraces(ctx context.Context, set exporter.Settings, config component.Config) (exporter.Traces, error) {
	cfg := config.(*Config)
	layout := cfg.spanLayout()
	rows := newRecordRows(cfg, signalTraces, layout.names)
	e, err := newCSVExporter(set.TelemetrySettings, cfg, signalTraces, rows)
	if err != nil {
		return nil, err
	}
	inner, err := exporterhelper.NewTraces(ctx, set, config, e.spanPusher(rows, layout), e.options()...)
	if err != nil {
		e.telemetry.Shutdown()
		return nil, err
	}
	return struct {
		consumer.Traces
		startStop
	}{inner, stoppedOnce(inner)}, nil
}

func createLogs(ctx context.Context, set exporter.Settings, config component.Config) (exporter.Logs, error) {
	cfg := config.(*Config)
	layout := cfg.logLayout()
	rows := newRecordRows(cfg, signalLogs, layout.names)
	e, err := newCSVExporter(set.TelemetrySettings, cfg, signalLogs, rows)
	if err != nil {
		return nil, err
	}
	inner, err := exporterhelper.NewLogs(ctx, set, config, e.logPusher(rows, layout), e.options()...)
	if err != nil {
		e.telemetry.Shutdown()
		return nil, err
	}
	return struct {
		consumer.Logs
		startStop
	}{inner, stoppedOnce(inner)}, nil
}

// options returns the options common to all signals.
func (e *csvExporter) options() []exporterhelper.Option {
	return []exporterhelper.Option{
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
		exporterhelper.WithTimeout(e.cfg.TimeoutConfig),
		exporterhelper.WithRetry(e.cfg.RetryConfig),
		exporterhelper.WithQueue(e.cfg.QueueConfig),
		exporterhelper.WithStart(e.start),
		exporterhelper.WithShutdown(e.shutdown),
	}
}
