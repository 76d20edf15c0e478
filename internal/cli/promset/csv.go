// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package promset

import (
	"io"
	"math"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/tasker-otel/otelcol-tasker/internal/csvtable"
)

// WriteCSV writes the table of the exporter tasker_csv, with Prometheus names.
func WriteCSV(w io.Writer, families []*dto.MetricFamily, at time.Time, layout csvtable.Layout) error {
	table := csvtable.New(layout, csvtable.Limits{Series: math.MaxInt, Bytes: math.MaxInt, Columns: math.MaxInt})
	owner := csvtable.NewOwner("", nil)
	for _, f := range families {
		for _, series := range f.Metric {
			kind, value := tableValue(series)
			table.Observe(csvtable.Point{
				Owner: owner, Name: f.GetName(), Kind: kind, Labels: tableLabels(series.Label), At: at.UnixNano(), Value: value,
			}, at)
		}
	}
	_, err := table.WriteCSV(w)
	return err
}

func tableLabels(pairs []*dto.LabelPair) []csvtable.Label {
	labels := make([]csvtable.Label, len(pairs))
	for i, pair := range pairs {
		labels[i] = csvtable.Label{Key: pair.GetName(), Value: pair.GetValue()}
	}
	return labels
}

func tableValue(m *dto.Metric) (csvtable.Kind, csvtable.Value) {
	switch {
	case m.Histogram != nil:
		return csvtable.Histogram, explicit(m.Histogram)
	case m.Summary != nil:
		value := csvtable.Quantiles{Stats: statsOf(m.Summary.GetSampleCount(), m.Summary.SampleSum)}
		for _, q := range m.Summary.Quantile {
			value.Points = append(value.Points, csvtable.Quantile{Q: q.GetQuantile(), Value: q.GetValue()})
		}
		return csvtable.Summary, value
	case m.Counter != nil:
		return csvtable.Counter, csvtable.Double(m.Counter.GetValue())
	case m.Untyped != nil:
		return csvtable.Gauge, csvtable.Double(m.Untyped.GetValue())
	}
	return csvtable.Gauge, csvtable.Double(m.GetGauge().GetValue())
}

func statsOf(count uint64, sum *float64) csvtable.Stats {
	stats := csvtable.Stats{Count: count, Sum: math.NaN(), Min: math.NaN(), Max: math.NaN()}
	if sum != nil {
		stats.Sum = *sum
	}
	return stats
}

// explicit converts cumulative buckets to counts.
func explicit(h *dto.Histogram) csvtable.Explicit {
	out := csvtable.Explicit{Stats: statsOf(h.GetSampleCount(), h.SampleSum)}
	below := uint64(0)
	for _, b := range h.Bucket {
		if math.IsInf(b.GetUpperBound(), 1) {
			break
		}
		upTo := max(below, b.GetCumulativeCount())
		out.Bounds = append(out.Bounds, b.GetUpperBound())
		out.Counts = append(out.Counts, upTo-below)
		below = upTo
	}
	if len(out.Bounds) > 0 {
		out.Counts = append(out.Counts, max(below, h.GetSampleCount())-below)
	}
	return out
}
