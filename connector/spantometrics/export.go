// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"cmp"
	"slices"
	"time"

	"github.com/lightstep/go-expohisto/structure"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// exporter writes snapshots as pdata.
type exporter struct {
	delta bool
	// instanceID distinguishes this collector's metrics from those of its replicas; empty if the collector has none.
	instanceID string
	// version is the collector's version, set on the scope.
	version string
	// room is a scratch buffer for sorting exemplars.
	room []series.Exemplar
}

// metrics converts a snapshot, with one resource per application. The caller owns the result, which shares nothing with the
// snapshot.
func (x *exporter) metrics(snapshot *series.Snapshot) pmetric.Metrics {
	md := pmetric.NewMetrics()
	md.ResourceMetrics().EnsureCapacity(len(snapshot.Applications))
	x.ended(snapshot, md.ResourceMetrics())
	for i := range snapshot.Applications {
		app := &snapshot.Applications[i]
		metrics := x.scope(md.ResourceMetrics().AppendEmpty(), app)
		metrics.EnsureCapacity(len(app.Metrics))
		for j := range app.Metrics {
			x.metric(&app.Metrics[j], metrics.AppendEmpty(), pcommon.Timestamp(snapshot.At))
		}
	}
	return md
}

// scope adds an application's resource and the connector's scope and returns the scope's metrics.
func (x *exporter) scope(to pmetric.ResourceMetrics, app *series.Application) pmetric.MetricSlice {
	x.resource(to.Resource().Attributes(), app)
	scopeMetrics := to.ScopeMetrics().AppendEmpty()
	scopeMetrics.Scope().SetName(lifecycle.ScopeMetrics)
	scopeMetrics.Scope().SetVersion(x.version)
	return scopeMetrics.Metrics()
}

func (x *exporter) resource(attrs pcommon.Map, app *series.Application) {
	if app.Overflow {
		attrs.PutBool(series.OverflowLabel, true)
	}
	if app.Service != "" {
		attrs.PutStr(lifecycle.AttrServiceName, app.Service)
	}
	if app.Namespace != "" {
		attrs.PutStr(lifecycle.AttrServiceNamespace, app.Namespace)
	}
	if x.instanceID != "" {
		attrs.PutStr(lifecycle.AttrServiceInstanceID, x.instanceID)
	}
}

func (x *exporter) metric(from *series.Metric, to pmetric.Metric, at pcommon.Timestamp) {
	definition := from.Definition
	describe(definition, to)
	switch {
	case definition.Kind == series.KindGauge || definition.Kind == series.KindLast:
		points := to.SetEmptyGauge().DataPoints()
		points.EnsureCapacity(len(from.Points))
		for i := range from.Points {
			dp := points.AppendEmpty()
			dp.SetTimestamp(at)
			if definition.PerUnit == 0 {
				dp.SetIntValue(from.Points[i].Value.Level)
			} else {
				dp.SetDoubleValue(definition.Scaled(from.Points[i].Value.Level))
			}
			putLabels(dp.Attributes(), &from.Points[i])
		}
	case definition.Kind == series.KindSum:
		points := x.emptySum(to)
		points.EnsureCapacity(len(from.Points))
		for i := range from.Points {
			dp := points.AppendEmpty()
			dp.SetStartTimestamp(pcommon.Timestamp(from.Points[i].Started))
			dp.SetTimestamp(at)
			if definition.PerUnit == 0 {
				dp.SetIntValue(int64(from.Points[i].Value.Count))
			} else {
				dp.SetDoubleValue(definition.ScaledTotal(from.Points[i].Value.Sum()))
			}
			putLabels(dp.Attributes(), &from.Points[i])
		}
	case definition.Exponential > 0:
		histogram := to.SetEmptyExponentialHistogram()
		histogram.SetAggregationTemporality(x.temporality())
		histogram.DataPoints().EnsureCapacity(len(from.Points))
		for i := range from.Points {
			x.exponentialPoint(definition, &from.Points[i], histogram.DataPoints().AppendEmpty(), at)
		}
	default:
		histogram := to.SetEmptyHistogram()
		histogram.SetAggregationTemporality(x.temporality())
		histogram.DataPoints().EnsureCapacity(len(from.Points))
		bounds := make([]float64, len(definition.Bounds))
		for i, bound := range definition.Bounds {
			bounds[i] = definition.Scaled(bound)
		}
		for i := range from.Points {
			x.explicitPoint(definition, bounds, &from.Points[i], histogram.DataPoints().AppendEmpty(), at)
		}
	}
}

func (x *exporter) temporality() pmetric.AggregationTemporality {
	if x.delta {
		return pmetric.AggregationTemporalityDelta
	}
	return pmetric.AggregationTemporalityCumulative
}

