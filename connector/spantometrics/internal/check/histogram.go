// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/declaration"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
)

const (
	// minExponentialSize is enough for all recordable values at scale -4, the coarsest that Prometheus supports.
	minExponentialSize = 5
	maxExponentialSize = 16384
)

// Histogram checks the buckets of durations.
func Histogram(h *declaration.HistogramConfig) error {
	if h.Explicit.HasValue() && h.Exponential.HasValue() {
		return configerr.New("histogram", nil, "has both explicit and exponential", "keep one")
	}
	if h.Exponential.HasValue() {
		if err := exponentialSize("histogram", h.Exponential.Get().MaxSize); err != nil {
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

func exponentialSize(key string, size int32) error {
	return configerr.InRange(configerr.Path(key, "exponential", "max_size"), size, minExponentialSize, maxExponentialSize)
}

func notSorted(key string, bound, before any) error {
	return configerr.New(key, bound, fmt.Sprintf("follows %v", before), "sort the bounds and remove repeated ones")
}

// histogram checks bucket bounds, whose unit is perUnit recorded units.
func (c *checker) histogram(name string, h *declaration.MetricHistogramConfig, perUnit float64) {
	key := "metrics::" + name + "::histogram"
	if h.Explicit.HasValue() && h.Exponential.HasValue() {
		c.add(key, nil, "has both explicit and exponential", "keep one")
	}
	if h.Exponential.HasValue() {
		size := h.Exponential.Get().MaxSize
		if err := exponentialSize(key, size); err != nil && size != 0 { // 0 is the default
			c.mistakes = append(c.mistakes, err)
		}
	}
	if !h.Explicit.HasValue() {
		return
	}
	bounds := configerr.Path(key, "explicit", "buckets")
	step := max(perUnit, 1)
	buckets, most := h.Explicit.Get().Buckets, 9e18/step
	scaled := declaration.ScaleBounds(buckets, step)
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
