// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package promset

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// Source is the metrics of an endpoint.
type Source struct {
	// Name is for messages.
	Name     string
	Families []*dto.MetricFamily
}

// MergeOptions configure Merge.
type MergeOptions struct {
	// DropLabels are removed from every series, such as those that identify instances.
	DropLabels []string
	// Rules for gauges; the first match applies.
	Rules []Rule
}

// Merge merges several sets. It adds counters and histograms, applies the rules to gauges, and merges series that are equal
// after dropping labels, also within a source. The warnings report lost data; the error reports a metric with two types.
func Merge(sources []Source, options MergeOptions) (merged []*dto.MetricFamily, warnings []string, err error) {
	m := merger{options: options, families: map[string]*mergedFamily{}}
	for _, source := range sources {
		for _, f := range source.Families {
			if err := m.add(source.Name, f); err != nil {
				return nil, nil, err
			}
		}
	}
	for _, f := range m.families {
		merged = append(merged, m.finish(f))
	}
	sortFamilies(merged)
	slices.Sort(m.warnings)
	return merged, slices.Compact(m.warnings), nil
}

type merger struct {
	options  MergeOptions
	families map[string]*mergedFamily
	warnings []string
}

type mergedFamily struct {
	source  string // the first that has it
	family  *dto.MetricFamily
	policy  Policy
	series  map[string]*dto.Metric
	members map[string]int // number of merged gauges by series, for the average
}

func (m *merger) add(source string, from *dto.MetricFamily) error {
	policy := policyOf(from.GetName(), m.options.Rules)
	isGauge := from.GetType() == dto.MetricType_GAUGE || from.GetType() == dto.MetricType_UNTYPED
	if isGauge && policy == PolicyDrop {
		return nil
	}
	to, known := m.families[from.GetName()]
	if !known {
		to = &mergedFamily{
			source: source,
			family: &dto.MetricFamily{Name: from.Name, Help: from.Help, Unit: from.Unit, Type: from.Type},
			policy: policy,
			series: map[string]*dto.Metric{}, members: map[string]int{},
		}
		m.families[from.GetName()] = to
	}
	if to.family.GetType() != from.GetType() {
		return fmt.Errorf("%s is a %s at %s and a %s at %s: check that the instances run the same version",
			from.GetName(), typeName(to.family), to.source, typeName(from), source)
	}
	for _, series := range from.Metric {
		m.addSeries(to, series)
	}
	return nil
}

func (m *merger) addSeries(to *mergedFamily, from *dto.Metric) {
	labels := slices.DeleteFunc(slices.Clone(from.Label), func(pair *dto.LabelPair) bool {
		return slices.Contains(m.options.DropLabels, pair.GetName())
	})
	key := keyOf(labels)
	to.members[key]++
	total, known := to.series[key]
	if !known {
		total = proto.CloneOf(from)
		total.Label = labels
		to.series[key] = total
		return
	}
	switch to.family.GetType() {
	case dto.MetricType_COUNTER:
		total.Counter.Value = new(total.GetCounter().GetValue() + from.GetCounter().GetValue())
		total.Counter.Exemplar = greaterExemplar(total.Counter.Exemplar, from.GetCounter().GetExemplar())
	case dto.MetricType_HISTOGRAM:
		if !addHistogram(total.Histogram, from.Histogram) {
			m.warn("%s: instances have different buckets, only the common ones were merged", to.family.GetName())
		}
	case dto.MetricType_SUMMARY:
		addSummary(total.Summary, from.Summary)
		m.warn("%s: quantiles of several instances cannot be merged and were dropped", to.family.GetName())
	case dto.MetricType_UNTYPED:
		total.Untyped.Value = new(to.policy.combine(total.GetUntyped().GetValue(), from.GetUntyped().GetValue()))
	default:
		total.Gauge.Value = new(to.policy.combine(total.GetGauge().GetValue(), from.GetGauge().GetValue()))
	}
}

func (m *merger) warn(format string, args ...any) {
	m.warnings = append(m.warnings, fmt.Sprintf(format, args...))
}

// combine merges a value with the total so far; finish divides by the number of members for the average.
func (p Policy) combine(total, value float64) float64 {
	switch p {
	case PolicyMax:
		return math.Max(total, value)
	case PolicyMin:
		return math.Min(total, value)
	}
	return total + value
}

// addHistogram adds at the bounds that both have, because cumulative counts cannot be added elsewhere. It returns false if
// it dropped bounds.
func addHistogram(total, from *dto.Histogram) (complete bool) {
	total.SampleCount = new(total.GetSampleCount() + from.GetSampleCount())
	total.SampleSum = new(total.GetSampleSum() + from.GetSampleSum())
	others := map[float64]*dto.Bucket{}
	for _, bucket := range from.Bucket {
		others[bucket.GetUpperBound()] = bucket
	}
	var common []*dto.Bucket
	for _, bucket := range total.Bucket {
		other, found := others[bucket.GetUpperBound()]
		if !found {
			continue
		}
		bucket.CumulativeCount = new(bucket.GetCumulativeCount() + other.GetCumulativeCount())
		bucket.Exemplar = greaterExemplar(bucket.Exemplar, other.Exemplar)
		common = append(common, bucket)
	}
	complete = len(common) == len(total.Bucket) && len(common) == len(from.Bucket)
	total.Bucket = common
	return complete
}

func addSummary(total, from *dto.Summary) {
	total.SampleCount = new(total.GetSampleCount() + from.GetSampleCount())
	total.SampleSum = new(total.GetSampleSum() + from.GetSampleSum())
	total.Quantile = nil
}

// greaterExemplar returns the exemplar with the greater value, or the later of two equal ones, to keep outliers.
func greaterExemplar(a, b *dto.Exemplar) *dto.Exemplar {
	if a == nil || b == nil {
		return cmp.Or(a, b)
	}
	if order := cmp.Or(cmp.Compare(a.GetValue(), b.GetValue()), a.GetTimestamp().AsTime().Compare(b.GetTimestamp().AsTime())); order < 0 {
		return b
	}
	return a
}

func (m *merger) finish(f *mergedFamily) *dto.MetricFamily {
	for _, key := range slices.Sorted(maps.Keys(f.series)) {
		series := f.series[key]
		if f.policy == PolicyAvg && series.Gauge != nil {
			series.Gauge.Value = new(series.GetGauge().GetValue() / float64(f.members[key]))
		}
		if f.policy == PolicyAvg && series.Untyped != nil {
			series.Untyped.Value = new(series.GetUntyped().GetValue() / float64(f.members[key]))
		}
		f.family.Metric = append(f.family.Metric, series)
	}
	return f.family
}

// typeName returns a family's type in the text format.
func typeName(f *dto.MetricFamily) string { return strings.ToLower(f.GetType().String()) }
