// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import "math/bits"

// two64 is 2^64.
const two64 = 1 << 64

// Total is an exact sum of non-negative values. It has 128 bits because 64 bits of nanoseconds overflow within a few weeks
// if ten thousand steps run at a time.
type Total struct{ high, low uint64 }

// Add adds a value, which must not be negative.
func (t *Total) Add(value int64) { t.Merge(Total{low: uint64(value)}) }

// Merge adds another total.
func (t *Total) Merge(other Total) {
	var carry uint64
	t.low, carry = bits.Add64(t.low, other.low, 0)
	t.high, _ = bits.Add64(t.high, other.high, carry)
}

// Float64 returns the nearest float64, which is exact below 2^53.
func (t Total) Float64() float64 {
	return float64(t.high)*two64 + float64(t.low)
}
