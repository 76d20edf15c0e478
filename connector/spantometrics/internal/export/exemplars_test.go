// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package export

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

// TestExemplarsOfABucketRise checks that exemplars are sorted by time, as Prometheus requires, with the slowest one of each
// bucket last.
func TestExemplarsOfABucketRise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bounds := []int64{10, 20}
		exemplars := rapid.SliceOf(rapid.Custom(func(t *rapid.T) series.Exemplar {
			return series.Exemplar{Value: rapid.Int64Range(0, 30).Draw(t, "value"), At: rapid.Int64Range(1, 9).Draw(t, "at")}
		})).Draw(t, "exemplars")
		slowest, last := map[int]int64{}, map[int]series.Exemplar{}
		for _, e := range exemplars {
			bucket, _ := slices.BinarySearch(bounds, e.Value)
			slowest[bucket] = max(slowest[bucket], e.Value)
		}
		before := slices.Clone(exemplars)
		var c Converter
		for _, e := range risingInBuckets(bounds, c.inOrder(exemplars)) {
			bucket, _ := slices.BinarySearch(bounds, e.Value)
			require.GreaterOrEqual(t, e.At, last[bucket].At)
			require.GreaterOrEqual(t, e.Value, last[bucket].Value)
			last[bucket] = e
		}
		require.Len(t, last, len(slowest))
		for bucket, value := range slowest {
			require.Equal(t, value, last[bucket].Value)
		}
		require.Equal(t, before, exemplars, "they are the registry's")
	})
}
