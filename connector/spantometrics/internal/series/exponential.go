// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"math"

	"github.com/lightstep/go-expohisto/mapping/exponent"
	"github.com/lightstep/go-expohisto/mapping/logarithm"
	"github.com/lightstep/go-expohisto/structure"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
)

func newExponential(maxSize int32) *structure.Float64 {
	histogram := new(structure.Float64)
	histogram.Init(structure.NewConfig(structure.WithMaxSize(maxSize)))
	return histogram
}

// restoreExponential makes a histogram with the buckets that were written down. The scale of a histogram follows from the
// distance of its smallest and its largest value: one from the lower half of the lowest bucket and one from the upper half
// of the highest are never closer than those were, so the scale is what it was. The other values come in by the middle of
// their bucket.
func restoreExponential(d *Definition, from *records.Exponential) *structure.Float64 {
	histogram := newExponential(d.Exponential)
	if from.ZeroCount > 0 {
		histogram.UpdateByIncr(0, from.ZeroCount)
	}
	counts := from.Counts
	last := len(counts) - 1
	if last < 0 || last >= int(d.Exponential) || from.Scale < exponent.MinScale || from.Scale > logarithm.MaxScale {
		return histogram
	}
	width := math.Exp2(-float64(from.Scale))
	take := func(bucket int, part float64, count uint64) {
		value := math.Exp2((float64(from.Offset) + float64(bucket) + part) * width)
		if count > 0 && count <= counts[bucket] && value > 0 && !math.IsInf(value, 0) {
			counts[bucket] -= count
			histogram.UpdateByIncr(value, count)
		}
	}
	take(0, 0.25, 1)
	take(last, 0.75, 1)
	for bucket, count := range counts {
		take(bucket, 0.5, count)
	}
	return histogram
}
