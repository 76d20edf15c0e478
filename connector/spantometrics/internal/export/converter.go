// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package export

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Converter converts snapshots to pdata.
type Converter struct {
	Delta bool
	// InstanceID distinguishes this collector's metrics from those of its replicas; empty if the collector has none.
	InstanceID string
	// Version is the collector's version, set on the scope.
	Version string
	// sorted is a scratch buffer for sorting exemplars.
	sorted []series.Exemplar
}

// Metrics converts a snapshot, with one resource per application. The caller owns the result, which shares nothing with the
// snapshot.
func (c *Converter) Metrics(snapshot *series.Snapshot) pmetric.Metrics {
	md := pmetric.NewMetrics()
	md.ResourceMetrics().EnsureCapacity(len(snapshot.Applications))
	c.ended(snapshot, md.ResourceMetrics())
	for i := range snapshot.Applications {
		app := &snapshot.Applications[i]
		metrics := c.scope(md.ResourceMetrics().AppendEmpty(), app)
		metrics.EnsureCapacity(len(app.Metrics))
		for j := range app.Metrics {
			c.metric(&app.Metrics[j], metrics.AppendEmpty(), pcommon.Timestamp(snapshot.At))
		}
	}
	return md
}

// ended adds points without a value for series that receivers should drop. Each is a metric of its own because the
// prometheus exporter ignores points of the same metric after such a point. They are a millisecond older than the flush, so
// that a series that restarted has one point per time.
func (c *Converter) ended(snapshot *series.Snapshot, to pmetric.ResourceMetricsSlice) {
	at := pcommon.NewTimestampFromTime(time.Unix(0, snapshot.At).Add(-time.Millisecond))
	var application *series.Application
	var metrics pmetric.MetricSlice
	for i := range snapshot.Ended {
		ended := &snapshot.Ended[i]
		if application != ended.Application {
			application = ended.Application
			metrics = c.scope(to.AppendEmpty(), application)
		}
		metric := metrics.AppendEmpty()
		describe(ended.Definition, metric)
		point := c.emptyPoint(ended.Definition, metric)
		point.SetTimestamp(at)
		point.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
		putLabels(point.Attributes(), &series.Point{Labels: ended.Labels, Overflow: ended.Overflow})
	}
}

// scope adds an application's resource and the connector's scope and returns the scope's metrics.
func (c *Converter) scope(to pmetric.ResourceMetrics, app *series.Application) pmetric.MetricSlice {
	attrs := to.Resource().Attributes()
	if app.Overflow {
		attrs.PutBool(series.OverflowLabel, true)
	}
	putText(attrs, lifecycle.AttrServiceName, app.Service)
	putText(attrs, lifecycle.AttrServiceNamespace, app.Namespace)
	putText(attrs, lifecycle.AttrServiceInstanceID, c.InstanceID)
	scopeMetrics := to.ScopeMetrics().AppendEmpty()
	scopeMetrics.Scope().SetName(lifecycle.ScopeMetrics)
	scopeMetrics.Scope().SetVersion(c.Version)
	return scopeMetrics.Metrics()
}

// putText adds an attribute that is not empty.
func putText(attrs pcommon.Map, key, value string) {
	if value != "" {
		attrs.PutStr(key, value)
	}
}

func (c *Converter) metric(from *series.Metric, to pmetric.Metric, at pcommon.Timestamp) {
	definition := from.Definition
	describe(definition, to)
	switch {
	case definition.Kind != series.KindHistogram:
		points := c.numbers(definition, to)
		points.EnsureCapacity(len(from.Points))
		for i := range from.Points {
			fillNumber(definition, &from.Points[i], points.AppendEmpty(), at)
		}
	case definition.Exponential > 0:
		points := c.exponential(to)
		points.EnsureCapacity(len(from.Points))
		for i := range from.Points {
			value, point := &from.Points[i].Value, points.AppendEmpty()
			fillDistribution(definition, &from.Points[i], point, at)
			if value.Exponential != nil {
				fillExponential(value.Exponential, point)
			}
			putExemplars(point.Exemplars(), definition, c.inOrder(value.Exemplars))
		}
	default:
		points := c.explicit(to)
		points.EnsureCapacity(len(from.Points))
		bounds := make([]float64, len(definition.Bounds))
		for i, bound := range definition.Bounds {
			bounds[i] = definition.Scaled(bound)
		}
		for i := range from.Points {
			value, point := &from.Points[i].Value, points.AppendEmpty()
			fillDistribution(definition, &from.Points[i], point, at)
			point.ExplicitBounds().FromRaw(bounds)
			point.BucketCounts().FromRaw(value.Buckets)
			putExemplars(point.Exemplars(), definition, risingInBuckets(definition.Bounds, c.inOrder(value.Exemplars)))
		}
	}
}

// emptyPoint adds a point of the metric's type without a value.
func (c *Converter) emptyPoint(definition *series.Definition, to pmetric.Metric) dataPoint {
	switch {
	case definition.Kind != series.KindHistogram:
		return c.numbers(definition, to).AppendEmpty()
	case definition.Exponential > 0:
		return c.exponential(to).AppendEmpty()
	}
	return c.explicit(to).AppendEmpty()
}

// numbers makes the metric a sum or a gauge.
func (c *Converter) numbers(definition *series.Definition, to pmetric.Metric) pmetric.NumberDataPointSlice {
	if definition.Kind != series.KindSum {
		return to.SetEmptyGauge().DataPoints()
	}
	sum := to.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(c.temporality())
	return sum.DataPoints()
}

func (c *Converter) exponential(to pmetric.Metric) pmetric.ExponentialHistogramDataPointSlice {
	histogram := to.SetEmptyExponentialHistogram()
	histogram.SetAggregationTemporality(c.temporality())
	return histogram.DataPoints()
}

func (c *Converter) explicit(to pmetric.Metric) pmetric.HistogramDataPointSlice {
	histogram := to.SetEmptyHistogram()
	histogram.SetAggregationTemporality(c.temporality())
	return histogram.DataPoints()
}

func (c *Converter) temporality() pmetric.AggregationTemporality {
	if c.Delta {
		return pmetric.AggregationTemporalityDelta
	}
	return pmetric.AggregationTemporalityCumulative
}

func describe(definition *series.Definition, metric pmetric.Metric) {
	metric.SetName(definition.Name)
	metric.SetUnit(definition.Unit)
	metric.SetDescription(definition.Description)
}
