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

// Config is the connector's section of the configuration. The keys are those of the spanmetrics connector where it has
// the same thing.
type Config struct {
	// Histogram is how durations are bucketed.
	Histogram HistogramConfig `mapstructure:"histogram"`
	// Exemplars link buckets to traces.
	Exemplars ExemplarsConfig `mapstructure:"exemplars"`
	// AggregationTemporality is cumulative or delta, or the long forms AGGREGATION_TEMPORALITY_….
	AggregationTemporality string `mapstructure:"aggregation_temporality"`
	// MetricsFlushInterval is the time between flushes.
	MetricsFlushInterval time.Duration `mapstructure:"metrics_flush_interval"`
	// SeriesExpiration is how long a series without new values is reported; 0 means for ever.
	SeriesExpiration time.Duration `mapstructure:"series_expiration"`
	// AggregationCardinalityLimit is the number of series of one metric of one application, with its overflow series.
	AggregationCardinalityLimit int `mapstructure:"aggregation_cardinality_limit"`
	// MaxApplications is the number of services with series of their own.
	MaxApplications int `mapstructure:"max_applications"`
	// MaxSeries is the number of series of all metrics and applications; each application has a share.
	MaxSeries int `mapstructure:"max_series"`
	// MaxSeriesBytes is what they may take, mostly as the text of a scrape; each application has a share.
	MaxSeriesBytes int64 `mapstructure:"max_series_bytes"`
	// Dimensions are further labels of the built-in metrics made from spans.
	Dimensions []Dimension `mapstructure:"dimensions"`
	// ExcludeDimensions are labels that the built-in metrics are to be without.
	ExcludeDimensions []string `mapstructure:"exclude_dimensions"`
	// Metrics declares metrics of the operator's own, and changes built-in ones, by their names.
	Metrics map[string]MetricConfig `mapstructure:"metrics"`
	// AllowUnbounded lists the id-like dimensions that the operator insists on.
	AllowUnbounded []string `mapstructure:"allow_unbounded"`
	// FoldNumberedSteps drops the number of a batch worker's step, as in import_001.
	FoldNumberedSteps bool `mapstructure:"fold_numbered_steps"`
	// EventSpans counts event spans that reach the traces input.
	EventSpans bool `mapstructure:"event_spans"`
	// TrustReceived measures spans under scopes of this collector's own that came over the network.
	TrustReceived bool `mapstructure:"trust_received"`
	// Deduplicate bounds the memory of what was measured.
	Deduplicate DeduplicateConfig `mapstructure:"deduplicate"`
	// MaxEventAge is how old a span's end, or an event, may be when it comes; 0 means that any age is measured.
	MaxEventAge time.Duration `mapstructure:"max_event_age"`
	// StorageID is the extension that keeps the numbers across restarts; without one they are in memory only.
	StorageID *component.ID `mapstructure:"storage"`
	// ActiveMaxAge is how long a task or step stays active after its last event.
	ActiveMaxAge time.Duration `mapstructure:"active_max_age"`
	// ActiveMaxIDs is the number of tasks, and of steps, that the active sets remember.
	ActiveMaxIDs int `mapstructure:"active_max_ids"`

	_ struct{}
}

// HistogramConfig chooses one form of histogram. Without a choice it is explicit with the default bounds.
type HistogramConfig struct {
	Explicit    configoptional.Optional[ExplicitHistogramConfig]    `mapstructure:"explicit"`
	Exponential configoptional.Optional[ExponentialHistogramConfig] `mapstructure:"exponential"`

	_ struct{}
}

// ExplicitHistogramConfig lists the upper bounds of buckets, ascending.
type ExplicitHistogramConfig struct {
	Buckets []time.Duration `mapstructure:"buckets"`

	_ struct{}
}

// ExponentialHistogramConfig bounds the number of buckets; the resolution follows from it.
type ExponentialHistogramConfig struct {
	MaxSize int32 `mapstructure:"max_size"`

	_ struct{}
}

// ExemplarsConfig bounds the exemplars that a point carries.
type ExemplarsConfig struct {
	Enabled         bool `mapstructure:"enabled"`
	MaxPerDataPoint int  `mapstructure:"max_per_data_point"`

	_ struct{}
}

// DeduplicateConfig bounds the memory of the spans and events that were measured. It cannot be switched off: what comes
// again, after a crash or because a sender did not hear the answer, must not count again.
type DeduplicateConfig struct {
	// MaxEntries is how many spans, and as many events, are remembered at most, and half of that at least.
	MaxEntries int `mapstructure:"max_entries"`

	_ struct{}
}

// defaultHistogram chooses no form, and holds the defaults of each for the case that its section is there but empty.
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

	// minExponentialSize holds all values that can be recorded in buckets of a scale of -4, the coarsest of Prometheus.
	minExponentialSize     = 5
	maxExponentialSize     = 16384
	defaultExponentialSize = 160
	minRemembered          = 1000
	minSeries              = 10
	minSeriesBytes         = 1 << 20
)

// Validate reports every mistake at once.
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
	// The labels of all built-in metrics, and those of metrics made from spans, which the dimensions join.
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

// checkDimensions checks labels, which stand under a prefix in the configuration, against each other and against those
// that there are already.
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
			mistakes = append(mistakes, configerr.New(key, dimension.Name, "is the same to Prometheus as "+other, "use another name, or remove it"))
		}
		if strings.HasPrefix(label, "__") || label == "_" || label[0] >= '0' && label[0] <= '9' {
			mistakes = append(mistakes, configerr.New(key, dimension.Name, "is not a label to Prometheus", "use one that begins with a letter, and name the attribute in key"))
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

// reservedLabels returns those that Prometheus or its exporters give a series by themselves, where a metric with a label of its
// own under such a name would be missing altogether.
func reservedLabels() map[string]string {
	scope := "the label of the metric's scope"
	return map[string]string{
		"le": "the label of a histogram's buckets", "quantile": "the label of a summary's quantiles",
		"job": "the label that it makes of service.name", "instance": "the label that it makes of service.instance.id",
		"otel_scope_name": scope, "otel_scope_version": scope, "otel_scope_schema_url": scope,
		prometheusLabel(series.OverflowLabel): "the label of overflow series",
	}
}

// prometheusLabel returns the label name that Prometheus makes of an attribute's key.
func prometheusLabel(key string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, key)
}

// isID reports whether an attribute is one of the ids of Tasker or of traces, with or without the prefix.
func isID(key string) bool {
	switch prometheusLabel(strings.TrimPrefix(key, "tasker.")) {
	case "task_id", "step_id", "correlation_id", "thread_correlation_id", "trace_id", "span_id", "job_id", "event_id", "traceparent":
		return true
	}
	return false
}

// temporality returns the setting without its prefix, in capitals.
func (cfg *Config) temporality() string {
	return strings.TrimPrefix(strings.ToUpper(cfg.AggregationTemporality), temporalityPrefix)
}

// durationBounds returns the buckets of durations in nanoseconds.
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

// exponentialSize is 0 when histograms are explicit.
func (cfg *Config) exponentialSize() int32 {
	if !cfg.Histogram.Exponential.HasValue() {
		return 0
	}
	return cfg.Histogram.Exponential.Get().MaxSize
}
