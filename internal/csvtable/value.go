// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package csvtable

import "math"

// Kind is the type of a series, as in the column "type".
type Kind string

const (
	// Counter is a monotonic sum.
	Counter Kind = "counter"
	// UpDownCounter is a non-monotonic sum.
	UpDownCounter Kind = "updowncounter"
	// Gauge is a current value.
	Gauge Kind = "gauge"
	// Histogram is a distribution with explicit or exponential buckets.
	Histogram Kind = "histogram"
	// Summary is a distribution whose quantiles the sender calculated.
	Summary Kind = "summary"
)

// Value is the value of a data point. Values in a table are immutable, so that a change can be reverted by restoring the
// old value.
type Value interface {
	// plus returns the sum of v and a later delta. If ok is false their types or buckets differ, and the total is the
	// delta.
	plus(delta Value) (total Value, ok bool)
	// numbers returns how many eight-byte numbers the value holds.
	numbers() int
}

// Int is an integer sample.
type Int int64

// Double is a floating point sample.
type Double float64

func (v Int) plus(delta Value) (Value, bool) {
	switch d := delta.(type) {
	case Int:
		total := v + d
		overflows := (d > 0 && total < v) || (d < 0 && total > v)
		if overflows {
			return Double(float64(v) + float64(d)), true
		}
		return total, true
	case Double:
		return Double(float64(v) + float64(d)), true
	}
	return delta, false
}

func (v Double) plus(delta Value) (Value, bool) {
	switch d := delta.(type) {
	case Int:
		return v + Double(d), true
	case Double:
		return v + d, true
	}
	return delta, false
}

func (Int) numbers() int    { return 1 }
func (Double) numbers() int { return 1 }

// numbersOfStats is the number of fields of Stats.
const numbersOfStats = 4

// Stats are common to all distributions. Sum, Min and Max are NaN if unknown.
type Stats struct {
	Count uint64
	Sum   float64
	Min   float64
	Max   float64
}

func (s Stats) plus(d Stats) Stats {
	return Stats{
		Count: s.Count + d.Count,
		Sum:   s.Sum + d.Sum, // NaN if either is unknown: a partial sum would be wrong
		Min:   math.Min(s.Min, d.Min),
		Max:   math.Max(s.Max, d.Max),
	}
}

// Quantile is a quantile of a summary.
type Quantile struct {
	Q     float64 // 0 to 1
	Value float64
}

// Quantiles is the value of a summary point.
type Quantiles struct {
	Stats
	Points []Quantile
}

// plus returns the later value: summaries are cumulative and cannot be added.
func (Quantiles) plus(delta Value) (Value, bool) { return delta, false }

func (v Quantiles) numbers() int { return numbersOfStats + 2*len(v.Points) }
