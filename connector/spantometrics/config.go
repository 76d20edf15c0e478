// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

// Config is the configuration of the connector. Keys match those of the spanmetrics connector where features do.
type Config struct {
	// Histogram configures the buckets of durations.
	Histogram HistogramConfig `mapstructure:"histogram"`
	// Exemplars configures exemplars, which link data points to traces.
	Exemplars ExemplarsConfig `mapstructure:"exemplars"`
	// AggregationTemporality is cumulative or delta, or the long form AGGREGATION_TEMPORALITY_….
	AggregationTemporality string `mapstructure:"aggregation_temporality"`
	// MetricsFlushInterval is the interval between flushes.
	MetricsFlushInterval time.Duration `mapstructure:"metrics_flush_interval"`
	// SeriesExpiration is how long a series without new values is reported; 0 disables expiration.
	SeriesExpiration time.Duration `mapstructure:"series_expiration"`
	// AggregationCardinalityLimit is the maximum number of series per metric and application, including the overflow
	// series.
	AggregationCardinalityLimit int `mapstructure:"aggregation_cardinality_limit"`
	// MaxApplications is the maximum number of services with their own series.
	MaxApplications int `mapstructure:"max_applications"`
	// MaxSeries is the maximum number of series of all metrics and applications. Each application has a share.
	MaxSeries int `mapstructure:"max_series"`
	// MaxSeriesBytes is the maximum of their estimated size, mostly their text in a scrape. Each application has a share.
	MaxSeriesBytes int64 `mapstructure:"max_series_bytes"`
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
	// EventSpans counts event spans received by the traces input.
	EventSpans bool `mapstructure:"event_spans"`
	// TrustReceived measures spans received over the network under this collector's own scopes.
	TrustReceived bool `mapstructure:"trust_received"`
	// Deduplicate bounds the memory for detecting duplicates.
	Deduplicate DeduplicateConfig `mapstructure:"deduplicate"`
	// MaxEventAge is the maximum age of a span's end, or of an event, when it is received; 0 accepts any age.
	MaxEventAge time.Duration `mapstructure:"max_event_age"`
	// StorageID is the storage extension that persists the metrics; without one they are in memory only.
	StorageID *component.ID `mapstructure:"storage"`
	// ActiveMaxAge is how long a task or step remains active after its last event.
	ActiveMaxAge time.Duration `mapstructure:"active_max_age"`
	// ActiveMaxIDs is the maximum number of tasks, and of steps, in the active sets.
	ActiveMaxIDs int `mapstructure:"active_max_ids"`

	_ struct{}
}

