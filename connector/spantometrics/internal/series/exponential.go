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

// restoreExponential restores a histogram from stored buckets. The scale depends on the distance between the smallest and
// largest value. One value in the lower half of the lowest bucket and one in the upper half of the highest are at least as
// far apart as the original ones were, so the scale is restored. The other values are added at the middle of their bucket.
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