func (x *exporter) explicitPoint(definition *series.Definition, bounds []float64, from *series.Point, to pmetric.HistogramDataPoint, at pcommon.Timestamp) {
	value := &from.Value
	to.SetStartTimestamp(pcommon.Timestamp(from.Started))
	to.SetTimestamp(at)
	to.SetCount(value.Count)
	to.SetSum(definition.ScaledTotal(value.Total))
	to.SetMin(definition.Scaled(value.Min))
	to.SetMax(definition.Scaled(value.Max))
	to.ExplicitBounds().FromRaw(bounds)
	to.BucketCounts().FromRaw(value.Buckets)
	putExemplars(to.Exemplars(), definition, risingInBuckets(definition.Bounds, x.inOrder(value.Exemplars)))
	putLabels(to.Attributes(), from)
}

func (x *exporter) exponentialPoint(definition *series.Definition, from *series.Point, to pmetric.ExponentialHistogramDataPoint, at pcommon.Timestamp) {
	value := &from.Value
	to.SetStartTimestamp(pcommon.Timestamp(from.Started))
	to.SetTimestamp(at)
	to.SetCount(value.Count)
	to.SetSum(definition.ScaledTotal(value.Total))
	to.SetMin(definition.Scaled(value.Min))
	to.SetMax(definition.Scaled(value.Max))
	if value.Exponential != nil {
		to.SetScale(value.Exponential.Scale())
		to.SetZeroCount(value.Exponential.ZeroCount())
		putBuckets(to.Positive(), value.Exponential.Positive())
	}
	putExemplars(to.Exemplars(), definition, x.inOrder(value.Exemplars))
	putLabels(to.Attributes(), from)
}

func putBuckets(to pmetric.ExponentialHistogramDataPointBuckets, from *structure.Buckets) {
	to.SetOffset(from.Offset())
	counts := to.BucketCounts()
	counts.EnsureCapacity(int(from.Len()))
	for i := range from.Len() {
		counts.Append(from.At(i))
	}
}

// inOrder returns exemplars sorted by time, as Prometheus requires. They are valid until the next call.
func (x *exporter) inOrder(exemplars []series.Exemplar) []series.Exemplar {
	x.room = append(x.room[:0], exemplars...)
	slices.SortFunc(x.room, func(a, b series.Exemplar) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Value, b.Value))
	})
	return x.room
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

// ended adds points without a value for series that receivers should drop. Each is a metric of its own because the
// prometheus exporter ignores points of the same metric after such a point. They are a millisecond older than the flush, so
// that a series that restarted has one point per time.
func (x *exporter) ended(snapshot *series.Snapshot, to pmetric.ResourceMetricsSlice) {
	at := pcommon.NewTimestampFromTime(time.Unix(0, snapshot.At).Add(-time.Millisecond))
	var application *series.Application
	var metrics pmetric.MetricSlice
	for i := range snapshot.Ended {
		ended := &snapshot.Ended[i]
		if application != ended.Application {
			application = ended.Application
			metrics = x.scope(to.AppendEmpty(), application)
		}
		metric := metrics.AppendEmpty()
		describe(ended.Definition, metric)
		point := x.emptyPoint(ended.Definition, metric)
		point.SetTimestamp(at)
		point.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
		putLabels(point.Attributes(), &series.Point{Labels: ended.Labels, Overflow: ended.Overflow})
	}
}

// dataPoint is implemented by all data points.
type dataPoint interface {
	SetTimestamp(at pcommon.Timestamp)
	SetFlags(flags pmetric.DataPointFlags)
	Attributes() pcommon.Map
}

// emptyPoint adds a point of the metric's type without a value.
func (x *exporter) emptyPoint(definition *series.Definition, metric pmetric.Metric) dataPoint {
	switch {
	case definition.Kind == series.KindGauge || definition.Kind == series.KindLast:
		return metric.SetEmptyGauge().DataPoints().AppendEmpty()
	case definition.Kind == series.KindSum:
		return x.emptySum(metric).AppendEmpty()
	case definition.Exponential > 0:
		histogram := metric.SetEmptyExponentialHistogram()
		histogram.SetAggregationTemporality(x.temporality())
		return histogram.DataPoints().AppendEmpty()
	}
	histogram := metric.SetEmptyHistogram()
	histogram.SetAggregationTemporality(x.temporality())
	return histogram.DataPoints().AppendEmpty()
}

func (x *exporter) emptySum(metric pmetric.Metric) pmetric.NumberDataPointSlice {
	sum := metric.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(x.temporality())
	return sum.DataPoints()
}

func describe(definition *series.Definition, metric pmetric.Metric) {
	metric.SetName(definition.Name)
	metric.SetUnit(definition.Unit)
	metric.SetDescription(definition.Description)
}
