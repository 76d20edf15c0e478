// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package promset

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Accept is the Accept header for a scrape. OpenMetrics is preferred because it has exemplars.
const Accept = "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"

// plainText is the content type of bodies without one, or with another text type.
const plainText = "text/plain"

// Parse parses the body of a response. It ignores timestamps of samples.
func Parse(body []byte, contentType string) (families []*dto.MetricFamily, err error) {
	defer func() {
		// The input is untrusted: a panic in the parser must not end an export.
		if p := recover(); p != nil {
			families, err = nil, fmt.Errorf("the metrics are unreadable: %v", p)
		}
	}()
	source, err := textparse.New(body, contentType, labels.NewSymbolTable(), textparse.ParserOptions{
		FallbackContentType: plainText, OpenMetricsSkipSTSeries: true,
	})
	if source == nil {
		return nil, fmt.Errorf("answered with content type %q, which is not a metrics format: %w", contentType, err)
	}
	p := parser{source: source, families: map[string]*family{}}
	for {
		entry, err := source.Next()
		if errors.Is(err, io.EOF) {
			return p.finish(), nil
		}
		if err != nil {
			return nil, fmt.Errorf("the metrics are unreadable: %w", err)
		}
		if err := p.entry(entry); err != nil {
			return nil, err
		}
	}
}

// parser collects the families of an exposition.
type parser struct {
	source   textparse.Parser
	families map[string]*family // by the name in TYPE and HELP
	labels   labels.Labels
}

// family is a metric being parsed.
type family struct {
	name, help, unit string
	kind             model.MetricType
	total            bool // samples are named name_total, unlike the family: OpenMetrics
	series           map[string]*dto.Metric
}

func (p *parser) entry(entry textparse.Entry) error {
	switch entry {
	case textparse.EntryType:
		name, kind := p.source.Type()
		f := p.family(string(name))
		if len(f.series) > 0 && f.kind != kind {
			return fmt.Errorf("%s has samples before its type: one was read as a %s, but the type is %s", name, f.kind, kind)
		}
		f.kind = kind
	case textparse.EntryHelp:
		name, help := p.source.Help()
		p.family(string(name)).help = string(help)
	case textparse.EntryUnit:
		name, unit := p.source.Unit()
		p.family(string(name)).unit = string(unit)
	case textparse.EntrySeries:
		return p.sample()
	case textparse.EntryHistogram:
		return errors.New("native histograms are not supported: configure the endpoint to expose buckets")
	}
	return nil
}

func (p *parser) family(name string) *family {
	f, known := p.families[name]
	if !known {
		f = &family{name: name, kind: model.MetricTypeUnknown, series: map[string]*dto.Metric{}}
		p.families[name] = f
	}
	return f
}

// suffixes of sample names, with the types of families that have them.
var suffixes = []struct {
	suffix string
	kinds  []model.MetricType
}{
	{"_total", []model.MetricType{model.MetricTypeCounter}},
	{"_bucket", []model.MetricType{model.MetricTypeHistogram, model.MetricTypeGaugeHistogram}},
	{"_count", []model.MetricType{model.MetricTypeHistogram, model.MetricTypeSummary}},
	{"_sum", []model.MetricType{model.MetricTypeHistogram, model.MetricTypeSummary}},
	{"_gcount", []model.MetricType{model.MetricTypeGaugeHistogram}},
	{"_gsum", []model.MetricType{model.MetricTypeGaugeHistogram}},
	{"_info", []model.MetricType{model.MetricTypeInfo}},
}

// familyOf returns the family of a sample, and the suffix of its name.
func (p *parser) familyOf(sample string) (f *family, suffix string) {
	for _, s := range suffixes {
		base, found := strings.CutSuffix(sample, s.suffix)
		if !found {
			continue
		}
		if f, known := p.families[base]; known && slices.Contains(s.kinds, f.kind) {
			return f, s.suffix
		}
	}
	return p.family(sample), ""
}

func (p *parser) sample() error {
	p.source.Labels(&p.labels)
	name := p.labels.Get(model.MetricNameLabel)
	_, _, value := p.source.Series()
	f, suffix := p.familyOf(name)
	f.total = f.total || suffix == "_total"
	key, pairs, special := seriesLabels(p.labels, f.pointLabel())
	m, known := f.series[key]
	if !known {
		m = &dto.Metric{Label: pairs}
		f.series[key] = m
	}
	switch f.kind {
	case model.MetricTypeCounter:
		m.Counter = &dto.Counter{Value: &value, Exemplar: p.exemplar()}
	case model.MetricTypeHistogram, model.MetricTypeGaugeHistogram:
		return p.histogram(m, name, suffix, special, value)
	case model.MetricTypeSummary:
		return summary(m, name, suffix, special, value)
	case model.MetricTypeUnknown:
		m.Untyped = &dto.Untyped{Value: &value}
	default: // gauges; Prometheus treats infos and state sets as gauges
		m.Gauge = &dto.Gauge{Value: &value}
	}
	return nil
}

func (p *parser) histogram(m *dto.Metric, name, suffix, le string, value float64) error {
	if m.Histogram == nil {
		m.Histogram = &dto.Histogram{}
	}
	if strings.HasSuffix(suffix, "sum") {
		m.Histogram.SampleSum = &value
		return nil
	}
	count, err := wholeNumber(name, value)
	if err != nil {
		return err
	}
	switch suffix {
	case "_count", "_gcount":
		m.Histogram.SampleCount = &count
	case "_bucket":
		var bound model.SampleValue
		if err := bound.UnmarshalJSON([]byte(`"` + le + `"`)); err != nil || math.IsNaN(float64(bound)) {
			return fmt.Errorf("%s has a bucket without a bound: le=%q", name, le)
		}
		m.Histogram.Bucket = append(m.Histogram.Bucket, &dto.Bucket{
			UpperBound: new(float64(bound)), CumulativeCount: &count, Exemplar: p.exemplar(),
		})
	}
	return nil
}

