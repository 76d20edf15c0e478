// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package csvtable

import (
	"math"
	"slices"
)

// maxExponentialBuckets bounds the buckets on one side of a total. A total that needs more is reduced to a coarser scale,
// so that deltas of very different magnitudes cannot make a series grow without limit. With 320 buckets a range from a
// microsecond to a week still resolves quantiles to about 9 percent.
const maxExponentialBuckets = 320

// Exponential is a histogram with base-2 exponential buckets, as in OTLP: with base = 2^(2^-Scale), Counts[i] of the
// positive side lie in (base^(Offset+i), base^(Offset+i+1)], the negative side mirrors it, and ZeroCount values lie in
// [-ZeroThreshold, ZeroThreshold].
type Exponential struct {
	Stats
	Scale         int32
	ZeroCount     uint64
	ZeroThreshold float64
	Positive      Side
	Negative      Side
}

// Side is one half of an exponential histogram.
type Side struct {
	Offset int32
	Counts []uint64
}

// Scales outside this range are useless: above it, neighboring bounds are equal as float64; below it, one bucket holds
// everything.
const (
	minScale = -10
	maxScale = 20
)

// Valid reports whether scale and offsets are in the range in which the arithmetic on them is exact.
func (h Exponential) Valid() bool {
	return h.Scale >= minScale && h.Scale <= maxScale && h.Positive.valid() && h.Negative.valid()
}

func (s Side) valid() bool {
	const limit = math.MaxInt32 / 2
	return s.Offset >= -limit && int64(s.Offset)+int64(len(s.Counts)) <= limit
}

func (h Exponential) plus(delta Value) (Value, bool) {
	d, ok := delta.(Exponential)
	if !ok {
		return delta, false
	}
	scale := min(h.Scale, d.Scale)
	for width(h, d, scale) > maxExponentialBuckets {
		scale--
	}
	h, d = h.downscaled(scale), d.downscaled(scale)
	total := Exponential{
		Stats:         h.Stats.plus(d.Stats),
		Scale:         scale,
		ZeroCount:     h.ZeroCount + d.ZeroCount,
		ZeroThreshold: math.Max(h.ZeroThreshold, d.ZeroThreshold),
		Positive:      h.Positive.plus(d.Positive),
		Negative:      h.Negative.plus(d.Negative),
	}
	return total.foldedIntoZero(), true
}

// width returns the number of buckets that the wider side of the sum of a and b needs at scale.
func width(a, b Exponential, scale int32) int64 {
	side := func(x, y Side) int64 {
		xFirst, xLast, xOK := x.span(a.Scale - scale)
		yFirst, yLast, yOK := y.span(b.Scale - scale)
		switch {
		case xOK && yOK:
			return max(xLast, yLast) - min(xFirst, yFirst) + 1
		case xOK:
			return xLast - xFirst + 1
		case yOK:
			return yLast - yFirst + 1
		}
		return 0
	}
	return max(side(a.Positive, b.Positive), side(a.Negative, b.Negative))
}

// span returns the first and last index of s after reducing the scale by shift; ok is false if s is empty. An arithmetic
// right shift rounds down, which maps merged buckets to the same index.
func (s Side) span(shift int32) (first, last int64, ok bool) {
	if len(s.Counts) == 0 {
		return 0, 0, false
	}
	first = int64(s.Offset)
	last = first + int64(len(s.Counts)) - 1
	return first >> shift, last >> shift, true
}

func (h Exponential) downscaled(scale int32) Exponential {
	shift := h.Scale - scale
	if shift == 0 {
		return h
	}
	h.Scale = scale
	h.Positive = h.Positive.downscaled(shift)
	h.Negative = h.Negative.downscaled(shift)
	return h
}

func (s Side) downscaled(shift int32) Side {
	first, last, ok := s.span(shift)
	if !ok {
		return Side{}
	}
	out := Side{Offset: int32(first), Counts: make([]uint64, last-first+1)}
	for i, count := range s.Counts {
		out.Counts[(int64(s.Offset)+int64(i))>>shift-first] += count
	}
	return out
}

// plus adds two sides of the same scale.
func (s Side) plus(d Side) Side {
	if len(s.Counts) == 0 {
		return d
	}
	if len(d.Counts) == 0 {
		return s
	}
	first := min(s.Offset, d.Offset)
	last := max(s.Offset+int32(len(s.Counts)), d.Offset+int32(len(d.Counts))) - 1
	out := Side{Offset: first, Counts: make([]uint64, last-first+1)}
	for i, count := range s.Counts {
		out.Counts[s.Offset-first+int32(i)] += count
	}
	for i, count := range d.Counts {
		out.Counts[d.Offset-first+int32(i)] += count
	}
	return out
}

// foldedIntoZero moves buckets that lie completely within the zero bucket into it, after a delta with a wider zero
// threshold.
func (h Exponential) foldedIntoZero() Exponential {
	if h.ZeroThreshold <= 0 {
		return h
	}
	fold := func(s Side) Side {
		n := 0
		for n < len(s.Counts) && h.bound(s.Offset, n+1) <= h.ZeroThreshold {
			h.ZeroCount += s.Counts[n]
			n++
		}
		return Side{Offset: s.Offset + int32(n), Counts: s.Counts[n:]}
	}
	h.Positive = fold(h.Positive)
	h.Negative = fold(h.Negative)
	return h
}

// bound is base^(offset+i).
func (h Exponential) bound(offset int32, i int) float64 {
	index := float64(offset) + float64(i)
	return math.Exp2(math.Ldexp(index, -int(h.Scale)))
}

func (h Exponential) numbers() int {
	return numbersOfStats + len(h.Positive.Counts) + len(h.Negative.Counts)
}

func (h Exponential) stats() Stats { return h.Stats }

// buckets yields the non-empty buckets in ascending order.
func (h Exponential) buckets(yield func(bucket) bool) {
	for i, count := range slices.Backward(h.Negative.Counts) {
		if count == 0 {
			continue
		}
		lower, upper := -h.bound(h.Negative.Offset, i+1), -h.bound(h.Negative.Offset, i)
		if !yield(bucket{lower: lower, upper: upper, count: count, exponential: true}) {
			return
		}
	}
	if h.ZeroCount > 0 {
		lower := -h.ZeroThreshold
		if len(h.Negative.Counts) == 0 {
			lower = 0
		}
		if !yield(bucket{lower: lower, upper: h.ZeroThreshold, count: h.ZeroCount}) {
			return
		}
	}
	for i, count := range h.Positive.Counts {
		if count == 0 {
			continue
		}
		lower, upper := h.bound(h.Positive.Offset, i), h.bound(h.Positive.Offset, i+1)
		if !yield(bucket{lower: lower, upper: upper, count: count, exponential: true}) {
			return
		}
	}
}
