// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package export

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.yaml.in/yaml/v3"
)

func TestSeriesExpiryOf(t *testing.T) {
	const pipelines = `
service: {pipelines: {
  traces: {receivers: [otlp], exporters: [span_to_metrics]},
  metrics: {receivers: [span_to_metrics], exporters: [prometheus, prometheus/long]}}}
`
	for name, test := range map[string]struct {
		config  string
		want    time.Duration
		problem string
	}{
		"defaults":     {config: "exporters: {prometheus: }\nconnectors: {span_to_metrics: }" + pipelines, want: 5 * time.Minute},
		"the exporter": {config: "exporters: {prometheus: {metric_expiration: 2h}, prometheus/long: {metric_expiration: 9h}}\nconnectors: {span_to_metrics: {series_expiration: 3h}}" + pipelines, want: 2 * time.Hour},
		"the connector": {
			config: "exporters: {prometheus: {metric_expiration: 48h, endpoint: x}}\nconnectors: {span_to_metrics: {series_expiration: 30m, x: y}}" + pipelines, want: 30 * time.Minute},
		"its default":     {config: "exporters: {prometheus: {metric_expiration: 48h}}\nconnectors: {span_to_metrics: }" + pipelines, want: 24 * time.Hour},
		"never, then ten": {config: "exporters: {prometheus: {metric_expiration: 10h}}\nconnectors: {span_to_metrics: {series_expiration: 0s}}" + pipelines, want: 10 * time.Hour},
		"not in a pipeline": {
			config: "exporters: {prometheus: {metric_expiration: 10h}, prometheus/other: {metric_expiration: 1s}}\nconnectors: {span_to_metrics/other: {series_expiration: 1s}}" + pipelines, want: 10 * time.Hour},
		"at once":    {config: "exporters: {prometheus: {metric_expiration: 0s}}" + pipelines, problem: "exporters::prometheus::metric_expiration: 0s expires every series"},
		"no time":    {config: "exporters: {prometheus: {metric_expiration: soon}}" + pipelines, problem: `exporters::prometheus::metric_expiration: "soon" is not a duration; use one`},
		"no metrics": {config: "exporters: {debug: }\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}", problem: "there is no exporter prometheus in a pipeline"},
		"nothing":    {problem: "pass all files that the collector is started with"},
	} {
		t.Run(name, func(t *testing.T) {
			var content map[string]any
			require.NoError(t, yaml.Unmarshal([]byte(test.config), &content))
			got, err := SeriesExpiryOf(confmap.NewFromStringMap(content))
			if test.problem != "" {
				require.ErrorContains(t, err, test.problem)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}
