// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"maps"
	"slices"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/routing"
)

// declaration is a metric with its configuration.
type declaration struct {
	MetricConfig
	name string
}

func (m *declaration) enabled() bool { return m.Enabled == nil || *m.Enabled }

// ofSpans reports whether the metric is measured on finished spans and therefore has their common dimensions.
func (m *declaration) ofSpans() bool { return m.Span != "" && !m.isOfOpen() }

// isOfOpen reports whether the metric describes open tasks or steps.
func (m *declaration) isOfOpen() bool { return m.Type == typeActive || m.Type == typeOldest }

// metrics returns the built-in metrics as configured, then the operator's, each sorted by name. Indexes are those of the
// registry.
func (cfg *Config) metrics() []declaration {
	var list []declaration
	for _, name := range slices.Sorted(maps.Keys(builtIn())) {
		list = append(list, cfg.builtInMetric(name))
	}
	for _, name := range cfg.ownNames() {
		list = append(list, declaration{MetricConfig: cfg.Metrics[name], name: name})
	}
	return list
}

// ownNames returns the names of the operator's metrics.
func (cfg *Config) ownNames() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(cfg.Metrics)) {
		if _, found := builtIn()[name]; !found {
			names = append(names, name)
		}
	}
	return names
}

// builtInMetric returns a built-in metric with the operator's changes.
func (cfg *Config) builtInMetric(name string) declaration {
	m := declaration{MetricConfig: builtIn()[name], name: name}
	change := cfg.Metrics[name]
	m.Enabled = change.Enabled
	m.Conditions = slices.Concat(m.Conditions, change.Conditions)
	if change.Histogram.isSet() {
		m.Histogram = change.Histogram
	}
	m.Dimensions = slices.DeleteFunc(cfg.givenDimensions(&m), func(d Dimension) bool {
		return slices.Contains(cfg.ExcludeDimensions, d.Name) || slices.Contains(change.ExcludeDimensions, d.Name)
	})
	m.Dimensions = append(m.Dimensions, change.Dimensions...)
	return m
}

// givenDimensions returns the labels of a built-in metric without its own changes. The caller owns the list.
func (cfg *Config) givenDimensions(m *declaration) []Dimension {
	switch {
	case m.ofSpans():
		return slices.Concat(m.Dimensions, cfg.Dimensions)
	case m.Type == typeOldest:
		tasks := cfg.builtInMetric(activeTasks)
		return slices.DeleteFunc(slices.Clone(tasks.Dimensions), func(d Dimension) bool { return d.isState() })
	}
	return slices.Clone(m.Dimensions)
}

// definitions returns the registry's definition of each metric.
func (cfg *Config) definitions(metrics []declaration) []series.Definition {
	list := make([]series.Definition, len(metrics))
	for i := range metrics {
		list[i] = metrics[i].definition(cfg)
	}
	return list
}

// warnings returns a message for each event name that resembles one of Tasker's but is none, so that the metric would never
// have a value.
func (cfg *Config) warnings() []string {
	var warnings []string
	for _, name := range cfg.ownNames() {
		m := cfg.Metrics[name]
		for _, source := range m.sources() {
			for _, event := range source.Event {
				warnings = append(warnings, routing.UnknownName("metrics::"+name, event)...)
			}
		}
	}
	return warnings
}
