// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

// Overflowed counts the values added to overflow series, by metric: because of the limit per metric and application, or of
// the limit on all series.
type Overflowed struct{ ByMetric, ByTotal []int64 }

func newOverflowed(metrics int) Overflowed {
	return Overflowed{ByMetric: make([]int64, metrics), ByTotal: make([]int64, metrics)}
}
