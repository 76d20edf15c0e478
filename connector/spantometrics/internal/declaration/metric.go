// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package declaration

import (
	"maps"
	"slices"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/routing"
)

// Metric is a metric with its effective configuration.
type Metric struct {
	MetricConfig
	Name string
}

// IsEnabled reports whether the metric is recorded.
func (m *Metric) IsEnabled() bool { return m.Enabled == nil || *m.Enabled }

// IsOfSpans reports whether the metric is measured on finished spans and therefore has their common dimensions.
func (m *Metric) IsOfSpans() bool { return m.Span != "" && !m.IsOfOpen() }

// IsOfOpen reports whether the metric describes open tasks or steps.
func (m *Metric) IsOfOpen() bool { return m.Type == TypeActive || m.Type == TypeOldest }

// Metrics returns the built-in metrics as configured, then the operator's, each sorted by name. Indexes are those of the
// registry.
func Metrics(cfg *Config) []Metric {
	var list []Metric
	for _, name := range slices.Sorted(maps.Keys(BuiltIn())) {
		list = append(list, BuiltInMetric(cfg, name))
	}
	for _, name := range ownNames(cfg) {
		list = append(list, Metric{MetricConfig: cfg.Metrics[name], Name: name})
	}
	return list
}

// ownNames returns the names of the operator's metrics.
func ownNames(cfg *Config) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(cfg.Metrics)) {
		if _, found := BuiltIn()[name]; !found {
			names = append(names, name)
		}
	}
	return names
}

// BuiltInMetric returns a built-in metric with the operator's changes.
func BuiltInMetric(cfg *Config, name string) Metric {
	m := Metric{MetricConfig: BuiltIn()[name], Name: name}
	change := cfg.Metrics[name]
	m.Enabled = change.Enabled
	m.Conditions = slices.Concat(m.Conditions, change.Conditions)
	if change.Histogram.IsSet() {
		m.Histogram = change.Histogram
	}
	m.Dimensions = slices.DeleteFunc(GivenDimensions(cfg, &m), func(d Dimension) bool {
		return slices.Contains(cfg.ExcludeDimensions, d.Name) || slices.Contains(change.ExcludeDimensions, d.Name)
	})
	m.Dimensions = append(m.Dimensions, change.Dimensions...)
	return m
}

// GivenDimensions returns the labels of a built-in metric without its own changes. The caller owns the list.
func GivenDimensions(cfg *Config, m *Metric) []Dimension {
	switch {
	case m.IsOfSpans():
		return slices.Concat(m.Dimensions, cfg.Dimensions)
	case m.Type == TypeOldest:
		tasks := BuiltInMetric(cfg, ActiveTasks)
		return slices.DeleteFunc(slices.Clone(tasks.Dimensions), func(d Dimension) bool { return d.IsState() })
	}
	return slices.Clone(m.Dimensions)
}

// Definitions returns the registry's definition of each metric.
func Definitions(cfg *Config, metrics []Metric) []series.Definition {
	list := make([]series.Definition, len(metrics))
	for i := range metrics {
		list[i] = metrics[i].Definition(cfg)
	}
	return list
}

// Warnings returns a message for each event name that resembles one of Tasker's but is none, so that the metric would never
// have a value.
func Warnings(cfg *Config) []string {
	var warnings []string
	for _, name := range ownNames(cfg) {
		m := cfg.Metrics[name]
		for _, source := range m.AllSources() {
			for _, event := range source.Event {
				warnings = append(warnings, routing.UnknownName("metrics::"+name, event)...)
			}
		}
	}
	return warnings
}
