// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/xconnector"
	"go.opentelemetry.io/collector/consumer"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/declaration"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/metadata"
)

// NewFactory creates the connector's factory. The traces and logs inputs of a component ID share one instance.
func NewFactory() connector.Factory {
	shared := newInstances()
	return xconnector.NewFactory(
		metadata.Type,
		createDefaultConfig,
		xconnector.WithTracesToMetrics(func(_ context.Context, settings connector.Settings, cfg component.Config, next consumer.Metrics) (connector.Traces, error) {
			input, err := shared.acquire(cfg.(*Config), settings, next)
			if err != nil {
				return nil, err
			}
			return tracesInput{input}, nil
		}, metadata.TracesToMetricsStability),
		xconnector.WithLogsToMetrics(func(_ context.Context, settings connector.Settings, cfg component.Config, next consumer.Metrics) (connector.Logs, error) {
			input, err := shared.acquire(cfg.(*Config), settings, next)
			if err != nil {
				return nil, err
			}
			return logsInput{input}, nil
		}, metadata.LogsToMetricsStability),
		xconnector.WithDeprecatedTypeAlias(metadata.DeprecatedType),
	)
}

func createDefaultConfig() component.Config {
	return &Config{
		Config:                      declaration.Config{Histogram: declaration.DefaultHistogram(), FoldNumberedSteps: true},
		Exemplars:                   ExemplarsConfig{Enabled: true, MaxPerDataPoint: 5},
		AggregationTemporality:      temporalityPrefix + cumulative,
		MetricsFlushInterval:        15 * time.Second,
		SeriesExpiration:            24 * time.Hour,
		AggregationCardinalityLimit: 2000,
		MaxApplications:             1000,
		MaxSeries:                   50_000,
		MaxSeriesBytes:              64 << 20,
		Deduplicate:                 DeduplicateConfig{MaxEntries: 1_000_000},
		ActiveMaxAge:                24 * time.Hour,
		ActiveMaxIDs:                250_000,
	}
}
