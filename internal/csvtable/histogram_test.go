// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package csvtable

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func noMinMax(count uint64) Stats {
	return Stats{Count: count, Min: math.NaN(), Max: math.NaN()}
}

func TestQuantileOfExplicitBuckets(t *testing.T) {
	bounds := []float64{1, 2, 4}
	tests := map[string]struct {
		h    Explicit
		q    float64
		want float64 // NaN: no estimate
	}{
		"middle of a bucket":             {Explicit{noMinMax(10), bounds, []uint64{0, 10, 0, 0}}, 0.5, 1.5},
		"lowest value":                   {Explicit{noMinMax(10), bounds, []uint64{0, 10, 0, 0}}, 0, 1},
		"highest value":                  {Explicit{noMinMax(10), bounds, []uint64{0, 10, 0, 0}}, 1, 2},
		"first bucket starts at zero":    {Explicit{noMinMax(10), bounds, []uint64{10, 0, 0, 0}}, 0.5, 0.5},
		"first bucket below zero":        {Explicit{noMinMax(10), []float64{-3, 4}, []uint64{10, 0, 0}}, 0.5, -3},
		"first bucket starts at minimum": {Explicit{Stats{Count: 10, Min: 0.6, Max: 4}, bounds, []uint64{10, 0, 0, 0}}, 0.5, 0.8},
		"last bucket is its bound":       {Explicit{noMinMax(10), bounds, []uint64{0, 0, 0, 10}}, 0.5, 4},
		"last bucket ends at maximum":    {Explicit{Stats{Count: 10, Min: 4, Max: 8}, bounds, []uint64{0, 0, 0, 10}}, 0.5, 6},
		"not above the maximum":          {Explicit{Stats{Count: 10, Min: 2, Max: 2.5}, bounds, []uint64{0, 0, 10, 0}}, 0.99, 2.5},
		"not below the minimum":          {Explicit{Stats{Count: 10, Min: 3.5, Max: 4}, bounds, []uint64{0, 0, 10, 0}}, 0.01, 3.5},
		"across buckets":                 {Explicit{noMinMax(4), bounds, []uint64{1, 1, 2, 0}}, 0.75, 3},
		"no values":                      {Explicit{noMinMax(0), bounds, []uint64{0, 0, 0, 0}}, 0.5, math.NaN()},
		"no buckets":                     {Explicit{noMinMax(10), nil, nil}, 0.5, math.NaN()},
		"one bucket over everything":     {Explicit{noMinMax(10), nil, []uint64{10}}, 0.5, math.NaN()},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, ok := quantile(test.h, test.q)
			if math.IsNaN(test.want) {
				assert.False(t, ok)
				return
			}
			require.True(t, ok)
			assert.InDelta(t, test.want, got, 1e-12)
		})
	}
}

func TestValid(t *testing.T) {
	assert.True(t, Explicit{}.Valid(), "count and sum only")
	assert.True(t, Explicit{Counts: []uint64{1}}.Valid())
	assert.True(t, Explicit{Bounds: []float64{1, 2}, Counts: []uint64{1, 2, 3}}.Valid())
	assert.False(t, Explicit{Bounds: []float64{1, 2}, Counts: []uint64{1, 2}}.Valid())
	assert.False(t, Explicit{Bounds: []float64{1, 2}}.Valid())
	assert.False(t, Explicit{Bounds: []float64{2, 1}, Counts: []uint64{1, 2, 3}}.Valid())
	assert.False(t, Explicit{Bounds: []float64{1, math.NaN()}, Counts: []uint64{1, 2, 3}}.Valid())

	assert.True(t, Exponential{Scale: 20}.Valid())
	assert.False(t, Exponential{Scale: 21}.Valid())
	assert.False(t, Exponential{Scale: -11}.Valid())
	assert.False(t, Exponential{Positive: Side{Offset: math.MaxInt32, Counts: []uint64{1}}}.Valid())
	assert.False(t, Exponential{Negative: Side{Offset: math.MinInt32}}.Valid())
}

// exponentialOf builds a histogram from values in a slow and obvious way.
func exponentialOf(scale int32, values []float64) Exponential {
	h := Exponential{Stats: Stats{Min: math.Inf(1), Max: math.Inf(-1)}, Scale: scale}
	index := func(v float64) int32 {
		return int32(math.Ceil(math.Log2(v)*math.Exp2(float64(scale)))) - 1
	}
	sides := map[bool]map[int32]uint64{false: {}, true: {}}
	for _, v := range values {
		h.Count++
		h.Sum += v
		h.Min, h.Max = math.Min(h.Min, v), math.Max(h.Max, v)
		if v == 0 {
			h.ZeroCount++
			continue
		}
		sides[v < 0][index(math.Abs(v))]++
	}
	build := func(counts map[int32]uint64) Side {
		var indices []int32
		for i := range counts {
			indices = append(indices, i)
		}
		if len(indices) == 0 {
			return Side{}
		}
		first, last := slices.Min(indices), slices.Max(indices)
		side := Side{Offset: first, Counts: make([]uint64, last-first+1)}
		for i, count := range counts {
			side.Counts[i-first] = count
		}
		return side
	}
	h.Positive, h.Negative = build(sides[false]), build(sides[true])
	return h
}

