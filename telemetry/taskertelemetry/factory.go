// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskertelemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/service/telemetry"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
)

// NewFactory creates the factory of the internal telemetry. Its configuration is that of otelconftelemetry.
func NewFactory() telemetry.Factory {
	base := otelconftelemetry.NewFactory()
	return telemetry.NewFactory(
		base.CreateDefaultConfig,
		telemetry.WithCreateResource(base.CreateResource),
		telemetry.WithCreateLogger(base.CreateLogger),
		telemetry.WithCreateTracerProvider(base.CreateTracerProvider),
		telemetry.WithCreateMeterProvider(
			func(ctx context.Context, settings telemetry.MeterSettings, config component.Config) (telemetry.MeterProvider, error) {
				provider, err := base.CreateMeterProvider(ctx, settings, config)
				if err != nil {
					return nil, err
				}
				return newProvider(provider, time.Now)
			}),
	)
}
