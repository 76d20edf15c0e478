// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package csvtable

import (
	"math"
	"slices"
)

// Explicit is a histogram with explicit bounds: Counts[i] values lie in (Bounds[i-1], Bounds[i]], those of the last count
// in (Bounds[len-1], +Inf). Counts and Bounds are empty if the sender gave only the count and the sum.
type Explicit struct {
	Stats
	Bounds []float64
	Counts []uint64
}

// Valid reports whether the buckets conform to OTLP: bounds increase, and there is one more count than bounds.
func (h Explicit) Valid() bool {
	if len(h.Counts) == 0 {
		return len(h.Bounds) == 0
	}
	if len(h.Counts) != len(h.Bounds)+1 {
		return false
	}
	for i := 1; i < len(h.Bounds); i++ {
		if !(h.Bounds[i-1] < h.Bounds[i]) {
			return false
		}
	}
	return true
}

func (h Explicit) plus(delta Value) (Value, bool) {
	d, ok := delta.(Explicit)
	if !ok || !slices.Equal(h.Bounds, d.Bounds) || len(h.Counts) != len(d.Counts) {
		return delta, false
	}
	total := Explicit{Stats: h.Stats.plus(d.Stats), Bounds: h.Bounds, Counts: make([]uint64, len(h.Counts))}
	for i := range total.Counts {
		total.Counts[i] = h.Counts[i] + d.Counts[i]
	}
	return total, true
}

func (h Explicit) numbers() int { return numbersOfStats + len(h.Bounds) + len(h.Counts) }

func (h Explicit) stats() Stats { return h.Stats }

// buckets yields the buckets in ascending order. The outermost bounds are infinite.
func (h Explicit) buckets(yield func(bucket) bool) {
	lower := math.Inf(-1)
	for i, count := range h.Counts {
		upper := math.Inf(1)
		if i < len(h.Bounds) {
			upper = h.Bounds[i]
		}
		if !yield(bucket{lower: lower, upper: upper, count: count}) {
			return
		}
		lower = upper
	}
}
