// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package declaration

import (
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/configoptional"

	"github.com/tasker-otel/otelcol-tasker/internal/glob"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Config is the part of the connector's configuration that declares metrics. It has no methods, because the connector's
// Config embeds it.
type Config struct {
	// Histogram configures the buckets of durations.
	Histogram HistogramConfig `mapstructure:"histogram"`
	// Dimensions are additional labels of the built-in metrics of spans.
	Dimensions []Dimension `mapstructure:"dimensions"`
	// ExcludeDimensions are labels to remove from the built-in metrics.
	ExcludeDimensions []string `mapstructure:"exclude_dimensions"`
	// Metrics declares additional metrics, and changes built-in ones, by name.
	Metrics map[string]MetricConfig `mapstructure:"metrics"`
	// AllowUnbounded lists ID-like dimensions to be accepted.
	AllowUnbounded []string `mapstructure:"allow_unbounded"`
	// FoldNumberedSteps removes the number from the step names of batch workers, such as import_001.
	FoldNumberedSteps bool `mapstructure:"fold_numbered_steps"`

	_ struct{}
}

// HistogramConfig selects the histogram type. The default is explicit with default bounds.
type HistogramConfig struct {
	Explicit    configoptional.Optional[ExplicitHistogramConfig]    `mapstructure:"explicit"`
	Exponential configoptional.Optional[ExponentialHistogramConfig] `mapstructure:"exponential"`

	_ struct{}
}

// defaultBounds returns duration buckets from quick steps to tasks of a day.
func defaultBounds() []time.Duration {
	return []time.Duration{
		5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
		100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
		time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 30 * time.Second,
		time.Minute, 5 * time.Minute, 15 * time.Minute,
		time.Hour, 4 * time.Hour, 12 * time.Hour, 24 * time.Hour,
	}
}

// ExplicitHistogramConfig lists the upper bounds of buckets in ascending order.
type ExplicitHistogramConfig struct {
	Buckets []time.Duration `mapstructure:"buckets"`

	_ struct{}
}

// ExponentialHistogramConfig bounds the number of buckets, which determines the resolution.
type ExponentialHistogramConfig struct {
	MaxSize int32 `mapstructure:"max_size"`

	_ struct{}
}

// DefaultHistogram selects no type and holds the defaults of each, for a section that is present but empty.
func DefaultHistogram() HistogramConfig {
	return HistogramConfig{
		Explicit:    configoptional.Default(ExplicitHistogramConfig{Buckets: defaultBounds()}),
		Exponential: configoptional.Default(ExponentialHistogramConfig{MaxSize: DefaultExponentialSize}),
	}
}

// DefaultExponentialSize is the maximum number of buckets of an exponential histogram.
const DefaultExponentialSize = 160

// MetricConfig declares an additional metric or, under the name of a built-in one, changes it.
type MetricConfig struct {
	// Enabled is true if nil.
	Enabled *bool `mapstructure:"enabled"`
	// Type is counter, gauge or histogram. The built-in gauges of open tasks and steps have the types active and oldest.
	Type        string `mapstructure:"type"`
	Unit        string `mapstructure:"unit"`
	Description string `mapstructure:"description"`
	// SourceConfig is what is measured. Its conditions also apply to each of Sources.
	SourceConfig `mapstructure:",squash"`
	// Sources are alternatives that are measured in the same way.
	Sources []SourceConfig `mapstructure:"sources"`
	// Value is the key of the measured attribute, or duration; the first of several keys that is present. A counter without
	// a value counts occurrences.
	Value []string `mapstructure:"value"`
	// Scale is a factor for the value; 0 means 1.
	Scale float64 `mapstructure:"scale"`
	// Dimensions are the labels, or additional labels of a built-in metric.
	Dimensions []Dimension `mapstructure:"dimensions"`
	// ExcludeDimensions are labels to remove from a built-in metric.
	ExcludeDimensions []string `mapstructure:"exclude_dimensions"`
	// Histogram configures the buckets.
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
		keys = append(keys, m.Dimensions[i].Keys()...)
	}
	for i := range keys {
		keys[i] = strings.TrimPrefix(keys[i], lifecycle.AttributePrefix)
	}
	return keys
}

// SourceConfig is one kind of thing that is measured.
type SourceConfig struct {
	// Event is a list of event names, in which a star matches any characters.
	Event []string `mapstructure:"event"`
	// Span is the level of the finished spans.
	Span string `mapstructure:"span"`
	// Detected is a list of detections of span_hierarchy on finished spans, in which a star matches any characters.
	Detected []string `mapstructure:"detected"`
	// Conditions must all hold.
	Conditions []ConditionConfig `mapstructure:"conditions"`

	_ struct{}
}

