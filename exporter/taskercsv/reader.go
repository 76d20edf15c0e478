// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskercsv

import (
	"math"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/tasker-otel/otelcol-tasker/internal/csvtable"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Reasons for dropping a point before it reaches the table; the table's reasons are csvtable.Outcome.
const (
	reasonNoValue = "no_value"
	reasonInvalid = "invalid"
)

// reader converts pdata into points of the table. It does not modify pdata and retains only strings of it.
type reader struct {
	resourceColumns []string

	labels []csvtable.Label // scratch
}

// merge adds all points of md to the table and returns the number of dropped ones by reason; nil if none.
func (r *reader) merge(md pmetric.Metrics, into *csvtable.Table, now time.Time) map[string]int64 {
	batch := batch{reader: r, table: into, now: now}
	for _, resource := range md.ResourceMetrics().All() {
		for _, scope := range resource.ScopeMetrics().All() {
			batch.point.Owner = r.owner(resource.Resource(), scope.Scope())
			for _, m := range scope.Metrics().All() {
				batch.metric(m)
			}
		}
	}
	return batch.dropped
}

// owner returns the identity of a resource and scope. It includes attributes without a column, because values of different
// resources must not be mixed.
func (r *reader) owner(resource pcommon.Resource, scope pcommon.InstrumentationScope) *csvtable.Owner {
	cells := make([]string, len(r.resourceColumns))
	for i, key := range r.resourceColumns {
		if value, ok := resource.Attributes().Get(key); ok {
			cells[i] = value.AsString()
		}
	}
	identity := []string{scope.Name(), scope.Version()}
	for _, label := range sortedLabels(nil, resource.Attributes()) {
		identity = append(identity, label.Key, label.Value)
	}
	return csvtable.NewOwner(application(resource.Attributes()), cells, identity...)
}

// application returns the service of a resource. Each has a share of the table.
func application(resource pcommon.Map) string {
	var parts [2]string
	for i, key := range [...]string{lifecycle.AttrServiceNamespace, lifecycle.AttrServiceName} {
		if value, ok := resource.Get(key); ok {
			parts[i] = value.AsString()
		}
	}
	return parts[0] + "\x00" + parts[1]
}

// sortedLabels appends the attributes to labels, sorted by key.
func sortedLabels(labels []csvtable.Label, attributes pcommon.Map) []csvtable.Label {
	for key, value := range attributes.All() {
		labels = append(labels, csvtable.Label{Key: key, Value: value.AsString()})
	}
	slices.SortFunc(labels, func(a, b csvtable.Label) int { return strings.Compare(a.Key, b.Key) })
	return labels
}

// batch is the state of merging one pmetric.Metrics.
type batch struct {
	reader  *reader
	table   *csvtable.Table
	now     time.Time
	point   csvtable.Point // Owner, Name, Kind and Delta of the current metric
	dropped map[string]int64
}

func (b *batch) metric(m pmetric.Metric) {
	b.point.Name = m.Name()
	b.point.Delta = false
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		b.point.Kind = csvtable.Gauge
		b.numbers(m.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		b.point.Kind = csvtable.UpDownCounter
		if m.Sum().IsMonotonic() {
			b.point.Kind = csvtable.Counter
		}
		b.point.Delta = isDelta(m.Sum().AggregationTemporality())
		b.numbers(m.Sum().DataPoints())
	case pmetric.MetricTypeHistogram:
		b.point.Kind = csvtable.Histogram
		b.point.Delta = isDelta(m.Histogram().AggregationTemporality())
		for _, p := range m.Histogram().DataPoints().All() {
			b.histogram(p)
		}
	case pmetric.MetricTypeExponentialHistogram:
		b.point.Kind = csvtable.Histogram
		b.point.Delta = isDelta(m.ExponentialHistogram().AggregationTemporality())
		for _, p := range m.ExponentialHistogram().DataPoints().All() {
			b.exponential(p)
		}
	case pmetric.MetricTypeSummary:
		b.point.Kind = csvtable.Summary
		for _, p := range m.Summary().DataPoints().All() {
			b.summary(p)
		}
	}
}

func isDelta(temporality pmetric.AggregationTemporality) bool {
	return temporality == pmetric.AggregationTemporalityDelta
}

func (b *batch) numbers(points pmetric.NumberDataPointSlice) {
	for _, p := range points.All() {
		var value csvtable.Value
		switch p.ValueType() {
		case pmetric.NumberDataPointValueTypeInt:
			value = csvtable.Int(p.IntValue())
		case pmetric.NumberDataPointValueTypeDouble:
			value = csvtable.Double(p.DoubleValue())
		default:
			if !p.Flags().NoRecordedValue() {
				b.drop(reasonNoValue)
				continue
			}
		}
		b.observe(p, value)
	}
}

func (b *batch) histogram(p pmetric.HistogramDataPoint) {
	value := csvtable.Explicit{
		Stats:  stats(p.Count(), p),
		Bounds: p.ExplicitBounds().AsRaw(),
		Counts: p.BucketCounts().AsRaw(),
	}
	if !value.Valid() && !p.Flags().NoRecordedValue() {
		b.drop(reasonInvalid)
		return
	}
	b.observe(p, value)
}

func (b *batch) exponential(p pmetric.ExponentialHistogramDataPoint) {
	value := csvtable.Exponential{
		Stats:         stats(p.Count(), p),
		Scale:         p.Scale(),
		ZeroCount:     p.ZeroCount(),
		ZeroThreshold: p.ZeroThreshold(),
		Positive:      csvtable.Side{Offset: p.Positive().Offset(), Counts: p.Positive().BucketCounts().AsRaw()},
		Negative:      csvtable.Side{Offset: p.Negative().Offset(), Counts: p.Negative().BucketCounts().AsRaw()},
	}
	if !value.Valid() {
		b.drop(reasonInvalid)
		return
	}
	b.observe(p, value)
}

func (b *batch) summary(p pmetric.SummaryDataPoint) {
	value := csvtable.Quantiles{Stats: csvtable.Stats{Count: p.Count(), Sum: p.Sum(), Min: math.NaN(), Max: math.NaN()}}
	for _, q := range p.QuantileValues().All() {
		value.Points = append(value.Points, csvtable.Quantile{Q: q.Quantile(), Value: q.Value()})
	}
	b.observe(p, value)
}

// distributionPoint is implemented by both histogram points.
type distributionPoint interface {
	HasSum() bool
	Sum() float64
	HasMin() bool
	Min() float64
	HasMax() bool
	Max() float64
}

func stats(count uint64, p distributionPoint) csvtable.Stats {
	s := csvtable.Stats{Count: count, Sum: math.NaN(), Min: math.NaN(), Max: math.NaN()}
	if p.HasSum() {
		s.Sum = p.Sum()
	}
	if p.HasMin() {
		s.Min = p.Min()
	}
	if p.HasMax() {
		s.Max = p.Max()
	}
	return s
}

// dataPoint is implemented by all data points.
type dataPoint interface {
	Attributes() pcommon.Map
	Timestamp() pcommon.Timestamp
	Flags() pmetric.DataPointFlags
}

func (b *batch) observe(p dataPoint, value csvtable.Value) {
	b.reader.labels = sortedLabels(b.reader.labels[:0], p.Attributes())
	point := b.point
	point.Labels = b.reader.labels
	point.At = int64(p.Timestamp())
	point.Gone = p.Flags().NoRecordedValue()
	point.Value = value
	if outcome := b.table.Observe(point, b.now); outcome != csvtable.Kept {
		b.drop(string(outcome))
	}
}

func (b *batch) drop(reason string) {
	if b.dropped == nil {
		b.dropped = map[string]int64{}
	}
	b.dropped[reason]++
}