// HistogramConfig selects the histogram type. The default is explicit with default bounds.
type HistogramConfig struct {
	Explicit    configoptional.Optional[ExplicitHistogramConfig]    `mapstructure:"explicit"`
	Exponential configoptional.Optional[ExponentialHistogramConfig] `mapstructure:"exponential"`

	_ struct{}
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

// ExemplarsConfig bounds the exemplars of a data point.
type ExemplarsConfig struct {
	Enabled         bool `mapstructure:"enabled"`
	MaxPerDataPoint int  `mapstructure:"max_per_data_point"`

	_ struct{}
}

// DeduplicateConfig bounds the memory for detecting duplicates. Detection cannot be disabled: data sent again after a crash
// or a lost response must not be counted again.
type DeduplicateConfig struct {
	// MaxEntries is the maximum number of remembered spans, and of events; the most recent half of it is always remembered.
	MaxEntries int `mapstructure:"max_entries"`

	_ struct{}
}

// defaultHistogram selects no type and holds the defaults of each, for a section that is present but empty.
func defaultHistogram() HistogramConfig {
	return HistogramConfig{
		Explicit:    configoptional.Default(ExplicitHistogramConfig{Buckets: defaultBounds()}),
		Exponential: configoptional.Default(ExponentialHistogramConfig{MaxSize: defaultExponentialSize}),
	}
}

const (
	temporalityPrefix = "AGGREGATION_TEMPORALITY_"
	cumulative        = "CUMULATIVE"
	delta             = "DELTA"

	// minExponentialSize is enough for all recordable values at scale -4, the coarsest that Prometheus supports.
	minExponentialSize     = 5
	maxExponentialSize     = 16384
	defaultExponentialSize = 160
	minRemembered          = 1000
	minSeries              = 10
	minSeriesBytes         = 1 << 20
)

// Validate reports all mistakes at once.
func (cfg *Config) Validate() error {
	return errors.Join(
		cfg.Histogram.check(),
		cfg.checkExemplars(),
		cfg.checkTemporality(),
		configerr.Positive("metrics_flush_interval", cfg.MetricsFlushInterval, "15s"),
		cfg.checkExpiration(),
		configerr.AtLeast("aggregation_cardinality_limit", cfg.AggregationCardinalityLimit, 2), // a series and the overflow series
		configerr.AtLeast("max_applications", cfg.MaxApplications, 1),
		configerr.AtLeast("max_series", cfg.MaxSeries, minSeries),
		configerr.AtLeast("max_series_bytes", cfg.MaxSeriesBytes, minSeriesBytes),
		configerr.AtLeast(configerr.Path("deduplicate", "max_entries"), cfg.Deduplicate.MaxEntries, minRemembered),
		configerr.NotNegative("max_event_age", cfg.MaxEventAge, "24h", "to measure events of any age"),
		configerr.Positive("active_max_age", cfg.ActiveMaxAge, "24h"),
		configerr.AtLeast("active_max_ids", cfg.ActiveMaxIDs, 1),
		cfg.checkDimensions(),
		cfg.checkMetrics(),
	)
}

func (h *HistogramConfig) check() error {
	if h.Explicit.HasValue() && h.Exponential.HasValue() {
		return configerr.New("histogram", nil, "has both explicit and exponential", "keep one")
	}
	if h.Exponential.HasValue() {
		if err := configerr.InRange(configerr.Path("histogram", "exponential", "max_size"), h.Exponential.Get().MaxSize, minExponentialSize, maxExponentialSize); err != nil {
			return err
		}
	}
	if !h.Explicit.HasValue() {
		return nil
	}
	key := configerr.Path("histogram", "explicit", "buckets")
	buckets := h.Explicit.Get().Buckets
	if len(buckets) == 0 {
		return configerr.New(key, nil, "is empty", "use one bound or more, such as [100ms, 1s, 10s], or leave explicit out for the default bounds")
	}
	var mistakes []error
	if slices.Max(buckets) > 0 {
		mistakes = append(mistakes, configerr.Unit(configerr.Index(key, len(buckets)-1), slices.Max(buckets), "100ms"))
	}
	for i, bound := range buckets {
		switch {
		case bound <= 0:
			mistakes = append(mistakes, configerr.New(configerr.Index(key, i), bound, "is not above zero", "remove it"))
		case i > 0 && bound <= buckets[i-1]:
			mistakes = append(mistakes, notSorted(configerr.Index(key, i), bound, buckets[i-1]))
		}
	}
	return errors.Join(mistakes...)
}

func notSorted(key string, bound, before any) error {
	return configerr.New(key, bound, fmt.Sprintf("follows %v", before), "sort the bounds and remove repeated ones")
}

func (cfg *Config) checkExemplars() error {
	if !cfg.Exemplars.Enabled || cfg.Exemplars.MaxPerDataPoint >= 1 {
		return nil
	}
	return configerr.New(configerr.Path("exemplars", "max_per_data_point"), cfg.Exemplars.MaxPerDataPoint, "is too small",
		"use 1 or more, or exemplars::enabled: false")
}

func (cfg *Config) checkTemporality() error {
	switch cfg.temporality() {
	case cumulative, delta:
		return nil
	}
	return configerr.OneOf("aggregation_temporality", cfg.AggregationTemporality, "cumulative", "delta", temporalityPrefix+cumulative, temporalityPrefix+delta)
}

func (cfg *Config) checkExpiration() error {
	const key = "series_expiration"
	if err := configerr.NotNegative(key, cfg.SeriesExpiration, "24h", "to keep series for ever"); err != nil {
		return err
	}
	if cfg.SeriesExpiration == 0 || cfg.SeriesExpiration > cfg.MetricsFlushInterval || cfg.temporality() == delta {
		return nil
	}
	return configerr.New(key, cfg.SeriesExpiration,
		fmt.Sprintf("is not more than metrics_flush_interval (%v), so that a cumulative series would begin anew after each flush", cfg.MetricsFlushInterval),
		"use several intervals, such as 24h, or 0s to keep series for ever")
}

func (cfg *Config) checkDimensions() error {
	// Labels of all built-in metrics, and of those made from spans, to which the dimensions are added.
	known, ofSpans := map[string]bool{}, map[string]bool{}
	for name, declared := range builtIn() {
		m := declaration{MetricConfig: declared, name: name}
		for _, dimension := range m.Dimensions {
			known[dimension.Name] = true
			ofSpans[dimension.Name] = ofSpans[dimension.Name] || m.ofSpans()
		}
	}
	maps.DeleteFunc(ofSpans, func(_ string, is bool) bool { return !is })
	mistakes := checkDimensions("", cfg.Dimensions, slices.Sorted(maps.Keys(ofSpans)), cfg.AllowUnbounded)
	for _, dimension := range cfg.Dimensions {
		known[dimension.Name] = true
	}
	for i, label := range cfg.ExcludeDimensions {
		if !known[label] {
			mistakes = append(mistakes, configerr.New(configerr.Index("exclude_dimensions", i), label, "is not a label of a built-in metric",
				"remove it, or use one of "+strings.Join(slices.Sorted(maps.Keys(known)), ", ")))
		}
	}
	return errors.Join(mistakes...)
}

// checkDimensions checks labels, whose keys begin with prefix, against each other and against existing labels.
func checkDimensions(prefix string, dimensions []Dimension, labels, allowed []string) []error {
	var mistakes []error
	seen := reservedLabels()
	for _, builtIn := range labels {
		seen[prometheusLabel(builtIn)] = "the built-in label " + builtIn
	}
	for i, dimension := range dimensions {
		key := fmt.Sprintf("%sdimensions[%d]::name", prefix, i)
		if dimension.Name == "" {
			mistakes = append(mistakes, configerr.New(key, dimension.Name, "is not a label", "use the key of an attribute, or remove the entry"))
			continue
		}
		label := prometheusLabel(dimension.Name)
		if other, taken := seen[label]; taken {
			mistakes = append(mistakes, configerr.New(key, dimension.Name, "has the same Prometheus name as "+other, "use another name, or remove it"))
		}
		if strings.HasPrefix(label, "__") || label == "_" || label[0] >= '0' && label[0] <= '9' {
			mistakes = append(mistakes, configerr.New(key, dimension.Name, "is not a valid Prometheus label", "use one that begins with a letter, and name the attribute in key"))
		}
		seen[label] = fmt.Sprintf("%sdimensions[%d] (%s)", prefix, i, dimension.Name)
		for _, attribute := range dimension.keys() {
			if isID(attribute) && !slices.Contains(allowed, dimension.Name) && !slices.Contains(allowed, attribute) {
				mistakes = append(mistakes, configerr.New(key, attribute, "has a new value for each task, step or event, so that every execution would be a series of its own",
					"follow exemplars to traces instead, or list it in allow_unbounded if its values are few"))
			}
		}
	}
	return mistakes
}

// reservedLabels returns labels that Prometheus or its exporters add to every series. A metric with a label of the same
// name would be missing.
func reservedLabels() map[string]string {
	scope := "the label of the metric's scope"
	return map[string]string{
		"le": "the label of a histogram's buckets", "quantile": "the label of a summary's quantiles",
		"job": "the label made from service.name", "instance": "the label made from service.instance.id",
		"otel_scope_name": scope, "otel_scope_version": scope, "otel_scope_schema_url": scope,
		prometheusLabel(series.OverflowLabel): "the label of overflow series",
	}
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

// isID reports whether an attribute is an ID of Tasker or of traces, with or without prefix.
func isID(key string) bool {
	switch prometheusLabel(strings.TrimPrefix(key, "tasker.")) {
	case "task_id", "step_id", "correlation_id", "thread_correlation_id", "trace_id", "span_id", "job_id", "event_id", "traceparent":
		return true
	}
	return false
}

// temporality returns the upper-case setting without its prefix.
func (cfg *Config) temporality() string {
	return strings.TrimPrefix(strings.ToUpper(cfg.AggregationTemporality), temporalityPrefix)
}

// durationBounds returns the bucket bounds of durations in nanoseconds.
func (cfg *Config) durationBounds() []int64 {
	buckets := defaultBounds()
	if cfg.Histogram.Explicit.HasValue() {
		buckets = cfg.Histogram.Explicit.Get().Buckets
	}
	bounds := make([]int64, len(buckets))
	for i, bucket := range buckets {
		bounds[i] = bucket.Nanoseconds()
	}
	return bounds
}

// exponentialSize returns the maximum number of buckets; 0 for explicit histograms.
func (cfg *Config) exponentialSize() int32 {
	if !cfg.Histogram.Exponential.HasValue() {
		return 0
	}
	return cfg.Histogram.Exponential.Get().MaxSize
}
