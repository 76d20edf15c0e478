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
	"go.opentelemetry.io/collector/config/configoptional"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// MetricConfig declares a metric of the operator's own, or changes a built-in one of the same name.
type MetricConfig struct {
	// Enabled is whether the metric is made; without it, it is.
	Enabled *bool `mapstructure:"enabled"`
	// Type is counter, gauge or histogram.
	Type        string `mapstructure:"type"`
	Unit        string `mapstructure:"unit"`
	Description string `mapstructure:"description"`
	// Event is the name of the events that are measured, in which a star stands for any characters.
	Event string `mapstructure:"event"`
	// Span is the level of the finished spans that are measured.
	Span string `mapstructure:"span"`
	// Value is the key of the measured attribute, or duration. A counter without one counts.
	Value string `mapstructure:"value"`
	// Dimensions are the labels; of a built-in metric, further ones.
	Dimensions []Dimension `mapstructure:"dimensions"`
	// ExcludeDimensions are labels to be left out.
	ExcludeDimensions []string `mapstructure:"exclude_dimensions"`
	// Conditions must all hold.
	Conditions []ConditionConfig `mapstructure:"conditions"`
	// Histogram is how values are bucketed.
	Histogram MetricHistogramConfig `mapstructure:"histogram"`

	_ struct{}
}

// MetricHistogramConfig chooses one form of histogram, in the metric's unit.
type MetricHistogramConfig struct {
	Explicit    configoptional.Optional[MetricBucketsConfig]        `mapstructure:"explicit"`
	Exponential configoptional.Optional[ExponentialHistogramConfig] `mapstructure:"exponential"`

	_ struct{}
}

// MetricBucketsConfig lists the upper bounds of buckets, ascending.
type MetricBucketsConfig struct {
	Buckets []float64 `mapstructure:"buckets"`

	_ struct{}
}

// ConditionConfig is a condition on an attribute of the event or span, or else of its resource. All that it says must hold.
type ConditionConfig struct {
	Key string `mapstructure:"key"`
	// Exists tells whether the attribute must be there, or must not.
	Exists *bool `mapstructure:"exists"`
	// In and NotIn list texts of the value.
	In    []string `mapstructure:"in"`
	NotIn []string `mapstructure:"not_in"`
	// Matches is a text of the value, in which a star stands for any characters.
	Matches string `mapstructure:"matches"`
	// Min and Max bound the value as a number, themselves included.
	Min *float64 `mapstructure:"min"`
	Max *float64 `mapstructure:"max"`

	_ struct{}
}

const (
	typeCounter   = "counter"
	typeGauge     = "gauge"
	typeHistogram = "histogram"

	// valueDuration measures how long a span took.
	valueDuration = "duration"

	// payloadPerUnit keeps six decimals of the numbers of payloads, and all numbers up to nine trillion.
	payloadPerUnit = 1e6
)

// spanLevels are the names under which a declaration knows the finished spans.
func spanLevels() map[string]string {
	return map[string]string{
		"task": lifecycle.SpanTask, "orchestration": lifecycle.SpanOrchestration, "batch": lifecycle.SpanBatch,
		"step": lifecycle.SpanStep, "handler": lifecycle.SpanHandler, "query": lifecycle.SpanQuery,
		"queued": lifecycle.SpanQueued, "backoff": lifecycle.SpanBackoff, "dependency": lifecycle.SpanDependency,
		"finalization": lifecycle.SpanFinalization,
	}
}

// defaultValueBounds are those of the OpenTelemetry SDKs.
func defaultValueBounds() []float64 {
	return []float64{0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000}
}

