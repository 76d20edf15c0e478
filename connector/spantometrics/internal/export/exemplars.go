// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package export

import (
	"cmp"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

// inOrder returns exemplars sorted by time, as Prometheus requires. They are valid until the next call.
func (c *Converter) inOrder(exemplars []series.Exemplar) []series.Exemplar {
	c.sorted = append(c.sorted[:0], exemplars...)
	slices.SortFunc(c.sorted, func(a, b series.Exemplar) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Value, b.Value))
	})
	return c.sorted
}

// risingInBuckets removes exemplars that follow a slower one of the same bucket. The prometheus exporter shows a bucket's
// last exemplar, which thereby is its slowest one.
func risingInBuckets(bounds []int64, exemplars []series.Exemplar) []series.Exemplar {
	rising := exemplars[:0]
	for i := range exemplars {
		value := exemplars[i].Value
		bucket, _ := slices.BinarySearch(bounds, value)
		slower := slices.ContainsFunc(rising, func(e series.Exemplar) bool {
			return e.Value > value && (bucket == len(bounds) || e.Value <= bounds[bucket])
		})
		if !slower {
			rising = append(rising, exemplars[i])
		}
	}
	return rising
}

func putExemplars(to pmetric.ExemplarSlice, definition *series.Definition, exemplars []series.Exemplar) {
	to.EnsureCapacity(len(exemplars))
	for i := range exemplars {
		exemplar := to.AppendEmpty()
		exemplar.SetDoubleValue(definition.Scaled(exemplars[i].Value))
		exemplar.SetTimestamp(pcommon.Timestamp(exemplars[i].At))
		exemplar.SetTraceID(exemplars[i].Trace)
		exemplar.SetSpanID(exemplars[i].Span)
	}
}
