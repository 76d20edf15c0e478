// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package declaration

import (
	"math"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

const (
	// UnitSeconds is the unit of durations.
	UnitSeconds = "s"
	unitBytes   = "By"

	// payloadPerUnit keeps six decimals of payload values, up to nine trillion.
	payloadPerUnit = 1e6
)

// Definition returns the metric's definition for the registry.
func (m *Metric) Definition(cfg *Config) series.Definition {
	d := series.Definition{Name: m.Name, Unit: m.Unit, Description: m.Description, Labels: Names(m.Dimensions)}
	if m.TakesDuration() && d.Unit == "" {
		d.Unit = UnitSeconds
	}
	if len(m.Value) > 0 {
		d.PerUnit = perUnit(d.Unit)
	}
	switch m.Type {
	case TypeCounter:
		d.Kind = series.KindSum
	case TypeGauge:
		d.Kind = series.KindLast
	case TypeActive:
		d.Kind = series.KindGauge
	case TypeOldest:
		d.Kind, d.PerUnit = series.KindGauge, series.Nanoseconds
	default:
		d.Kind = series.KindHistogram
		if d.Unit == UnitSeconds {
			d.Bounds, d.Exponential = cfg.Histogram.durationBounds(), cfg.Histogram.exponentialSize()
		} else {
			d.Bounds = ScaleBounds(defaultValueBounds(), d.PerUnit)
		}
		m.Histogram.apply(&d)
	}
	return d
}

// perUnit returns the recorded resolution of a unit: seconds in nanoseconds, bytes in bytes.
func perUnit(unit string) float64 {
	switch unit {
	case UnitSeconds:
		return series.Nanoseconds
	case unitBytes:
		return 1
	}
	return payloadPerUnit
}

// apply sets the configured histogram type, if there is one.
func (h *MetricHistogramConfig) apply(d *series.Definition) {
	if h.Explicit.HasValue() {
		d.Bounds, d.Exponential = ScaleBounds(h.Explicit.Get().Buckets, max(d.PerUnit, 1)), 0
	}
	if h.Exponential.HasValue() {
		if d.Exponential = h.Exponential.Get().MaxSize; d.Exponential == 0 {
			d.Exponential = DefaultExponentialSize
		}
	}
}

// ScaleBounds returns bounds in recorded units.
func ScaleBounds(bounds []float64, perUnit float64) []int64 {
	scaled := make([]int64, len(bounds))
	for i, bound := range bounds {
		scaled[i] = int64(math.Round(bound * perUnit))
	}
	return scaled
}

// defaultValueBounds returns the default buckets of the OpenTelemetry SDKs.
func defaultValueBounds() []float64 {
	return []float64{0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000}
}

// durationBounds returns the bucket bounds of durations in nanoseconds.
func (h *HistogramConfig) durationBounds() []int64 {
	buckets := defaultBounds()
	if h.Explicit.HasValue() {
		buckets = h.Explicit.Get().Buckets
	}
	bounds := make([]int64, len(buckets))
	for i, bucket := range buckets {
		bounds[i] = bucket.Nanoseconds()
	}
	return bounds
}

// exponentialSize returns the maximum number of buckets; 0 for explicit histograms.
func (h *HistogramConfig) exponentialSize() int32 {
	if !h.Exponential.HasValue() {
		return 0
	}
	return h.Exponential.Get().MaxSize
}