func summary(m *dto.Metric, name, suffix, quantile string, value float64) error {
	if m.Summary == nil {
		m.Summary = &dto.Summary{}
	}
	switch suffix {
	case "_sum":
		m.Summary.SampleSum = &value
	case "_count":
		count, err := wholeNumber(name, value)
		if err != nil {
			return err
		}
		m.Summary.SampleCount = &count
	default:
		var q model.SampleValue
		if err := q.UnmarshalJSON([]byte(`"` + quantile + `"`)); err != nil {
			return fmt.Errorf("%s has an invalid quantile: quantile=%q", name, quantile)
		}
		m.Summary.Quantile = append(m.Summary.Quantile, &dto.Quantile{Quantile: new(float64(q)), Value: &value})
	}
	return nil
}

// wholeNumber converts a count. Beyond 2^53 a float64 cannot represent every integer.
func wholeNumber(name string, value float64) (uint64, error) {
	const most = 1 << 53
	if value < 0 || value > most || value != math.Trunc(value) {
		return 0, fmt.Errorf("%s is %v: a count must be a whole number", name, value)
	}
	return uint64(value), nil
}

func (p *parser) exemplar() *dto.Exemplar {
	var e exemplar.Exemplar
	if !p.source.Exemplar(&e) {
		return nil
	}
	_, pairs, _ := seriesLabels(e.Labels, "")
	out := &dto.Exemplar{Label: pairs, Value: &e.Value}
	if e.HasTs {
		out.Timestamp = timestamppb.New(time.UnixMilli(e.Ts))
	}
	return out
}

// pointLabel returns the label that distinguishes the points of a series (le or quantile); empty for types whose series
// have one point, for which it is an ordinary label.
func (f *family) pointLabel() string {
	switch f.kind {
	case model.MetricTypeHistogram, model.MetricTypeGaugeHistogram:
		return model.BucketLabel
	case model.MetricTypeSummary:
		return model.QuantileLabel
	}
	return ""
}

// seriesLabels returns the labels that identify a series, as a key and as pairs, and the value of pointLabel.
func seriesLabels(from labels.Labels, pointLabel string) (key string, pairs []*dto.LabelPair, special string) {
	from.Range(func(l labels.Label) {
		switch {
		case l.Name == model.MetricNameLabel || l.Value == "":
		case l.Name == pointLabel:
			special = strings.Clone(l.Value)
		default:
			pairs = append(pairs, &dto.LabelPair{Name: new(strings.Clone(l.Name)), Value: new(strings.Clone(l.Value))})
		}
	})
	return keyOf(pairs), pairs, special
}

// keyOf returns the identity of a series in its family. Labels must be sorted.
func keyOf(pairs []*dto.LabelPair) string {
	var key strings.Builder
	for _, pair := range pairs {
		// Neither byte occurs in valid UTF-8.
		key.WriteString(pair.GetName() + "\xfe" + pair.GetValue() + "\xff")
	}
	return key.String()
}

// finish sorts the families.
func (p *parser) finish() []*dto.MetricFamily {
	var families []*dto.MetricFamily
	for _, f := range p.families {
		if len(f.series) > 0 {
			families = append(families, f.finish())
		}
	}
	sortFamilies(families)
	return families
}

func (f *family) finish() *dto.MetricFamily {
	out := &dto.MetricFamily{Name: &f.name, Type: dto.MetricType_GAUGE.Enum()}
	if f.help != "" {
		out.Help = &f.help
	}
	if f.unit != "" {
		out.Unit = &f.unit
	}
	switch f.kind {
	case model.MetricTypeCounter:
		out.Type = dto.MetricType_COUNTER.Enum()
		if f.total {
			f.name += "_total"
		}
	case model.MetricTypeHistogram, model.MetricTypeGaugeHistogram:
		out.Type = dto.MetricType_HISTOGRAM.Enum()
	case model.MetricTypeSummary:
		out.Type = dto.MetricType_SUMMARY.Enum()
	case model.MetricTypeUnknown:
		out.Type = dto.MetricType_UNTYPED.Enum()
	case model.MetricTypeInfo:
		f.name += "_info"
	}
	for _, key := range slices.Sorted(maps.Keys(f.series)) {
		m := f.series[key]
		if h := m.Histogram; h != nil {
			h.Bucket = sortedLast(h.Bucket, (*dto.Bucket).GetUpperBound)
			if last := len(h.Bucket) - 1; h.SampleCount == nil && last >= 0 && math.IsInf(h.Bucket[last].GetUpperBound(), 1) {
				h.SampleCount = h.Bucket[last].CumulativeCount
			}
		}
		if m.Summary != nil {
			m.Summary.Quantile = sortedLast(m.Summary.Quantile, (*dto.Quantile).GetQuantile)
		}
		out.Metric = append(out.Metric, m)
	}
	return out
}

// sortedLast sorts points and keeps the last one of duplicates, as for series of one point.
func sortedLast[T any](points []T, by func(T) float64) []T {
	slices.SortStableFunc(points, func(a, b T) int { return cmp.Compare(by(a), by(b)) })
	kept := points[:0]
	for i, point := range points {
		if i+1 < len(points) && by(points[i+1]) == by(point) {
			continue
		}
		kept = append(kept, point)
	}
	return kept
}

func sortFamilies(families []*dto.MetricFamily) {
	slices.SortFunc(families, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
}

// Series returns the number of series of the families.
func Series(families []*dto.MetricFamily) int {
	n := 0
	for _, f := range families {
		n += len(f.Metric)
	}
	return n
}