// builtInLabels are the labels of the built-in metrics, in their order.
func builtInLabels() [metricCount][]string {
	var labels [metricCount][]string
	byTask := []string{labelTaskName}
	byStep := []string{labelTaskName, labelStepName}
	labels[taskExecutions] = []string{labelTaskName, labelStatus}
	labels[taskDuration] = labels[taskExecutions]
	labels[stepExecutions] = []string{labelTaskName, labelStepName, labelStatus}
	labels[stepDuration] = labels[stepExecutions]
	labels[stepRetries], labels[stepBackoffDuration] = byStep, byStep
	labels[stepErrors] = []string{labelTaskName, labelStepName, lifecycle.AttrErrorType}
	labels[batchDuration], labels[batchSize], labels[orchestrationDuration], labels[taskQueueDuration] = byTask, byTask, byTask, byTask
	labels[events] = []string{labelEvent}
	labels[sqlDuration] = []string{lifecycle.AttrDBOperationName, lifecycle.AttrDBCollectionName}
	labels[sqlQueries] = labels[sqlDuration]
	labels[slowOperations] = []string{labelOperation}
	labels[operationDuration], labels[operationMemoryDelta] = labels[slowOperations], labels[slowOperations]
	labels[taskReenqueues] = []string{labelReason}
	labels[tasksActive] = byTask
	labels[stepsActive] = []string{labelStepName}
	return labels
}

// builtInIndex finds a built-in metric by its name.
func builtInIndex(name string) (int, bool) {
	for i, definition := range builtInDefinitions(&Config{}) {
		if definition.Name == name {
			return i, true
		}
	}
	return 0, false
}

// fromSpans tells whether a built-in metric is measured on finished spans, and so has the connector's own dimensions.
func fromSpans(metric int) bool { return metric <= stepErrors }

// declaredNames lists the operator's own metrics, in the order of their definitions.
func (cfg *Config) declaredNames() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(cfg.Metrics)) {
		if _, builtIn := builtInIndex(name); !builtIn {
			names = append(names, name)
		}
	}
	return names
}

// definition is that of a declared metric.
func (m *MetricConfig) definition(cfg *Config, name string) series.Definition {
	d := series.Definition{Name: name, Unit: m.Unit, Description: m.Description}
	duration := m.Value == valueDuration
	switch {
	case duration:
		d.PerUnit = series.Nanoseconds
		if d.Unit == "" {
			d.Unit = "s"
		}
	case m.Value != "":
		d.PerUnit = payloadPerUnit
	}
	switch m.Type {
	case typeCounter:
		d.Kind = series.KindSum
	case typeGauge:
		d.Kind = series.KindLast
	default:
		d.Kind = series.KindHistogram
		if duration {
			d.Bounds, d.Exponential = cfg.durationBounds(), cfg.exponentialSize()
		} else {
			d.Bounds = scaleBounds(defaultValueBounds(), d.PerUnit)
		}
		m.Histogram.apply(&d)
	}
	return d
}

// apply gives a definition the form that was chosen, if one was.
func (h *MetricHistogramConfig) apply(d *series.Definition) {
	if h.Explicit.HasValue() {
		d.Bounds, d.Exponential = scaleBounds(h.Explicit.Get().Buckets, max(d.PerUnit, 1)), 0
	}
	if h.Exponential.HasValue() {
		if d.Exponential = h.Exponential.Get().MaxSize; d.Exponential == 0 {
			d.Exponential = defaultExponentialSize
		}
	}
}

func scaleBounds(bounds []float64, perUnit float64) []int64 {
	scaled := make([]int64, len(bounds))
	for i, bound := range bounds {
		scaled[i] = int64(math.Round(bound * perUnit))
	}
	return scaled
}

