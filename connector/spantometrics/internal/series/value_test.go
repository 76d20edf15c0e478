// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTotalIsExact(t *testing.T) {
	var total Total
	want := new(big.Int)
	random := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		value := random.Int64()
		total.Add(value)
		want.Add(want, big.NewInt(value))
	}
	got := new(big.Int).Lsh(new(big.Int).SetUint64(total.high), 64)
	got.Add(got, new(big.Int).SetUint64(total.low))
	require.Equal(t, want.String(), got.String())

	nearest, _ := new(big.Float).SetInt(want).Float64()
	require.InEpsilon(t, nearest, total.Float64(), 1e-15)
}

func TestTotalBelow53BitsIsItself(t *testing.T) {
	var total Total
	total.Add(1<<53 - 2)
	total.Add(1)
	require.Equal(t, float64(1<<53-1), total.Float64())
}

// TestExponentialBuckets checks each value against the bounds of its bucket: base^index, exclusive, to base^(index+1),
// inclusive, where base is 2^(2^-scale).
func TestExponentialBuckets(t *testing.T) {
	definition := &Definition{Kind: KindHistogram, Exponential: 160, PerUnit: Nanoseconds}
	random := rand.New(rand.NewPCG(5, 6))
	var value Value
	var values []float64
	value.observe(definition, 0)
	for range 2000 {
		nanoseconds := int64(math.Exp(random.Float64() * 32))
		value.observe(definition, nanoseconds)
		values = append(values, float64(nanoseconds)/Nanoseconds)
	}
	require.Equal(t, uint64(1), value.Exponential.ZeroCount())
	require.LessOrEqual(t, value.Exponential.Positive().Len(), uint32(160))

	base := math.Exp2(math.Exp2(-float64(value.Exponential.Scale())))
	positive := value.Exponential.Positive()
	for i := range positive.Len() {
		low := math.Pow(base, float64(positive.Offset())+float64(i))
		inside := uint64(0)
		for _, v := range values {
			if v > low && v <= low*base {
				inside++
			}
		}
		require.InDelta(t, inside, positive.At(i), 1, "bucket %d; one value may lie on a bound", i)
	}
}

func TestMergeOfParts(t *testing.T) {
	for _, definition := range []Definition{
		{Kind: KindHistogram, Bounds: []int64{10, 100}},
		{Kind: KindHistogram, Exponential: 20},
	} {
		var whole, left, right Value
		for _, v := range []int64{0, 5, 10, 99, 1000} {
			whole.observe(&definition, v)
			left.observe(&definition, v)
		}
		for _, v := range []int64{3, 70_000} {
			whole.observe(&definition, v)
			right.observe(&definition, v)
		}
		left.merge(&definition, &right, 5)
		left.merge(&definition, &Value{}, 5)
		require.Equal(t, whole.Count, left.Count)
		require.Equal(t, whole.Total, left.Total)
		require.Equal(t, whole.Min, left.Min)
		require.Equal(t, whole.Max, left.Max)
		require.Equal(t, whole.Buckets, left.Buckets)
		if whole.Exponential != nil {
			require.Equal(t, whole.Exponential.Scale(), left.Exponential.Scale())
			require.Equal(t, whole.Exponential.Positive().Len(), left.Exponential.Positive().Len())
			for i := range whole.Exponential.Positive().Len() {
				require.Equal(t, whole.Exponential.Positive().At(i), left.Exponential.Positive().At(i))
			}
		}
	}
}
