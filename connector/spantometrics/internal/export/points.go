// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package export

import (
	"github.com/lightstep/go-expohisto/structure"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

// dataPoint is implemented by all data points.
type dataPoint interface {
	SetStartTimestamp(at pcommon.Timestamp)
	SetTimestamp(at pcommon.Timestamp)
	SetFlags(flags pmetric.DataPointFlags)
	Attributes() pcommon.Map
}

// distribution is implemented by the data points of both types of histograms.
type distribution interface {
	dataPoint
	SetCount(count uint64)
	SetSum(sum float64)
	SetMin(value float64)
	SetMax(value float64)
}

func fillNumber(definition *series.Definition, from *series.Point, to pmetric.NumberDataPoint, at pcommon.Timestamp) {
	to.SetTimestamp(at)
	isSum, isInt := definition.Kind == series.KindSum, definition.PerUnit == 0
	if isSum {
		to.SetStartTimestamp(pcommon.Timestamp(from.Started))
	}
	switch {
	case isSum && isInt:
		to.SetIntValue(int64(from.Value.Count))
	case isSum:
		to.SetDoubleValue(definition.ScaledTotal(from.Value.Sum()))
	case isInt:
		to.SetIntValue(from.Value.Level)
	default:
		to.SetDoubleValue(definition.Scaled(from.Value.Level))
	}
	putLabels(to.Attributes(), from)
}

// fillDistribution sets what both types of histograms have.
func fillDistribution[P distribution](definition *series.Definition, from *series.Point, to P, at pcommon.Timestamp) {
	value := &from.Value
	to.SetStartTimestamp(pcommon.Timestamp(from.Started))
	to.SetTimestamp(at)
	to.SetCount(value.Count)
	to.SetSum(definition.ScaledTotal(value.Total))
	to.SetMin(definition.Scaled(value.Min))
	to.SetMax(definition.Scaled(value.Max))
	putLabels(to.Attributes(), from)
}

func fillExponential(from *structure.Float64, to pmetric.ExponentialHistogramDataPoint) {
	to.SetScale(from.Scale())
	to.SetZeroCount(from.ZeroCount())
	fillBuckets(from.Positive(), to.Positive())
}

func fillBuckets(from *structure.Buckets, to pmetric.ExponentialHistogramDataPointBuckets) {
	to.SetOffset(from.Offset())
	counts := to.BucketCounts()
	counts.EnsureCapacity(int(from.Len()))
	for i := range from.Len() {
		counts.Append(from.At(i))
	}
}

func putLabels(to pcommon.Map, point *series.Point) {
	if point.Overflow {
		to.PutBool(series.OverflowLabel, true)
		return
	}
	to.EnsureCapacity(len(point.Labels))
	for _, label := range point.Labels {
		to.PutStr(label.Name, label.Value)
	}
}
