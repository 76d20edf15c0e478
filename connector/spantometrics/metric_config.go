// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/config/configoptional"

	"github.com/tasker-otel/otelcol-tasker/internal/glob"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// MetricConfig declares a metric: one of the operator's own, or a built-in one. Under the name of a built-in metric the
// operator changes that one.
type MetricConfig struct {
	// Enabled is whether the metric is made; without it, it is.
	Enabled *bool `mapstructure:"enabled"`
	// Type is counter, gauge or histogram. The built-in gauges of what is open are of the types active and oldest.
	Type        string `mapstructure:"type"`
	Unit        string `mapstructure:"unit"`
	Description string `mapstructure:"description"`
	// SourceConfig is what is measured. Its conditions hold for each of Sources too.
	SourceConfig `mapstructure:",squash"`
	// Sources are several things that are measured alike.
	Sources []SourceConfig `mapstructure:"sources"`
	// Value is the key of the measured attribute, or duration; of several keys the first that is there. A counter without
	// one counts.
	Value []string `mapstructure:"value"`
	// Scale is what a value is multiplied with before it is measured; 0 stands for 1.
	Scale float64 `mapstructure:"scale"`
	// Dimensions are the labels; where the operator changes a built-in metric, further ones.
	Dimensions []Dimension `mapstructure:"dimensions"`
	// ExcludeDimensions are labels of a built-in metric to be left out.
	ExcludeDimensions []string `mapstructure:"exclude_dimensions"`
	// Histogram is how values are bucketed.
	Histogram MetricHistogramConfig `mapstructure:"histogram"`

	_ struct{}
}

// PayloadKeysOf returns the payload keys that the metric reads of an event, some of them perhaps twice; nil if it does not measure it.
func (m *MetricConfig) PayloadKeysOf(event string) []string {
	var keys []string
	measured := false
	for _, source := range append([]SourceConfig{m.SourceConfig}, m.Sources...) {
		for _, condition := range source.Conditions {
			keys = append(keys, condition.Key)
		}
		measured = measured || glob.MatchAny(source.Event, event)
	}
	if !measured {
		return nil
	}
	keys = append(keys, m.Value...)
	for i := range m.Dimensions {
		keys = append(keys, m.Dimensions[i].keys()...)
	}
	for i := range keys {
		keys[i] = strings.TrimPrefix(keys[i], lifecycle.AttributePrefix)
	}
	return keys
}

// SourceConfig is one kind of thing that is measured.
type SourceConfig struct {
	// Event is the names of the events, in which a star stands for any characters.
	Event []string `mapstructure:"event"`
	// Span is the level of the finished spans.
	Span string `mapstructure:"span"`
	// Detected is the names of what span_hierarchy found out about a finished span, in which a star stands for any
	// characters.
	Detected []string `mapstructure:"detected"`
	// Conditions must all hold.
	Conditions []ConditionConfig `mapstructure:"conditions"`

	_ struct{}
}

// ConditionConfig is a condition on an attribute of the event or span, or else of its resource. All that it says must hold.
type ConditionConfig struct {
	Key string `mapstructure:"key"`
	// Exists reports whether the attribute must be there, or must not.
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

// Dimension is a label taken from an attribute of the span or event, or else of its resource.
type Dimension struct {
	// Name of the label.
	Name string `mapstructure:"name"`
	// Key of the attribute, and of several keys the first that is there; without one it is the name.
	Key []string `mapstructure:"key"`
	// Default is the label's value where the attribute is absent; without one the label is absent too.
	Default *string `mapstructure:"default"`

	_ struct{}
}

// keys returns those of the attribute.
func (d *Dimension) keys() []string {
	if len(d.Key) > 0 {
		return d.Key
	}
	return []string{d.Name}
}

// isState reports whether the dimension is the state of an open task.
func (d *Dimension) isState() bool { return len(d.Key) == 1 && d.Key[0] == keyTaskState }

// MetricHistogramConfig chooses one form of histogram, in the metric's unit.
type MetricHistogramConfig struct {
	Explicit    configoptional.Optional[MetricBucketsConfig]        `mapstructure:"explicit"`
	Exponential configoptional.Optional[ExponentialHistogramConfig] `mapstructure:"exponential"`

	_ struct{}
}

func (h *MetricHistogramConfig) isSet() bool {
	return h.Explicit.HasValue() || h.Exponential.HasValue()
}

// MetricBucketsConfig lists the upper bounds of buckets, ascending.
type MetricBucketsConfig struct {
	Buckets []float64 `mapstructure:"buckets"`

	_ struct{}
}

const (
	typeCounter   = "counter"
	typeGauge     = "gauge"
	typeHistogram = "histogram"
	// typeActive is how many tasks or steps are open. Only built-in metrics are of it, because each takes the memory of all
	// that is open.
	typeActive = "active"
	// typeOldest is the age of the oldest task that is open, by the labels of activeTasks but for the state.
	typeOldest = "oldest"

	// activeTasks is the metric of the tasks that are open.
	activeTasks = "tasker.tasks.active"

	// valueDuration measures how long a span took.
	valueDuration = "duration"
)

// spanLevels returns the names under which a declaration knows the finished spans.
func spanLevels() map[string]string {
	return map[string]string{
		"task": lifecycle.SpanTask, "orchestration": lifecycle.SpanOrchestration, "batch": lifecycle.SpanBatch,
		"step": lifecycle.SpanStep, "handler": lifecycle.SpanHandler, "query": lifecycle.SpanQuery,
		"queued": lifecycle.SpanQueued, "backoff": lifecycle.SpanBackoff, "dependency": lifecycle.SpanDependency,
		"finalization": lifecycle.SpanFinalization,
	}
}

// takesDuration reports whether the duration of spans is measured.
func (m *MetricConfig) takesDuration() bool { return len(m.Value) == 1 && m.Value[0] == valueDuration }

// sources returns all that is measured, with the metric's own conditions in each.
func (m *MetricConfig) sources() []SourceConfig {
	if len(m.Sources) == 0 {
		return []SourceConfig{m.SourceConfig}
	}
	all := slices.Clone(m.Sources)
	for i := range all {
		all[i].Conditions = slices.Concat(all[i].Conditions, m.Conditions)
	}
	return all
}
