// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"fmt"

	"github.com/zeebo/xxh3"
)

// Kind is how a metric adds up its values.
type Kind uint8

const (
	// KindSum is a monotonic sum of counts.
	KindSum Kind = iota
	// KindHistogram counts values in buckets.
	KindHistogram
	// KindGauge is a number that goes up and down.
	KindGauge
	// KindLast is the newest of the values, by the times at which they were true.
	KindLast
)

// Nanoseconds is the PerUnit of durations: recorded in nanoseconds, exported in seconds.
const Nanoseconds = 1e9

// Definition describes a metric. The registry keeps the slice of definitions that it is given and does not change it.
type Definition struct {
	// Name, Unit (UCUM) and Description as they are exported.
	Name, Unit, Description string
	Kind                    Kind
	// Labels are the names of the labels, in the order in which values have them.
	Labels []string
	// PerUnit is how many recorded integers make one exported unit; 0 stands for 1, and for sums that count.
	PerUnit float64
	// Bounds of a histogram's buckets in recorded integers, ascending. A value equal to a bound belongs below it.
	Bounds []int64
	// Exponential is the largest number of buckets of a base-2 exponential histogram; 0 means explicit Bounds.
	Exponential int32
}

// shape returns a hash of how values are added up. Values of one shape can go on under another name, unit or description.
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
