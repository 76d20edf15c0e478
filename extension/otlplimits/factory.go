// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package otlplimits

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/tasker-otel/otelcol-tasker/extension/otlplimits/internal/metadata"
)

// NewFactory makes the factory of the extension otlp_limits.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type, createDefaultConfig, create, metadata.ExtensionStability)
}

func create(_ context.Context, set extension.Settings, config component.Config) (extension.Extension, error) {
	return newLimits(set.TelemetrySettings, config.(*Config))
}