// metricName is what Prometheus and OpenTelemetry both take without a change of its words.
var metricName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9]*([._][a-zA-Z0-9]+)*$`)

// metricsCheck collects the mistakes of the section metrics.
type metricsCheck struct {
	cfg      *Config
	mistakes []error
	// taken are the metrics by the name that they have at Prometheus.
	taken map[string]string
}

func (c *metricsCheck) add(format string, args ...any) {
	c.mistakes = append(c.mistakes, fmt.Errorf(format, args...))
}

func (cfg *Config) checkMetrics() error {
	c := &metricsCheck{cfg: cfg, taken: map[string]string{}}
	for _, definition := range builtInDefinitions(cfg) {
		c.take(&definition)
	}
	for _, name := range taskerCoreMetrics() {
		c.taken[name] = "a metric that tasker-core emits itself"
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Metrics)) {
		metric := cfg.Metrics[name]
		if index, found := builtInIndex(name); found {
			c.builtIn(name, index, &metric)
		} else {
			c.declared(name, &metric)
		}
	}
	return errors.Join(c.mistakes...)
}

// prometheusMetric is the name that the Prometheus exporters make by default.
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

// take notes the names that a metric has at Prometheus, and returns who has one of them already.
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

func (c *metricsCheck) builtIn(name string, index int, m *MetricConfig) {
	set := map[string]bool{
		"type": m.Type != "", "unit": m.Unit != "", "description": m.Description != "", "event": m.Event != "",
		"span": m.Span != "", "value": m.Value != "", "conditions": len(m.Conditions) > 0,
	}
	for _, key := range slices.Sorted(maps.Keys(set)) {
		if set[key] {
			c.add(`"metrics::%s::%s" is set, but %s is built in, and only enabled, dimensions, exclude_dimensions and histogram can be changed: remove it, or declare a metric of another name`,
				name, key, name)
		}
	}
	if builtInDefinitions(c.cfg)[index].Kind != series.KindHistogram && m.Histogram.isSet() {
		c.add(`"metrics::%s::histogram" is set, but %s is no histogram: remove it`, name, name)
	}
	c.histogram(name, &m.Histogram)
	labels := slices.Clone(builtInLabels()[index])
	if fromSpans(index) {
		for _, dimension := range c.cfg.Dimensions {
			labels = append(labels, dimension.Name)
		}
	}
	c.excluded("metrics::"+name, m.ExcludeDimensions, labels)
	c.dimensions("metrics::"+name, m.Dimensions, labels)
}

func (c *metricsCheck) declared(name string, m *MetricConfig) {
	key := "metrics::" + name
	if !metricName.MatchString(name) {
		c.add("%q is no name for a metric: use letters and digits, with single dots or underscores between them, such as shop.order.amount", key)
	}
	for _, suffix := range []string{"_total", ".total", "_bucket", "_count", "_sum"} {
		if strings.HasSuffix(name, suffix) {
			c.add("%q ends with %q, which Prometheus adds by itself: leave it out", key, suffix)
		}
	}
	switch m.Type {
	case typeCounter:
	case typeGauge, typeHistogram:
		if m.Value == "" {
			c.add(`"%s::value" is missing: a %s needs the key of the attribute that it measures, or duration`, key, m.Type)
		}
	default:
		c.add(`"%s::type" is %q: set counter, gauge or histogram`, key, m.Type)
	}
	c.source(key, m)
	if m.Type != typeHistogram && m.Histogram.isSet() {
		c.add(`"%s::histogram" is set, but the type is %q: remove it, or set "type: histogram"`, key, m.Type)
	}
	c.histogram(name, &m.Histogram)
	if len(m.ExcludeDimensions) > 0 {
		c.add(`"%s::exclude_dimensions" is set, but a metric of your own has only the labels in its dimensions: leave them out there`, key)
	}
	c.dimensions(key, m.Dimensions, nil)
	c.conditions(key, m.Conditions)
	definition := m.definition(c.cfg, name)
	if prometheus, owner := c.take(&definition); owner != "" {
		c.add("%q is %s at Prometheus, where that is %s: choose another name", key, prometheus, owner)
	}
}

// source checks what is measured.
func (c *metricsCheck) source(key string, m *MetricConfig) {
	levels := spanLevels()
	switch {
	case m.Event == "" && m.Span == "":
		c.add(`%q names neither an event nor a span: set "event" (such as order.placed, or order.*) or "span" (such as step)`, key)
	case m.Event != "" && m.Span != "":
		c.add(`%q has both "event" and "span": keep one`, key)
	case m.Event != "" && lifecycle.Canonical(m.Event) != m.Event:
		c.add(`"%s::event" is %q: write it without "tasker.", which is dropped from the names of events`, key, m.Event)
	case m.Event != "" && m.Value == valueDuration:
		c.add(`"%s::value" is duration, which an event has not: set the key of a payload, such as tasker.duration, or measure a "span"`, key)
	case m.Span != "" && levels[m.Span] == "":
		c.add(`"%s::span" is %q: set one of %s`, key, m.Span, strings.Join(slices.Sorted(maps.Keys(levels)), ", "))
	}
	if m.Value == valueDuration && m.Unit != "" && m.Unit != "s" {
		c.add(`"%s::unit" is %q, but durations are in seconds: set "s", or remove it`, key, m.Unit)
	}
}

func (h *MetricHistogramConfig) isSet() bool {
	return h.Explicit.HasValue() || h.Exponential.HasValue()
}

func (c *metricsCheck) histogram(name string, h *MetricHistogramConfig) {
	key := "metrics::" + name + "::histogram"
	if h.Explicit.HasValue() && h.Exponential.HasValue() {
		c.add(`%q has both "explicit" and "exponential": keep one`, key)
	}
	if h.Exponential.HasValue() {
		if size := h.Exponential.Get().MaxSize; size != 0 && (size < 2 || size > maxExponentialSize) {
			c.add(`"%s::exponential::max_size" is %d: set a number from 2 to %d, such as 160`, key, size, maxExponentialSize)
		}
	}
	if !h.Explicit.HasValue() {
		return
	}
	buckets := h.Explicit.Get().Buckets
	if len(buckets) == 0 {
		c.add(`"%s::explicit::buckets" is empty: list one bound or more, in the metric's unit, or leave "explicit" out for the default bounds`, key)
	}
	for i, bound := range buckets {
		switch {
		case bound < 0 || bound > 9e9 || math.IsNaN(bound):
			c.add(`"%s::explicit::buckets[%d]" is %v: a bound must be from 0 to 9e9; measure in a larger unit`, key, i, bound)
		case i > 0 && bound <= buckets[i-1]:
			c.add(`"%s::explicit::buckets[%d]" is %v and follows %v: sort the bounds and remove repeated ones`, key, i, bound, buckets[i-1])
		}
	}
}

