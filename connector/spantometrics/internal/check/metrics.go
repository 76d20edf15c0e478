// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/declaration"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

// metricName matches names that Prometheus and OpenTelemetry both accept without replacing words.
var metricName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9]*([._][a-zA-Z0-9]+)*$`)

// Metrics checks the section metrics, and the labels of all metrics.
func Metrics(cfg *declaration.Config) error {
	return errors.Join(dimensions(cfg), metrics(cfg))
}

func metrics(cfg *declaration.Config) error {
	c := &checker{cfg: cfg, taken: map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(declaration.BuiltIn())) {
		m := declaration.BuiltInMetric(cfg, name)
		definition := m.Definition(cfg)
		c.take(&definition)
	}
	for _, name := range taskerCoreMetrics() {
		c.taken[name] = "a metric that tasker-core emits itself"
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Metrics)) {
		own := &declaration.Metric{MetricConfig: cfg.Metrics[name], Name: name}
		if _, found := declaration.BuiltIn()[name]; found {
			c.change(own)
		} else {
			c.own(own)
		}
	}
	return errors.Join(c.mistakes...)
}

// take reserves the Prometheus names of a metric, and returns the owner of one that is taken.
func (c *checker) take(d *series.Definition) (name, owner string) {
	name = PrometheusMetric(d)
	names := []string{name}
	if d.Kind == series.KindHistogram {
		names = append(names, name+"_bucket", name+"_sum", name+"_count")
	}
	for _, n := range names {
		if owner == "" {
			owner = c.taken[n]
		}
	}
	for _, n := range names {
		c.taken[n] = d.Name
	}
	return name, owner
}

// change checks the operator's changes of a built-in metric.
func (c *checker) change(m *declaration.Metric) {
	key := "metrics::" + m.Name
	set := map[string]bool{
		"type": m.Type != "", "unit": m.Unit != "", "description": m.Description != "", "event": len(m.Event) > 0,
		"span": m.Span != "", "detected": len(m.Detected) > 0, "sources": len(m.Sources) > 0, "value": len(m.Value) > 0,
		"scale": m.Scale != 0,
	}
	for _, setting := range slices.Sorted(maps.Keys(set)) {
		if set[setting] {
			c.add(configerr.Path(key, setting), nil, "is set, but the metric is built in, and only enabled, conditions, dimensions, exclude_dimensions and histogram can be changed",
				"remove it, or declare a metric of another name")
		}
	}
	given := declaration.Metric{MetricConfig: declaration.BuiltIn()[m.Name], Name: m.Name}
	if given.Type != declaration.TypeHistogram && m.Histogram.IsSet() {
		c.add(configerr.Path(key, "histogram"), nil, "is set, but the metric is not a histogram", "remove it")
	}
	if given.Type == declaration.TypeOldest && len(m.Dimensions) > 0 {
		c.add(configerr.Path(key, "dimensions"), nil, "is set, but the metric uses the labels of "+declaration.ActiveTasks, "add them there")
	}
	if given.IsOfOpen() && len(m.Conditions) > 0 {
		c.add(configerr.Path(key, "conditions"), nil, "is set, but the metric depends on several events of a task, not all of which may match", "remove it")
	}
	c.histogram(m.Name, &m.Histogram, given.Definition(c.cfg).PerUnit)
	c.conditions(key, m.Conditions)
	labels := declaration.Names(declaration.GivenDimensions(c.cfg, &given))
	c.excluded(key, m.ExcludeDimensions, labels)
	// A removed label may be added again with another key.
	left := declaration.Names(declaration.BuiltInMetric(c.cfg, m.Name).Dimensions)
	c.dimensions(key, m.Dimensions, left[:len(left)-len(m.Dimensions)])
}

// own checks a metric of the operator.
func (c *checker) own(m *declaration.Metric) {
	key := "metrics::" + m.Name
	if !metricName.MatchString(m.Name) {
		c.add(key, nil, "is not a valid metric name", "use letters and digits, with single dots or underscores between them, such as shop.order.amount")
	}
	for _, suffix := range []string{"_total", ".total", "_bucket", "_count", "_sum"} {
		if strings.HasSuffix(m.Name, suffix) {
			c.add(key, nil, "ends with "+suffix+", which Prometheus adds itself", "leave it out")
		}
	}
	if m.IsOfOpen() {
		c.add(configerr.Path(key, "type"), m.Type, "is for built-in metrics only, because each needs memory for everything that is open",
			"change the labels of tasker.tasks.active or tasker.steps.active instead")
	}
	if len(m.ExcludeDimensions) > 0 {
		c.add(configerr.Path(key, "exclude_dimensions"), nil, "is set, but a declared metric has only the labels in its dimensions", "leave them out there")
	}
	c.declaration(m)
	definition := m.Definition(c.cfg)
	if prometheus, owner := c.take(&definition); owner != "" {
		c.add(key, nil, fmt.Sprintf("is %s at Prometheus, as is %s", prometheus, owner), "use another name")
	}
}

// declaration checks any declaration, including a built-in one.
func (c *checker) declaration(m *declaration.Metric) {
	key := "metrics::" + m.Name
	switch m.Type {
	case "":
		c.add(configerr.Path(key, "type"), nil, "is missing",
			"use counter, gauge or histogram; or, to change a built-in metric, its name, one of "+strings.Join(slices.Sorted(maps.Keys(declaration.BuiltIn())), ", "))
	case declaration.TypeCounter, declaration.TypeActive, declaration.TypeOldest:
	case declaration.TypeGauge, declaration.TypeHistogram:
		if len(m.Value) == 0 {
			c.add(configerr.Path(key, "value"), nil, "is missing", "use the key of the attribute that is measured, or duration")
		}
	default:
		c.add(configerr.Path(key, "type"), m.Type, "is not known", "use counter, gauge or histogram")
	}
	c.sources(key, m)
	c.value(key, m)
	if m.Type != declaration.TypeHistogram && m.Histogram.IsSet() {
		c.add(configerr.Path(key, "histogram"), nil, fmt.Sprintf("is set, but the type is %q", m.Type), "remove it, or use type: histogram")
	}
	c.histogram(m.Name, &m.Histogram, m.Definition(c.cfg).PerUnit)
	c.dimensions(key, m.Dimensions, nil)
}

// value checks the measured value.
func (c *checker) value(key string, m *declaration.Metric) {
	switch {
	case slices.Contains(m.Value, declaration.ValueDuration):
		if len(m.Value) > 1 {
			c.add(configerr.Path(key, "value"), nil, "lists duration beside keys of attributes", "keep one")
		}
		if slices.ContainsFunc(m.AllSources(), func(s declaration.SourceConfig) bool { return s.Span == "" }) {
			c.add(configerr.Path(key, "value"), declaration.ValueDuration, "does not exist for an event", "use the key of a payload, such as tasker.duration, or measure a span")
		}
		if m.Unit != "" && m.Unit != declaration.UnitSeconds {
			c.add(configerr.Path(key, "unit"), m.Unit, "is not the unit of durations, which are in seconds", "use s, or remove it")
		}
		if m.Scale != 0 {
			c.add(configerr.Path(key, "scale"), m.Scale, "is set, but durations are in seconds", "remove it")
		}
	case m.Scale != 0 && len(m.Value) == 0:
		c.add(configerr.Path(key, "scale"), m.Scale, "is set, but there is no value to multiply", "remove it, or set value")
	case m.Scale < 0 || math.IsInf(m.Scale, 0) || math.IsNaN(m.Scale):
		c.add(configerr.Path(key, "scale"), m.Scale, "is not a number above zero", "use one such as 0.001 for milliseconds in a metric of seconds")
	}
}

// excluded checks that the labels to remove exist.
func (c *checker) excluded(key string, excluded, labels []string) {
	for i, label := range excluded {
		if !slices.Contains(labels, label) {
			c.add(configerr.Index(configerr.Path(key, "exclude_dimensions"), i), label, "is not a label of the metric", "use one of "+strings.Join(labels, ", "))
		}
	}
}

// dimensions checks labels against each other and against existing ones.
func (c *checker) dimensions(key string, dimensions []declaration.Dimension, given []string) {
	c.mistakes = append(c.mistakes, labels(key+"::", dimensions, given, c.cfg.AllowUnbounded)...)
}
