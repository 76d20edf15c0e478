// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package stock

import (
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusexporter"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/export"
)

// TestDefaultOfThePrometheusExporter checks the exporter's name and default that the command line assumes.
func TestDefaultOfThePrometheusExporter(t *testing.T) {
	factory := prometheusexporter.NewFactory()
	name := factory.Type().String()
	got, err := export.SeriesExpiryOf(confmap.NewFromStringMap(map[string]any{
		"exporters":  map[string]any{name: nil},
		"connectors": map[string]any{"span_to_metrics": map[string]any{"series_expiration": "0s"}},
		"service": map[string]any{"pipelines": map[string]any{
			"traces":  map[string]any{"receivers": []any{"otlp"}, "exporters": []any{"span_to_metrics"}},
			"metrics": map[string]any{"receivers": []any{"span_to_metrics"}, "exporters": []any{name}},
		}},
	}))
	require.NoError(t, err)
	assert.Equal(t, factory.CreateDefaultConfig().(*prometheusexporter.Config).MetricExpiration, got)
}
