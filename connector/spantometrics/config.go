// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/active"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/check"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/declaration"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/state"
	"github.com/tasker-otel/otelcol-tasker/internal/bounded/shares"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

// Config is the configuration of the connector. Keys match those of the spanmetrics connector where features do.
type Config struct {
	// Config declares the metrics.
	declaration.Config `mapstructure:",squash"`
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

type (
	// HistogramConfig selects the histogram type of durations.
	HistogramConfig = declaration.HistogramConfig
	// ExplicitHistogramConfig lists bucket bounds of durations.
	ExplicitHistogramConfig = declaration.ExplicitHistogramConfig
	// ExponentialHistogramConfig bounds the number of buckets.
	ExponentialHistogramConfig = declaration.ExponentialHistogramConfig
	// Dimension is a label.
	Dimension = declaration.Dimension
	// MetricConfig declares or changes a metric.
	MetricConfig = declaration.MetricConfig
	// SourceConfig is one kind of thing that a metric measures.
	SourceConfig = declaration.SourceConfig
	// ConditionConfig is a condition on an attribute.
	ConditionConfig = declaration.ConditionConfig
	// MetricHistogramConfig selects the histogram type of a metric.
	MetricHistogramConfig = declaration.MetricHistogramConfig
	// MetricBucketsConfig lists bucket bounds of a metric.
	MetricBucketsConfig = declaration.MetricBucketsConfig
)

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

const (
	temporalityPrefix = "AGGREGATION_TEMPORALITY_"
	cumulative        = "CUMULATIVE"
	delta             = "DELTA"

	minRemembered  = 1000
	minSeries      = 10
	minSeriesBytes = 1 << 20
)

// Validate reports all mistakes at once.
func (cfg *Config) Validate() error {
	return errors.Join(
		check.Histogram(&cfg.Histogram),
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
		check.Metrics(&cfg.Config),
	)
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

// temporality returns the upper-case setting without its prefix.
func (cfg *Config) temporality() string {
	return strings.TrimPrefix(strings.ToUpper(cfg.AggregationTemporality), temporalityPrefix)
}

// endedMemory is how long the active sets remember an ID after its end. Later events are rare, and an ID that one opens
// again expires after active_max_age.
const endedMemory = time.Hour

// scrapeInterval is the longest common interval between two scrapes: Prometheus' default.
const scrapeInterval = time.Minute

// stateOptions returns the bounds of the state.
func (cfg *Config) stateOptions() state.Options {
	exemplars := 0
	if cfg.Exemplars.Enabled {
		exemplars = cfg.Exemplars.MaxPerDataPoint
	}
	return state.Options{
		Series: series.Options{
			Delta:           cfg.temporality() == delta,
			MaxSeries:       cfg.AggregationCardinalityLimit,
			MaxApplications: cfg.MaxApplications,
			Total:           shares.Size{Items: int64(cfg.MaxSeries), Bytes: cfg.MaxSeriesBytes},
			Exemplars:       exemplars,
			ExemplarStay:    (scrapeInterval + cfg.MetricsFlushInterval).Nanoseconds(),
			Expiration:      cfg.SeriesExpiration.Nanoseconds(),
		},
		Active: active.Options{
			MaxIDs: cfg.ActiveMaxIDs,
			MaxAge: cfg.ActiveMaxAge.Nanoseconds(),
			Memory: min(endedMemory, cfg.ActiveMaxAge).Nanoseconds(),
		},
		Remembered: cfg.Deduplicate.MaxEntries,
	}
}
