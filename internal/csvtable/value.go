// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package csvtable

import "math"

// Kind is what a series measures; its text is the column "type".
type Kind uint8

const (
	// Counter is a sum that only grows.
	Counter Kind = iota
	// UpDownCounter is a sum that also falls.
	UpDownCounter
	// Gauge is a value of the moment.
	Gauge
	// Histogram is a distribution, with explicit or exponential buckets.
	Histogram
	// Summary is a distribution whose quantiles the sender calculated.
	Summary
)

// String returns the text of the column "type".
func (k Kind) String() string {
	switch k {
	case Counter:
		return "counter"
	case UpDownCounter:
		return "updowncounter"
	case Gauge:
		return "gauge"
	case Histogram:
		return "histogram"
	case Summary:
		return "summary"
	}
	return "unknown"
}

// Value is what one data point carries. Values are immutable once they are in a table, so that a change can be undone
// by putting the old value back.
type Value interface {
	// plus returns the total of v and a later delta. ok is false when the two can't be added because their shapes
	// differ; the total then starts anew with the delta.
	plus(delta Value) (total Value, ok bool)
	// numbers is how many numbers of eight bytes the value has.
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

// numbersOfStats is how many numbers Stats has.
const numbersOfStats = 4

// Stats is what all distributions have. Sum, Min and Max are NaN when the sender did not tell.
type Stats struct {
	Count uint64
	Sum   float64
	Min   float64
	Max   float64
}

func (s Stats) plus(d Stats) Stats {
	return Stats{
		Count: s.Count + d.Count,
		Sum:   s.Sum + d.Sum, // NaN if either is unknown: a sum over a part would be wrong
		Min:   math.Min(s.Min, d.Min),
		Max:   math.Max(s.Max, d.Max),
	}
}

// Quantile is one quantile of a summary.
type Quantile struct {
	Q     float64 // 0 to 1
	Value float64
}

// Quantiles is the value of a summary point.
type Quantiles struct {
	Stats
	Points []Quantile
}

// plus: summaries are cumulative by definition and can't be added.
func (Quantiles) plus(delta Value) (Value, bool) { return delta, false }

func (v Quantiles) numbers() int { return numbersOfStats + 2*len(v.Points) }
