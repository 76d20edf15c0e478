// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/otlptranslator"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/internal/glob"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// metricName matches names that Prometheus and OpenTelemetry both accept without replacing words.
var metricName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9]*([._][a-zA-Z0-9]+)*$`)

// metricsCheck collects the mistakes of the section metrics.
type metricsCheck struct {
	cfg      *Config
	mistakes []error
	// taken maps Prometheus names to the metrics that have them.
	taken map[string]string
}

func (c *metricsCheck) add(key string, value any, wrong, remedy string) {
	c.mistakes = append(c.mistakes, configerr.New(key, value, wrong, remedy))
}

func (cfg *Config) checkMetrics() error {
	c := &metricsCheck{cfg: cfg, taken: map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(builtIn())) {
		m := cfg.builtInMetric(name)
		definition := m.definition(cfg)
		c.take(&definition)
	}
	for _, name := range taskerCoreMetrics() {
		c.taken[name] = "a metric that tasker-core emits itself"
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Metrics)) {
		own := &declaration{MetricConfig: cfg.Metrics[name], name: name}
		if _, found := builtIn()[name]; found {
			c.change(own)
		} else {
			c.own(own)
		}
	}
	return errors.Join(c.mistakes...)
}

// prometheusMetric returns the name that the Prometheus exporters derive by default.
func prometheusMetric(d *series.Definition) string {
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

// take reserves the Prometheus names of a metric, and returns the owner of one that is taken.
func (c *metricsCheck) take(d *series.Definition) (name, owner string) {
	name = prometheusMetric(d)
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
func (c *metricsCheck) change(m *declaration) {
	key := "metrics::" + m.name
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
	given := declaration{MetricConfig: builtIn()[m.name], name: m.name}
	if given.Type != typeHistogram && m.Histogram.isSet() {
		c.add(configerr.Path(key, "histogram"), nil, "is set, but the metric is not a histogram", "remove it")
	}
	if given.Type == typeOldest && len(m.Dimensions) > 0 {
		c.add(configerr.Path(key, "dimensions"), nil, "is set, but the metric uses the labels of "+activeTasks, "add them there")
	}
	if given.isOfOpen() && len(m.Conditions) > 0 {
		c.add(configerr.Path(key, "conditions"), nil, "is set, but the metric depends on several events of a task, not all of which may match", "remove it")
	}
	c.histogram(m.name, &m.Histogram, given.definition(c.cfg).PerUnit)
	c.conditions(key, m.Conditions)
	labels := names(c.cfg.givenDimensions(&given))
	c.excluded(key, m.ExcludeDimensions, labels)
	// A removed label may be added again with another key.
	left := names(c.cfg.builtInMetric(m.name).Dimensions)
	c.dimensions(key, m.Dimensions, left[:len(left)-len(m.Dimensions)])
}

// own checks a metric of the operator.
func (c *metricsCheck) own(m *declaration) {
	key := "metrics::" + m.name
	if !metricName.MatchString(m.name) {
		c.add(key, nil, "is not a valid metric name", "use letters and digits, with single dots or underscores between them, such as shop.order.amount")
	}
	for _, suffix := range []string{"_total", ".total", "_bucket", "_count", "_sum"} {
		if strings.HasSuffix(m.name, suffix) {
			c.add(key, nil, "ends with "+suffix+", which Prometheus adds itself", "leave it out")
		}
	}
	if m.isOfOpen() {
		c.add(configerr.Path(key, "type"), m.Type, "is for built-in metrics only, because each needs memory for everything that is open",
			"change the labels of tasker.tasks.active or tasker.steps.active instead")
	}
	if len(m.ExcludeDimensions) > 0 {
		c.add(configerr.Path(key, "exclude_dimensions"), nil, "is set, but a declared metric has only the labels in its dimensions", "leave them out there")
	}
	c.declaration(m)
	definition := m.definition(c.cfg)
	if prometheus, owner := c.take(&definition); owner != "" {
		c.add(key, nil, fmt.Sprintf("is %s at Prometheus, as is %s", prometheus, owner), "use another name")
	}
}

// declaration checks any declaration, including a built-in one.
func (c *metricsCheck) declaration(m *declaration) {
	key := "metrics::" + m.name
	switch m.Type {
	case "":
		c.add(configerr.Path(key, "type"), nil, "is missing",
			"use counter, gauge or histogram; or, to change a built-in metric, its name, one of "+strings.Join(slices.Sorted(maps.Keys(builtIn())), ", "))
	case typeCounter, typeActive, typeOldest:
	case typeGauge, typeHistogram:
		if len(m.Value) == 0 {
			c.add(configerr.Path(key, "value"), nil, "is missing", "use the key of the attribute that is measured, or duration")
		}
	default:
		c.add(configerr.Path(key, "type"), m.Type, "is not known", "use counter, gauge or histogram")
	}
	c.sources(key, m)
	c.value(key, m)
	if m.Type != typeHistogram && m.Histogram.isSet() {
		c.add(configerr.Path(key, "histogram"), nil, fmt.Sprintf("is set, but the type is %q", m.Type), "remove it, or use type: histogram")
	}
	c.histogram(m.name, &m.Histogram, m.definition(c.cfg).PerUnit)
	c.dimensions(key, m.Dimensions, nil)
}

// sources checks what is measured.
func (c *metricsCheck) sources(key string, m *declaration) {
	if len(m.Sources) == 0 {
		c.source(key, &m.SourceConfig)
		return
	}
	if len(m.Event) > 0 || m.Span != "" || len(m.Detected) > 0 {
		c.add(configerr.Path(key, "sources"), nil, "is set, and event, span or detected beside it", "move that into sources")
	}
	c.conditions(key, m.Conditions)
	for i := range m.Sources {
		c.source(configerr.Index(configerr.Path(key, "sources"), i), &m.Sources[i])
	}
}

func (c *metricsCheck) source(key string, s *SourceConfig) {
	levels := spanLevels()
	kinds := 0
	for _, set := range []bool{len(s.Event) > 0, s.Span != "", len(s.Detected) > 0} {
		if set {
			kinds++
		}
	}
	switch {
	case kinds == 0:
		c.add(key, nil, "names nothing to measure", "use event (such as order.placed, or order.*), span (such as step) or detected (such as performance.*)")
	case kinds > 1:
		c.add(key, nil, "has more than one of event, span and detected", "keep one, or list them in sources")
	case s.Span != "" && levels[s.Span] == "":
		c.add(configerr.Path(key, "span"), s.Span, "is not known", "use one of "+strings.Join(slices.Sorted(maps.Keys(levels)), ", "))
	}
	for _, name := range slices.Concat(s.Event, s.Detected) {
		switch {
		case strings.TrimSpace(name) != name || name == "":
			c.add(key, name, "is not a name of an event", "use a name without spaces around it; of several names make a list, such as [order.placed, order.paid]")
		case lifecycle.Canonical(name) != name:
			c.add(key, name, "never occurs, because the prefix tasker. is removed from event names", "write it without tasker.")
		}
	}
	for _, pattern := range s.Detected {
		if !slices.ContainsFunc(detections(), func(name string) bool { return glob.Match(pattern, name) }) {
			c.add(configerr.Path(key, "detected"), pattern, "is not detected by span_hierarchy", "use one of "+strings.Join(detections(), ", "))
		}
	}
	c.conditions(key, s.Conditions)
}

// detections returns the names of what span_hierarchy's performance monitor detects.
func detections() []string {
	return []string{lifecycle.PerformanceSlowOperation, lifecycle.PerformanceSlowSQLQuery, lifecycle.PerformanceMemorySpike}
}

// value checks the measured value.
func (c *metricsCheck) value(key string, m *declaration) {
	switch {
	case slices.Contains(m.Value, valueDuration):
		if len(m.Value) > 1 {
			c.add(configerr.Path(key, "value"), nil, "lists duration beside keys of attributes", "keep one")
		}
		if slices.ContainsFunc(m.sources(), func(s SourceConfig) bool { return s.Span == "" }) {
			c.add(configerr.Path(key, "value"), valueDuration, "does not exist for an event", "use the key of a payload, such as tasker.duration, or measure a span")
		}
		if m.Unit != "" && m.Unit != unitSeconds {
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

// histogram checks bucket bounds, whose unit is perUnit recorded units.
func (c *metricsCheck) histogram(name string, h *MetricHistogramConfig, perUnit float64) {
	key := "metrics::" + name + "::histogram"
	if h.Explicit.HasValue() && h.Exponential.HasValue() {
		c.add(key, nil, "has both explicit and exponential", "keep one")
	}
	if h.Exponential.HasValue() {
		if size := h.Exponential.Get().MaxSize; size != 0 && (size < minExponentialSize || size > maxExponentialSize) {
			c.mistakes = append(c.mistakes, configerr.InRange(configerr.Path(key, "exponential", "max_size"), size, minExponentialSize, maxExponentialSize))
		}
	}
	if !h.Explicit.HasValue() {
		return
	}
	bounds := configerr.Path(key, "explicit", "buckets")
	step := max(perUnit, 1)
	buckets, most := h.Explicit.Get().Buckets, 9e18/step
	scaled := scaleBounds(buckets, step)
	if len(buckets) == 0 {
		c.add(bounds, nil, "is empty", "use one bound or more, in the metric's unit, or leave explicit out for the default bounds")
	}
	for i, bound := range buckets {
		switch {
		case !(bound >= 0 && bound <= most):
			c.add(configerr.Index(bounds, i), bound, "is out of range", fmt.Sprintf("use 0 to %g, or measure in a larger unit", most))
		case i > 0 && bound <= buckets[i-1]:
			c.mistakes = append(c.mistakes, notSorted(configerr.Index(bounds, i), bound, buckets[i-1]))
		case i > 0 && scaled[i] == scaled[i-1] || bound > 0 && scaled[i] == 0:
			c.add(configerr.Index(bounds, i), bound, fmt.Sprintf("is not a multiple of the resolution, %v", 1/step), "remove it, or measure in a smaller unit")
		}
	}
}

// names returns the names of dimensions.
func names(dimensions []Dimension) []string {
	list := make([]string, len(dimensions))
	for i := range dimensions {
		list[i] = dimensions[i].Name
	}
	return list
}

// excluded checks that the labels to remove exist.
func (c *metricsCheck) excluded(key string, excluded, labels []string) {
	for i, label := range excluded {
		if !slices.Contains(labels, label) {
			c.add(configerr.Index(configerr.Path(key, "exclude_dimensions"), i), label, "is not a label of the metric", "use one of "+strings.Join(labels, ", "))
		}
	}
}

// dimensions checks labels against each other and against existing ones.
func (c *metricsCheck) dimensions(key string, dimensions []Dimension, labels []string) {
	c.mistakes = append(c.mistakes, checkDimensions(key+"::", dimensions, labels, c.cfg.AllowUnbounded)...)
}

func (c *metricsCheck) conditions(key string, conditions []ConditionConfig) {
	for i := range conditions {
		condition := &conditions[i]
		at := configerr.Index(configerr.Path(key, "conditions"), i)
		if condition.Key == "" {
			c.add(configerr.Path(at, "key"), condition.Key, "is not a key", "use the key of an attribute")
		}
		if condition.Exists == nil && len(condition.NotIn) == 0 && !condition.asksForValue() {
			c.add(at, nil, "does not restrict its attribute", "add exists, in, not_in, matches, min or max")
		}
		if condition.Exists != nil && !*condition.Exists && condition.asksForValue() {
			c.add(configerr.Path(at, "exists"), false, "never holds, because the condition asks for a value as well", "remove one of the two")
		}
		if condition.Min != nil && condition.Max != nil && *condition.Min > *condition.Max {
			c.add(configerr.Path(at, "min"), *condition.Min, fmt.Sprintf("is more than max (%v)", *condition.Max), "swap them")
		}
	}
}
