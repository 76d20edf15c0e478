// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventbatches_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/goleak"

	"github.com/tasker-otel/otelcol-tasker/converter/eventbatches"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConvert(t *testing.T) {
	const shipped = `
receivers: {tasker_events: , otlp: {}}
processors: {memory_limiter: {}, event_router: {}, event_router/others: {select: others}, filter: {}, resource/a: {}, k8s_attributes: {}, "event_router/ b": {}}
connectors: {routed_events: {}, span_to_metrics: {}}
exporters: {file: {}}
service: {pipelines: {`
	for name, test := range map[string]struct {
		conf string
		want any
	}{
		"only readers":       {shipped + `logs: {receivers: [tasker_events, otlp], processors: [memory_limiter, event_router], exporters: [routed_events, span_to_metrics]}}}`, "batched"},
		"another processor":  {shipped + `logs: {receivers: [tasker_events], processors: [filter, event_router], exporters: [routed_events]}}}`, nil},
		"resources only":     {shipped + `logs: {receivers: [tasker_events], processors: [memory_limiter, resource/a, k8s_attributes, event_router], exporters: [routed_events]}}}`, "batched"},
		"another exporter":   {shipped + `logs: {receivers: [tasker_events], processors: [event_router], exporters: [routed_events, file]}}}`, nil},
		"other records":      {shipped + `logs: {receivers: [tasker_events], processors: [event_router/others], exporters: [routed_events]}}}`, nil},
		"one of two":         {shipped + `logs: {receivers: [tasker_events], processors: [event_router], exporters: [routed_events]}, logs/file: {receivers: [tasker_events], exporters: [file]}}}`, nil},
		"both of two":        {shipped + `logs: {receivers: [tasker_events], processors: [event_router], exporters: [routed_events]}, logs/b: {receivers: [tasker_events], processors: [event_router/b], exporters: [span_to_metrics]}}}`, "batched"},
		"unused":             {shipped + `logs: {receivers: [otlp], processors: [event_router], exporters: [routed_events]}}}`, nil},
		"an undefined one":   {shipped + `logs: {receivers: [tasker_events], processors: [event_router/c], exporters: [routed_events]}}}`, nil},
		"set to auto":        {`receivers: {tasker_events: {log_records: auto}}` + "\n" + shipped[len("\nreceivers: {tasker_events: , otlp: {}}\n"):] + `logs: {receivers: [tasker_events], processors: [event_router], exporters: [routed_events]}}}`, "batched"},
		"set to each":        {`receivers: {tasker_events: {log_records: each}}` + "\n" + shipped[len("\nreceivers: {tasker_events: , otlp: {}}\n"):] + `logs: {receivers: [tasker_events], processors: [event_router], exporters: [routed_events]}}}`, "each"},
		"an empty one":       {"receivers:", nil},
		"none of the format": {"receivers: [tasker_events]\nservice: 1", nil},
	} {
		t.Run(name, func(t *testing.T) {
			retrieved, err := confmap.NewRetrievedFromYAML([]byte(test.conf))
			require.NoError(t, err)
			conf, err := retrieved.AsConf()
			require.NoError(t, err)
			require.NoError(t, eventbatches.NewFactory().Create(confmap.ConverterSettings{}).Convert(t.Context(), conf))
			assert.Equal(t, test.want, conf.Get("receivers::tasker_events::log_records"))
		})
	}
}

// A receiver with a name of its own, or the former type, is set under the name as written.
func TestConvertNames(t *testing.T) {
	conf := confmap.NewFromStringMap(map[string]any{
		"receivers":  map[string]any{"taskerevents/ a": map[string]any{"endpoint": "localhost:1"}},
		"connectors": map[string]any{"routedevents": nil},
		"service":    map[string]any{"pipelines": map[string]any{"logs": map[string]any{"receivers": []any{"taskerevents/a"}, "exporters": []any{"routedevents"}}}},
	})
	require.NoError(t, eventbatches.NewFactory().Create(confmap.ConverterSettings{}).Convert(t.Context(), conf))
	assert.Equal(t, map[string]any{"taskerevents/ a": map[string]any{"endpoint": "localhost:1", "log_records": "batched"}}, conf.Get("receivers"))
}