// The total of two histograms of any scales holds each value in a bucket that contains it.
func TestExponentialTotals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Float64Range(-1e6, 1e6).Filter(func(v float64) bool {
			return v == 0 || math.Abs(v) > 1e-9
		}), 1, 40)
		a, b := values.Draw(t, "a"), values.Draw(t, "b")
		scale := rapid.Int32Range(-4, 3)
		total, ok := exponentialOf(scale.Draw(t, "scale a"), a).plus(exponentialOf(scale.Draw(t, "scale b"), b))
		if !ok {
			t.Fatal("not added")
		}
		h := total.(Exponential)
		all := slices.Concat(a, b)
		if h.Count != uint64(len(all)) {
			t.Fatalf("count %d of %d values", h.Count, len(all))
		}
		if len(h.Positive.Counts) > maxExponentialBuckets || len(h.Negative.Counts) > maxExponentialBuckets {
			t.Fatalf("%d and %d buckets", len(h.Positive.Counts), len(h.Negative.Counts))
		}
		for bucket := range h.buckets {
			// Rounding may put a value that equals a bound on either side of it.
			low, high := 0, 0
			slack := 1e-9 * math.Max(math.Abs(bucket.lower), math.Abs(bucket.upper))
			for _, v := range all {
				if v > bucket.lower+slack && v < bucket.upper-slack {
					low++
				}
				if v >= bucket.lower-slack && v <= bucket.upper+slack {
					high++
				}
			}
			if int(bucket.count) < low || int(bucket.count) > high {
				t.Fatalf("bucket (%g, %g] has %d values, want %d to %d", bucket.lower, bucket.upper, bucket.count, low, high)
			}
		}
	})
}

// The error of a quantile estimated from exponential buckets is at most the width of its bucket.
func TestQuantileOfExponentialBuckets(t *testing.T) {
	var values []float64
	for i := 1; i <= 1000; i++ {
		values = append(values, float64(i)/10)
	}
	h := exponentialOf(4, values)
	for _, q := range []float64{0, 0.1, 0.5, 0.95, 0.99, 1} {
		got, ok := quantile(h, q)
		require.True(t, ok)
		want := math.Max(q*100, 0.1)
		assert.InEpsilon(t, want, got, 0.05, "quantile %v", q)
	}

	negative := exponentialOf(4, []float64{-8, -8, -8, 0, 2})
	got, _ := quantile(negative, 0.3)
	assert.InEpsilon(t, -8, got, 0.05)
	got, _ = quantile(negative, 0.7)
	assert.Zero(t, got)
}

func TestExponentialTotalStaysSmall(t *testing.T) {
	tiny := Exponential{Stats: noMinMax(1), Scale: 20, Positive: Side{Offset: -1 << 29, Counts: []uint64{1}}}
	huge := Exponential{Stats: noMinMax(1), Scale: 20, Positive: Side{Offset: 1 << 29, Counts: []uint64{1}}}
	total, ok := tiny.plus(huge)
	require.True(t, ok)
	h := total.(Exponential)
	assert.LessOrEqual(t, len(h.Positive.Counts), maxExponentialBuckets)
	assert.Equal(t, uint64(2), h.Positive.Counts[0]+h.Positive.Counts[len(h.Positive.Counts)-1])
}

func TestWiderZeroBucketTakesInSmallValues(t *testing.T) {
	a := Exponential{Stats: noMinMax(3), Positive: Side{Offset: 0, Counts: []uint64{1, 0, 2}}} // (1,2], (4,8]
	b := Exponential{Stats: noMinMax(5), ZeroCount: 5, ZeroThreshold: 4}
	total, ok := a.plus(b)
	require.True(t, ok)
	h := total.(Exponential)
	assert.Equal(t, uint64(6), h.ZeroCount)
	assert.Equal(t, Side{Offset: 2, Counts: []uint64{2}}, h.Positive)
}

func TestAddingDoesNotChangeTheParts(t *testing.T) {
	a := exponentialOf(2, []float64{1, 2, 3})
	kept := slices.Clone(a.Positive.Counts)
	_, ok := a.plus(exponentialOf(0, []float64{100}))
	require.True(t, ok)
	assert.Equal(t, kept, a.Positive.Counts)
}
