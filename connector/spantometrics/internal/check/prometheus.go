// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"strings"

	"github.com/prometheus/otlptranslator"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

// PrometheusMetric returns the name that the Prometheus exporters derive by default.
func PrometheusMetric(d *series.Definition) string {
	kind := otlptranslator.MetricType(otlptranslator.MetricTypeGauge)
	switch d.Kind {
	case series.KindSum:
		kind = otlptranslator.MetricTypeMonotonicCounter
	case series.KindHistogram:
		kind = otlptranslator.MetricTypeHistogram
	}
	namer := otlptranslator.MetricNamer{WithMetricSuffixes: true}
	name, err := namer.Build(otlptranslator.Metric{Name: d.Name, Unit: d.Unit, Type: kind})
	if err != nil {
		return prometheusLabel(d.Name)
	}
	return name
}

// prometheusLabel returns the Prometheus label name of an attribute key.
func prometheusLabel(key string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, key)
}
