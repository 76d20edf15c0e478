// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"math/bits"
	"slices"

	"github.com/lightstep/go-expohisto/structure"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
)

// Value is the accumulated value of a series: of a sum its Sum, of a gauge Level, of a latest value Level with its time in
// Max, and of a histogram all but Level.
type Value struct {
	Count    uint64
	Total    Total
	Level    int64
	Min, Max int64
	// Buckets has one more count than the metric has bounds; nil if the histogram is exponential.
	Buckets []uint64
	// Exponential holds the buckets in exported units; nil if they are explicit, or there is no value.
	Exponential *structure.Float64
	// Exemplars are sorted by value.
	Exemplars []Exemplar
	// reported is true if a flush has taken these exemplars, whose list must then not be changed.
	reported bool
}

// observe adds a value to a histogram.
func (v *Value) observe(d *Definition, value int64) {
	if v.Count == 0 || value < v.Min {
		v.Min = value
	}
	if v.Count == 0 || value > v.Max {
		v.Max = value
	}
	v.Count++
	v.Total.Add(value)
	if d.Exponential > 0 {
		if v.Exponential == nil {
			v.Exponential = newExponential(d.Exponential)
		}
		v.Exponential.Update(d.Scaled(value))
		return
	}
	if v.Buckets == nil {
		v.Buckets = make([]uint64, len(d.Bounds)+1)
	}
	bucket, _ := slices.BinarySearch(d.Bounds, value)
	v.Buckets[bucket]++
}

// add adds to a sum, whose low bits are in Count and whose high bits in Total, because payload values may have 63 bits.
func (v *Value) add(by uint64) {
	var carry uint64
	v.Count, carry = bits.Add64(v.Count, by, 0)
	v.Total.high += carry
}

// Sum returns the value of a sum.
func (v *Value) Sum() Total { return Total{v.Total.high, v.Count} }

// isZero reports whether nothing was added.
func (v *Value) isZero() bool { return v.Count == 0 && v.Total.high == 0 }

// set stores a value that is not older than the current one.
func (v *Value) set(value, at int64) bool {
	if v.Count > 0 && at < v.Max {
		return false
	}
	v.Level, v.Max, v.Count = value, at, 1
	return true
}

// merge adds another value of the same metric. It does not retain other.
func (v *Value) merge(d *Definition, other *Value, exemplars int) {
	if other.isZero() {
		return
	}
	if v.Count == 0 {
		v.Min, v.Max = other.Min, other.Max
	}
	v.Min, v.Max = min(v.Min, other.Min), max(v.Max, other.Max)
	v.add(other.Count)
	v.Total.Merge(other.Total)
	if other.Exponential != nil {
		if v.Exponential == nil {
			v.Exponential = newExponential(d.Exponential)
		}
		v.Exponential.MergeFrom(other.Exponential)
	}
	if other.Buckets != nil {
		if v.Buckets == nil {
			v.Buckets = make([]uint64, len(other.Buckets))
		}
		for i, count := range other.Buckets {
			v.Buckets[i] += count
		}
	}
	for i := range other.Exemplars {
		v.keep(&other.Exemplars[i], exemplars, 0)
	}
}

// keep adds an exemplar; those added before the given time are replaced first. It reports whether it was kept.
func (v *Value) keep(exemplar *Exemplar, limit int, before int64) bool {
	at := place(v.Exemplars, limit, exemplar.Value, before)
	if at < 0 {
		return false
	}
	if v.reported {
		v.Exemplars, v.reported = slices.Clone(v.Exemplars), false
	}
	v.Exemplars = put(v.Exemplars, at, exemplar)
	return true
}

// clone copies everything except the list of exemplars, which is shared and marked as reported.
func (v *Value) clone(d *Definition) Value {
	v.reported = true
	copied := *v
	copied.Buckets = slices.Clone(v.Buckets)
	if v.Exponential != nil {
		copied.Exponential = newExponential(d.Exponential)
		v.Exponential.CopyInto(copied.Exponential)
	}
	return copied
}

// kept returns the stored form of a value. A gauge's level is not stored because the counted IDs are.
func (v *Value) kept(kind Kind) records.Value {
	kept := records.Value{
		Count: v.Count, High: v.Total.high, Low: v.Total.low, Min: v.Min, Max: v.Max,
		Buckets: v.Buckets, Exemplars: v.Exemplars, Reported: v.reported,
	}
	if kind == KindLast {
		kept.Level = v.Level
	}
	if v.Exponential != nil {
		buckets := v.Exponential.Positive()
		kept.Exponential = &records.Exponential{
			Scale: v.Exponential.Scale(), Offset: buckets.Offset(), ZeroCount: v.Exponential.ZeroCount(),
			Counts: make([]uint64, buckets.Len()),
		}
		for i := range kept.Exponential.Counts {
			kept.Exponential.Counts[i] = buckets.At(uint32(i))
		}
	}
	return kept
}