// ConditionConfig is a condition on an attribute of the event or span, or else of its resource. All of its parts must hold.
type ConditionConfig struct {
	Key string `mapstructure:"key"`
	// Exists requires the attribute to be present or absent.
	Exists *bool `mapstructure:"exists"`
	// In and NotIn list values as texts.
	In    []string `mapstructure:"in"`
	NotIn []string `mapstructure:"not_in"`
	// Matches is a pattern for the value, in which a star matches any characters.
	Matches string `mapstructure:"matches"`
	// Min and Max bound the numeric value, inclusively.
	Min *float64 `mapstructure:"min"`
	Max *float64 `mapstructure:"max"`

	_ struct{}
}

// RequiresValue reports whether the condition requires the attribute to exist.
func (c *ConditionConfig) RequiresValue() bool {
	return len(c.In) > 0 || c.Matches != "" || c.Min != nil || c.Max != nil
}

// Dimension is a label from an attribute of the span or event, or else of its resource.
type Dimension struct {
	// Name is the label's name.
	Name string `mapstructure:"name"`
	// Key is the attribute's key; the first of several that is present. The default is the name.
	Key []string `mapstructure:"key"`
	// Default is the label's value if the attribute is absent; without it the label is absent.
	Default *string `mapstructure:"default"`

	_ struct{}
}

// Keys returns the keys of the attribute.
func (d *Dimension) Keys() []string {
	if len(d.Key) > 0 {
		return d.Key
	}
	return []string{d.Name}
}

// KeyTaskState is the key of the state of an open task.
const KeyTaskState = "task.state"

// IsState reports whether the dimension is the state of an open task.
func (d *Dimension) IsState() bool { return len(d.Key) == 1 && d.Key[0] == KeyTaskState }

// Names returns the names of dimensions.
func Names(dimensions []Dimension) []string {
	list := make([]string, len(dimensions))
	for i := range dimensions {
		list[i] = dimensions[i].Name
	}
	return list
}

// MetricHistogramConfig selects the histogram type, in the metric's unit.
type MetricHistogramConfig struct {
	Explicit    configoptional.Optional[MetricBucketsConfig]        `mapstructure:"explicit"`
	Exponential configoptional.Optional[ExponentialHistogramConfig] `mapstructure:"exponential"`

	_ struct{}
}

// IsSet reports whether a type is selected.
func (h *MetricHistogramConfig) IsSet() bool {
	return h.Explicit.HasValue() || h.Exponential.HasValue()
}

// MetricBucketsConfig lists the upper bounds of buckets in ascending order.
type MetricBucketsConfig struct {
	Buckets []float64 `mapstructure:"buckets"`

	_ struct{}
}

// Types of metrics.
const (
	TypeCounter   = "counter"
	TypeGauge     = "gauge"
	TypeHistogram = "histogram"
	// TypeActive is the number of open tasks or steps. Only built-in metrics have it, because each needs memory for
	// everything that is open.
	TypeActive = "active"
	// TypeOldest is the age of the oldest open task, with the labels of ActiveTasks except the state.
	TypeOldest = "oldest"

	// ActiveTasks is the name of the metric of open tasks.
	ActiveTasks = "tasker.tasks.active"

	// ValueDuration measures the duration of a span.
	ValueDuration = "duration"
)

// SpanLevels returns the span names by their level in a declaration.
func SpanLevels() map[string]string {
	return map[string]string{
		"task": lifecycle.SpanTask, "orchestration": lifecycle.SpanOrchestration, "batch": lifecycle.SpanBatch,
		"step": lifecycle.SpanStep, "handler": lifecycle.SpanHandler, "query": lifecycle.SpanQuery,
		"queued": lifecycle.SpanQueued, "backoff": lifecycle.SpanBackoff, "dependency": lifecycle.SpanDependency,
		"finalization": lifecycle.SpanFinalization,
	}
}

// TakesDuration reports whether the metric measures the duration of spans.
func (m *MetricConfig) TakesDuration() bool { return len(m.Value) == 1 && m.Value[0] == ValueDuration }

// AllSources returns all sources, with the metric's own conditions added to each.
func (m *MetricConfig) AllSources() []SourceConfig {
	if len(m.Sources) == 0 {
		return []SourceConfig{m.SourceConfig}
	}
	all := slices.Clone(m.Sources)
	for i := range all {
		all[i].Conditions = slices.Concat(all[i].Conditions, m.Conditions)
	}
	return all
}
