// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"fmt"

	"github.com/zeebo/xxh3"
)

// Kind is the aggregation of a metric.
type Kind uint8

const (
	// KindSum is a monotonic sum of counts.
	KindSum Kind = iota
	// KindHistogram counts values in buckets.
	KindHistogram
	// KindGauge is a number that increases and decreases.
	KindGauge
	// KindLast is the latest value by event time.
	KindLast
)

// isLevel reports whether the last value is the complete one, whatever receivers accumulate.
func (k Kind) isLevel() bool { return k >= KindGauge }

// Nanoseconds is the PerUnit of durations, which are recorded in nanoseconds and exported in seconds.
const Nanoseconds = 1e9

// Definition describes a metric. The registry retains the definitions and does not change them.
type Definition struct {
	// Name, Unit (UCUM) and Description are exported.
	Name, Unit, Description string
	Kind                    Kind
	// Labels are the label names in the order in which values have them.
	Labels []string
	// PerUnit is the number of recorded units per exported unit; 0 means 1. Sums of counts need none.
	PerUnit float64
	// Bounds are the upper bounds of buckets in recorded units, ascending and inclusive.
	Bounds []int64
	// Exponential is the maximum number of buckets of an exponential histogram; 0 means explicit Bounds.
	Exponential int32
}

// shape returns a hash of the aggregation. Values of the same shape can be restored under another name, unit or
// description.
func (d *Definition) shape() uint64 {
	return xxh3.HashString(fmt.Sprintln(d.Kind, d.PerUnit, d.Bounds, d.Exponential))
}

// Scaled returns a recorded value in exported units.
func (d *Definition) Scaled(value int64) float64 {
	if d.PerUnit == 0 {
		return float64(value)
	}
	return float64(value) / d.PerUnit
}

// ScaledTotal returns a recorded sum in exported units.
func (d *Definition) ScaledTotal(total Total) float64 {
	if d.PerUnit == 0 {
		return total.Float64()
	}
	return total.Float64() / d.PerUnit
}
