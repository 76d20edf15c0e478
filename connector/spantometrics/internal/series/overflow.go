// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

// Overflowed counts the values that went to an overflow series, by metric, because of the limit on the series of one metric
// of one application, or of the one on all series.
type Overflowed struct{ ByMetric, ByTotal []int64 }

func newOverflowed(metrics int) Overflowed {
	return Overflowed{ByMetric: make([]int64, metrics), ByTotal: make([]int64, metrics)}
}
