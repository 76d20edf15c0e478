// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/xprocessor"

	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy/internal/metadata"
)

// NewFactory makes the factory of span_hierarchy.
func NewFactory() processor.Factory {
	return xprocessor.NewFactory(
		metadata.Type,
		func() component.Config { return createDefaultConfig() },
		xprocessor.WithTraces(createTraces, metadata.TracesStability),
		xprocessor.WithDeprecatedTypeAlias(metadata.DeprecatedType),
	)
}

func createTraces(_ context.Context, set processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
	return newHierarchy(set, cfg.(*Config), next)
}
