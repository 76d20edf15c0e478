// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package csvtable

import "math"

// bucket holds count values in (lower, upper]. Values are assumed to be spread evenly, on a logarithmic scale in an
// exponential bucket.
type bucket struct {
	lower, upper float64
	count        uint64
	exponential  bool
}

// distribution is implemented by explicit and exponential histograms.
type distribution interface {
	Value
	stats() Stats
	buckets(yield func(bucket) bool)
}

// quantile estimates the q-quantile (0 to 1) by interpolation within the bucket that holds it. ok is false if there are no
// values or no buckets.
//
// The first and the last bucket of an explicit histogram have an infinite end, for which the minimum and maximum are used
// if known. Otherwise the lower end is zero (or the bound, if that is negative) and the upper end is the last bound.
func quantile(h distribution, q float64) (value float64, ok bool) {
	stats := h.stats()
	var total uint64
	for b := range h.buckets {
		if math.IsInf(b.lower, -1) && math.IsInf(b.upper, 1) {
			return 0, false // a single unbounded bucket has no information
		}
		total += b.count
	}
	if total == 0 {
		return 0, false
	}
	rank := q * float64(total)
	below := 0.0
	for b := range h.buckets {
		if b.count == 0 {
			continue
		}
		value = b.at((rank-below)/float64(b.count), stats)
		below += float64(b.count)
		if below >= rank {
			break
		}
	}
	if value < stats.Min {
		value = stats.Min
	}
	if value > stats.Max {
		value = stats.Max
	}
	return value, true
}

// at returns the value at a position (0 to 1) within the bucket.
func (b bucket) at(share float64, stats Stats) float64 {
	share = math.Min(math.Max(share, 0), 1)
	lower, upper := b.lower, b.upper
	if math.IsInf(lower, -1) {
		lower = math.Min(0, upper)
		if !math.IsNaN(stats.Min) {
			lower = math.Min(stats.Min, upper)
		}
	}
	if math.IsInf(upper, 1) {
		upper = lower
		if !math.IsNaN(stats.Max) {
			upper = math.Max(stats.Max, lower)
		}
	}
	if b.exponential && (lower > 0 || upper < 0) {
		return lower * math.Pow(upper/lower, share)
	}
	return lower + (upper-lower)*share
}