// excluded checks labels to be left out against those that there are.
func (c *metricsCheck) excluded(key string, excluded, labels []string) {
	for i, label := range excluded {
		if !slices.Contains(labels, label) {
			c.add(`"%s::exclude_dimensions[%d]" is %q, which is no label of it: its labels are %s`, key, i, label, strings.Join(labels, ", "))
		}
	}
}

// dimensions checks labels against each other and against those that there are.
func (c *metricsCheck) dimensions(key string, dimensions []Dimension, labels []string) {
	c.mistakes = append(c.mistakes, checkDimensions(key+"::", dimensions, labels, c.cfg.AllowUnbounded)...)
}

func (c *metricsCheck) conditions(key string, conditions []ConditionConfig) {
	for i := range conditions {
		condition := &conditions[i]
		at := fmt.Sprintf("%s::conditions[%d]", key, i)
		if condition.Key == "" {
			c.add(`"%s::key" is empty: give the key of an attribute`, at)
		}
		says := condition.Exists != nil || len(condition.In) > 0 || len(condition.NotIn) > 0 || condition.Matches != "" ||
			condition.Min != nil || condition.Max != nil
		if !says {
			c.add("%q says nothing of its attribute: set exists, in, not_in, matches, min or max", at)
		}
		if condition.Exists != nil && !*condition.Exists && (len(condition.In) > 0 || condition.Matches != "" || condition.Min != nil || condition.Max != nil) {
			c.add(`"%s::exists" is false, but the condition asks for a value as well: it would never hold`, at)
		}
		if condition.Min != nil && condition.Max != nil && *condition.Min > *condition.Max {
			c.add(`"%s::min" is %v and "max" is %v: no number is both`, at, *condition.Min, *condition.Max)
		}
	}
}
