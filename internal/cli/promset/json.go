// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package promset

import (
	"encoding/json"
	"io"
	"math"
	"strconv"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// document is the JSON form of a set. Numbers without a JSON form are the strings "NaN", "+Inf" and "-Inf".
type document struct {
	ExportedAt time.Time    `json:"exported_at"`
	Metrics    []jsonMetric `json:"metrics"`
}

type jsonMetric struct {
	Name   string       `json:"name"`
	Type   string       `json:"type"`
	Help   string       `json:"help,omitempty"`
	Series []jsonSeries `json:"series"`
}

type jsonSeries struct {
	Labels map[string]string `json:"labels"`
	// Value of a counter, a gauge or an untyped metric.
	Value *number `json:"value,omitempty"`
	// Count and the following are of histograms and summaries.
	Count     *uint64        `json:"count,omitempty"`
	Sum       *number        `json:"sum,omitempty"`
	Buckets   []jsonBucket   `json:"buckets,omitempty"`
	Quantiles []jsonQuantile `json:"quantiles,omitempty"`
	Exemplar  *jsonExemplar  `json:"exemplar,omitempty"`
}

// jsonBucket is a cumulative bucket.
type jsonBucket struct {
	UpTo     number        `json:"le"`
	Count    uint64        `json:"count"`
	Exemplar *jsonExemplar `json:"exemplar,omitempty"`
}

type jsonQuantile struct {
	Quantile number `json:"quantile"`
	Value    number `json:"value"`
}

type jsonExemplar struct {
	Labels map[string]string `json:"labels"`
	Value  number            `json:"value"`
	At     *time.Time        `json:"timestamp,omitempty"`
}

// number is a float with a JSON form for all values.
type number float64

// MarshalJSON implements [json.Marshaler].
func (n number) MarshalJSON() ([]byte, error) {
	if v := float64(n); math.IsNaN(v) || math.IsInf(v, 0) {
		return json.Marshal(strconv.FormatFloat(v, 'f', -1, 64))
	}
	return json.Marshal(float64(n))
}

// WriteJSON writes one JSON object.
func WriteJSON(w io.Writer, families []*dto.MetricFamily, at time.Time) error {
	out := document{ExportedAt: at.UTC(), Metrics: []jsonMetric{}}
	for _, f := range families {
		metric := jsonMetric{Name: f.GetName(), Type: typeName(f), Help: f.GetHelp()}
		for _, series := range f.Metric {
			metric.Series = append(metric.Series, seriesJSON(series))
		}
		out.Metrics = append(out.Metrics, metric)
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(out)
}

func seriesJSON(m *dto.Metric) jsonSeries {
	out := jsonSeries{Labels: labelMap(m.Label)}
	switch {
	case m.Histogram != nil:
		out.Count, out.Sum = m.Histogram.SampleCount, numberOf(m.Histogram.SampleSum)
		for _, b := range m.Histogram.Bucket {
			out.Buckets = append(out.Buckets, jsonBucket{number(b.GetUpperBound()), b.GetCumulativeCount(), exemplarJSON(b.Exemplar)})
		}
	case m.Summary != nil:
		out.Count, out.Sum = m.Summary.SampleCount, numberOf(m.Summary.SampleSum)
		for _, q := range m.Summary.Quantile {
			out.Quantiles = append(out.Quantiles, jsonQuantile{number(q.GetQuantile()), number(q.GetValue())})
		}
	case m.Counter != nil:
		out.Value, out.Exemplar = numberOf(m.Counter.Value), exemplarJSON(m.Counter.Exemplar)
	case m.Untyped != nil:
		out.Value = numberOf(m.Untyped.Value)
	default:
		out.Value = numberOf(m.GetGauge().Value)
	}
	return out
}

func numberOf(v *float64) *number {
	if v == nil {
		return nil
	}
	n := number(*v)
	return &n
}

func exemplarJSON(e *dto.Exemplar) *jsonExemplar {
	if e == nil {
		return nil
	}
	out := &jsonExemplar{Labels: labelMap(e.Label), Value: number(e.GetValue())}
	if e.Timestamp != nil {
		at := e.Timestamp.AsTime()
		out.At = &at
	}
	return out
}

func labelMap(pairs []*dto.LabelPair) map[string]string {
	out := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		out[pair.GetName()] = pair.GetValue()
	}
	return out
}
