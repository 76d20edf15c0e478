// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package promset

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/csvtable"
	"github.com/tasker-otel/otelcol-tasker/internal/csvtable/csvtext"
)

const (
	textType        = "text/plain; version=0.0.4; charset=utf-8"
	openMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8"
)

func parse(t require.TestingT, text, contentType string) []*dto.MetricFamily {
	families, err := Parse([]byte(text), contentType)
	require.NoError(t, err)
	return families
}

func textOf(t require.TestingT, families []*dto.MetricFamily) string {
	var out bytes.Buffer
	require.NoError(t, WriteText(&out, families))
	return out.String()
}

func openMetricsOf(t require.TestingT, families []*dto.MetricFamily) string {
	var out bytes.Buffer
	require.NoError(t, WriteOpenMetrics(&out, families))
	return out.String()
}

const sampleOpenMetrics = `# HELP target_info Target metadata
# TYPE target_info gauge
target_info{instance="a",job="shop"} 1.0
# HELP tasker_events Events as announced.
# TYPE tasker_events counter
tasker_events_total{event="task.completed",instance="a",empty=""} 3.0 # {trace_id="01"} 1.0 1700000000.0
tasker_events_created{event="task.completed",instance="a"} 1.7e+09
# HELP tasker_step_duration_seconds Time of one attempt.
# TYPE tasker_step_duration_seconds histogram
# UNIT tasker_step_duration_seconds seconds
tasker_step_duration_seconds_bucket{instance="a",le="1.0"} 1 # {trace_id="02"} 0.5
tasker_step_duration_seconds_bucket{instance="a",le="2.5"} 3
tasker_step_duration_seconds_bucket{instance="a",le="+Inf"} 4
tasker_step_duration_seconds_sum{instance="a"} 9.25
tasker_step_duration_seconds_count{instance="a"} 4
# TYPE tasker_build info
tasker_build_info{version="1"} 1
# TYPE wait summary
wait{quantile="0.5"} 2
wait_sum 10
wait_count 4
# EOF
`

const samplePlain = `# HELP tasker_build_info build
# TYPE tasker_build_info gauge
# HELP target_info Target metadata
# TYPE target_info gauge
target_info{job="shop"} 1
# HELP tasker_events_total Events as announced.
# TYPE tasker_events_total counter
tasker_events_total{event="task.completed"} 3
# HELP tasker_step_duration_seconds Time of one attempt.
# TYPE tasker_step_duration_seconds histogram
tasker_step_duration_seconds_bucket{le="1"} 1
tasker_step_duration_seconds_bucket{le="2.5"} 3
tasker_step_duration_seconds_bucket{le="+Inf"} 4
tasker_step_duration_seconds_sum 9.25
tasker_step_duration_seconds_count 4
# TYPE odd untyped
odd 7
`

func TestParseFormats(t *testing.T) {
	both := MergeOptions{DropLabels: []string{"instance"}, Rules: DefaultRules()}
	merged, warnings, err := Merge([]Source{
		{"a", parse(t, sampleOpenMetrics, openMetricsType)}, {"b", parse(t, samplePlain, textType)},
	}, both)
	require.NoError(t, err)
	assert.Empty(t, warnings)
	assert.Equal(t, `# TYPE odd untyped
odd 7
# HELP target_info Target metadata
# TYPE target_info gauge
target_info{job="shop"} 1
# TYPE tasker_build_info gauge
tasker_build_info{version="1"} 1
# HELP tasker_events_total Events as announced.
# TYPE tasker_events_total counter
tasker_events_total{event="task.completed"} 6
# HELP tasker_step_duration_seconds Time of one attempt.
# TYPE tasker_step_duration_seconds histogram
tasker_step_duration_seconds_bucket{le="1"} 2
tasker_step_duration_seconds_bucket{le="2.5"} 6
tasker_step_duration_seconds_bucket{le="+Inf"} 8
tasker_step_duration_seconds_sum 18.5
tasker_step_duration_seconds_count 8
# TYPE wait summary
wait{quantile="0.5"} 2
wait_sum 10
wait_count 4
`, textOf(t, merged))
	again := openMetricsOf(t, merged)
	assert.Contains(t, again, `tasker_events_total{event="task.completed"} 6.0 # {trace_id="01"} 1.0 1.7e+09`)
	assert.Contains(t, again, `le="1.0"} 2 # {trace_id="02"} 0.5`)
	assert.True(t, strings.HasSuffix(again, "# EOF\n"))
	assert.Equal(t, textOf(t, merged), textOf(t, parse(t, again, openMetricsType)), "what is written can be read")
}

// TestParseOddities checks that expositions of other programs are parsed unchanged, or as a valid set.
func TestParseOddities(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"le and quantile are labels like others elsewhere": {
			"# TYPE g gauge\ng{le=\"1\"} 3\ng{le=\"2\"} 4\nu{quantile=\"0.5\"} 1\nu{quantile=\"0.9\"} 2\n",
			"# TYPE g gauge\ng{le=\"1\"} 3\ng{le=\"2\"} 4\n# TYPE u untyped\nu{quantile=\"0.5\"} 1\nu{quantile=\"0.9\"} 2\n",
		},
		"a counter that is not called total": {"# TYPE c counter\nc 3\n", "# TYPE c counter\nc 3\n"},
		"a series twice": {
			"# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n" +
				"h_bucket{le=\"1\"} 4\nh_bucket{le=\"+Inf\"} 5\nh_sum 6\nh_count 5\n",
			"# TYPE h histogram\nh_bucket{le=\"1\"} 4\nh_bucket{le=\"+Inf\"} 5\nh_sum 6\nh_count 5\n",
		},
		"buckets and quantiles in any order": {
			"# TYPE h histogram\nh_bucket{le=\"+Inf\"} 2\nh_bucket{le=\"10\"} 2\nh_bucket{le=\"9\"} 1\nh_sum 3\nh_count 2\n" +
				"# TYPE s summary\ns{quantile=\"0.9\"} 2\ns{quantile=\"0.5\"} 1\ns_sum 3\ns_count 2\n",
			"# TYPE h histogram\nh_bucket{le=\"9\"} 1\nh_bucket{le=\"10\"} 2\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n" +
				"# TYPE s summary\ns{quantile=\"0.5\"} 1\ns{quantile=\"0.9\"} 2\ns_sum 3\ns_count 2\n",
		},
		"a histogram without a count": {
			"# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\n",
			"# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, textOf(t, parse(t, test.text, textType)))
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for name, test := range map[string]struct{ text, contentType, want string }{
		"page":               {"<html></html>", textType, "are unreadable"},
		"cut off":            {"a 1\n", openMetricsType, "are unreadable"},
		"broken count":       {"# TYPE h histogram\nh_count 1.5\n", textType, "h_count is 1.5: a count must be a whole number"},
		"vast count":         {"# TYPE h histogram\nh_count 1e300\n", textType, "h_count is 1e+300: a count must be a whole number"},
		"negative bucket":    {"# TYPE h histogram\nh_bucket{le=\"1\"} -1\n", textType, "h_bucket is -1"},
		"no bound":           {"# TYPE h histogram\nh_bucket 1\n", textType, "without a bound"},
		"bound that is none": {"# TYPE h histogram\nh_bucket{le=\"NaN\"} 1\n", textType, "without a bound"},
		"late type":          {"a 1\n# TYPE a counter\na 2\n", textType, "a has samples before its type"},
		"broken quantile":    {"# TYPE s summary\ns{quantile=\"x\"} 1\n", textType, "quantile"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(test.text), test.contentType)
			assert.ErrorContains(t, err, test.want)
		})
	}
}

func TestMergeRules(t *testing.T) {
	a := "# TYPE g gauge\ng 1\n# TYPE x_ratio gauge\nx_ratio 0.5\n# TYPE low gauge\nlow 4\n# TYPE gone gauge\ngone 1\n# TYPE t_timestamp_seconds gauge\nt_timestamp_seconds 5\n# TYPE old_age_seconds gauge\nold_age_seconds 7\n# TYPE u untyped\nu 1\n"
	b := "# TYPE g gauge\ng 2\n# TYPE x_ratio gauge\nx_ratio 1\n# TYPE low gauge\nlow 3\n# TYPE gone gauge\ngone 1\n# TYPE t_timestamp_seconds gauge\nt_timestamp_seconds 4\n# TYPE old_age_seconds gauge\nold_age_seconds 9\n# TYPE u untyped\nu 2\n"
	c := "# TYPE g gauge\ng 2\n# TYPE x_ratio gauge\nx_ratio 0\n# TYPE low gauge\nlow 5\n# TYPE u untyped\nu 3\n"
	merged, warnings, err := Merge([]Source{{"a", parse(t, a, textType)}, {"b", parse(t, b, textType)}, {"c", parse(t, c, textType)}},
		MergeOptions{Rules: append([]Rule{{"low", PolicyMin}, {"gone", PolicyDrop}, {"u", PolicyAvg}}, DefaultRules()...)})
	require.NoError(t, err)
	assert.Empty(t, warnings)
	got := textOf(t, merged)
	for _, line := range []string{"\ng 5\n", "\nx_ratio 0.5\n", "\nlow 3\n", "\nt_timestamp_seconds 5\n", "\nold_age_seconds 9\n", "\nu 2\n"} {
		assert.Contains(t, got, line)
	}
	assert.NotContains(t, got, "gone")
}

func TestMergeLosses(t *testing.T) {
	h := func(bounds ...string) string {
		text := "# TYPE h histogram\n"
		for i, bound := range bounds {
			text += fmt.Sprintf("h_bucket{le=%q} %d\n", bound, i+1)
		}
		return text + fmt.Sprintf("h_count %d\nh_sum 1\n# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_count 1\ns_sum 1\n", len(bounds))
	}
	for _, other := range []string{h("1", "+Inf"), h("1", "2", "4", "+Inf")} {
		_, warnings, err := Merge([]Source{{"a", parse(t, h("1", "2", "+Inf"), textType)}, {"b", parse(t, other, textType)}}, MergeOptions{})
		require.NoError(t, err)
		assert.Contains(t, warnings, "h: instances have different buckets, only the common ones were merged", "fewer or more")
	}
	merged, warnings, err := Merge([]Source{{"a", parse(t, h("1", "2", "+Inf"), textType)}, {"b", parse(t, h("2", "4", "+Inf"), textType)}}, MergeOptions{})
	require.NoError(t, err)
	assert.Equal(t, []string{
		"h: instances have different buckets, only the common ones were merged",
		"s: quantiles of several instances cannot be merged and were dropped",
	}, warnings)
	got := textOf(t, merged)
	assert.Contains(t, got, "h_bucket{le=\"2\"} 3\n", "at a common bound the counts up to it are known")
	assert.NotContains(t, got, `le="1"`)
	assert.NotContains(t, got, `le="4"`)
	assert.Contains(t, got, "h_count 6\n")
	assert.Contains(t, got, "s_count 2\n")
	assert.NotContains(t, got, "quantile")

	_, _, err = Merge([]Source{{"here", parse(t, "# TYPE m gauge\nm 1\n", textType)}, {"there", parse(t, "# TYPE m untyped\nm 1\n", textType)}}, MergeOptions{})
	assert.ErrorContains(t, err, "m is a gauge at here and a untyped at there")
}

func TestSlowestExemplarStays(t *testing.T) {
	with := func(trace string, value float64) string {
		return fmt.Sprintf("# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1 # {trace_id=%q} %v\nh_count 1\nh_sum 1\n# EOF\n", trace, value)
	}
	for _, order := range [][]string{{with("slow", 9), with("fast", 1)}, {with("fast", 1), with("slow", 9)}} {
		merged, _, err := Merge([]Source{{"a", parse(t, order[0], openMetricsType)}, {"b", parse(t, order[1], openMetricsType)}}, MergeOptions{})
		require.NoError(t, err)
		assert.Contains(t, openMetricsOf(t, merged), `# {trace_id="slow"} 9.0`)
	}
}

func TestParseRule(t *testing.T) {
	rule, err := ParseRule("--gauge", "*_ratio = avg")
	require.NoError(t, err)
	assert.Equal(t, Rule{"*_ratio", PolicyAvg}, rule)
	for _, bad := range []string{"", "x", "=sum", "x=median", "[=sum"} {
		_, err := ParseRule("--gauge", bad)
		assert.Error(t, err, bad)
	}
}

// instances returns sets as exposed by several collectors, each with the label of its instance.
func instances(t *rapid.T) []Source {
	bounds := []float64{0.1, 1, 10, math.Inf(1)}
	values := []string{"a", "b\"\\\n", "ü"}
	var sources []Source
	for i := range rapid.IntRange(1, 4).Draw(t, "instances") {
		counter := &dto.MetricFamily{Name: new("c_total"), Type: dto.MetricType_COUNTER.Enum()}
		histogram := &dto.MetricFamily{Name: new("h"), Type: dto.MetricType_HISTOGRAM.Enum()}
		for _, value := range values[:rapid.IntRange(1, len(values)).Draw(t, "series")] {
			labels := []*dto.LabelPair{
				{Name: new("instance"), Value: new(fmt.Sprint(i))}, {Name: new("l"), Value: new(value)},
			}
			n := rapid.Uint32().Draw(t, "value")
			counter.Metric = append(counter.Metric, &dto.Metric{Label: labels, Counter: &dto.Counter{Value: new(float64(n))}})
			h := &dto.Histogram{SampleSum: new(float64(n) / 4)}
			upTo := uint64(0)
			for _, bound := range bounds {
				upTo += uint64(rapid.Uint16().Draw(t, "bucket"))
				h.Bucket = append(h.Bucket, &dto.Bucket{UpperBound: new(bound), CumulativeCount: new(upTo)})
			}
			h.SampleCount = new(upTo)
			histogram.Metric = append(histogram.Metric, &dto.Metric{Label: labels, Histogram: h})
		}
		sources = append(sources, Source{fmt.Sprint(i), []*dto.MetricFamily{counter, histogram}})
	}
	return sources
}

// TestMergeProperties checks all sums, in both formats, and that the result depends neither on the order of the instances
// nor on merging in steps.
func TestMergeProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sources := instances(t)
		options := MergeOptions{DropLabels: []string{"instance"}}
		merged, warnings, err := Merge(sources, options)
		require.NoError(t, err)
		require.Empty(t, warnings)
		total := map[string]float64{}
		for _, source := range sources {
			for _, f := range source.Families {
				for _, m := range f.Metric {
					key := f.GetName() + m.Label[1].GetValue()
					total[key] += m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
					for _, b := range m.GetHistogram().GetBucket() {
						total[fmt.Sprint(key, b.GetUpperBound())] += float64(b.GetCumulativeCount())
					}
				}
			}
		}
		want := textOf(t, merged)
		for _, again := range [][]*dto.MetricFamily{
			parse(t, want, textType), parse(t, openMetricsOf(t, merged), openMetricsType),
		} {
			got := map[string]float64{}
			for _, f := range again {
				for _, m := range f.Metric {
					key := f.GetName() + m.Label[0].GetValue()
					got[key] += m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
					for _, b := range m.GetHistogram().GetBucket() {
						got[fmt.Sprint(key, b.GetUpperBound())] += float64(b.GetCumulativeCount())
					}
				}
			}
			require.Equal(t, total, got)
		}
		shuffled := rapid.Permutation(sources).Draw(t, "order")
		other, _, err := Merge(shuffled, options)
		require.NoError(t, err)
		require.Equal(t, want, textOf(t, other))
		first, _, err := Merge(sources[:1], options)
		require.NoError(t, err)
		stepwise, _, err := Merge(append([]Source{{"first", first}}, sources[1:]...), options)
		require.NoError(t, err)
		require.Equal(t, want, textOf(t, stepwise))
	})
}

func TestWriteJSON(t *testing.T) {
	families := append(parse(t, sampleOpenMetrics, openMetricsType), parse(t, "# TYPE z gauge\nz NaN\n", textType)...)
	var out bytes.Buffer
	require.NoError(t, WriteJSON(&out, families, time.Unix(1, 0)))
	var got struct {
		At      string `json:"exported_at"`
		Metrics []struct {
			Name   string
			Type   string
			Series []map[string]any
		}
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	assert.Equal(t, "1970-01-01T00:00:01Z", got.At)
	byName := map[string]map[string]any{}
	for _, metric := range got.Metrics {
		byName[metric.Type+" "+metric.Name] = metric.Series[0]
	}
	assert.Equal(t, 3.0, byName["counter tasker_events_total"]["value"])
	assert.Equal(t, map[string]any{"labels": map[string]any{"trace_id": "01"}, "value": 1.0, "timestamp": "2023-11-14T22:13:20Z"},
		byName["counter tasker_events_total"]["exemplar"])
	h := byName["histogram tasker_step_duration_seconds"]
	assert.Equal(t, 4.0, h["count"])
	assert.Equal(t, map[string]any{"le": "+Inf", "count": 4.0}, h["buckets"].([]any)[2])
	assert.Equal(t, "NaN", byName["gauge z"]["value"])
	assert.Equal(t, []any{map[string]any{"quantile": 0.5, "value": 2.0}}, byName["summary wait"]["quantiles"])
}

func TestWriteCSV(t *testing.T) {
	var out bytes.Buffer
	layout := csvtable.Layout{Mode: csvtable.ModeBuckets, Style: csvtext.Style{Time: csvtext.TimeUnix, Guard: true}, Delimiter: ','}
	require.NoError(t, WriteCSV(&out, parse(t, sampleOpenMetrics, openMetricsType), time.Unix(7, 0), layout))
	rows, err := csv.NewReader(&out).ReadAll()
	require.NoError(t, err)
	assert.Equal(t, []string{"timestamp", "name", "type", "value", "le", "quantile", "event", "instance", "job", "version"}, rows[0])
	assert.Contains(t, rows, []string{"7", "tasker_events_total", "counter", "3", "", "", "task.completed", "a", "", ""})
	assert.Contains(t, rows, []string{"7", "tasker_step_duration_seconds_bucket", "histogram", "3", "2.5", "", "", "a", "", ""})
	assert.Contains(t, rows, []string{"7", "tasker_step_duration_seconds_bucket", "histogram", "4", "+Inf", "", "", "a", "", ""})
	assert.Contains(t, rows, []string{"7", "tasker_step_duration_seconds_sum", "histogram", "9.25", "", "", "", "a", "", ""})
}

// TestCountsThatFall checks that decreasing cumulative buckets do not cause a negative count, which would become a huge
// unsigned one.
func TestCountsThatFall(t *testing.T) {
	text := "# TYPE h histogram\nh_bucket{le=\"1\"} 3\nh_bucket{le=\"2\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 1\nh_count 2\n"
	got := explicit(parse(t, text, textType)[0].Metric[0].Histogram)
	assert.Equal(t, []uint64{3, 0, 0}, got.Counts)
}

// FuzzParse checks that the parser ends on any input, and that its output can be merged, written and parsed again.
func FuzzParse(f *testing.F) {
	f.Add([]byte(sampleOpenMetrics), true)
	f.Add([]byte(samplePlain), false)
	f.Add([]byte("# TYPE a counter\na 1\na_total 2\n"), false)
	f.Add([]byte("# TYPE a_info info\na_info_info{a=\"\"} 1\n# EOF\n"), true)
	f.Add([]byte("a 1\n# TYPE a counter\n"), false)
	f.Add([]byte("# TYPE a histogram\na_bucket{le=\"1\"} 2 # {b=\"c\"} 1\na_bucket{le=\"1\"} 2\n# EOF\n"), true)
	f.Fuzz(func(t *testing.T, body []byte, open bool) {
		contentType := textType
		if open {
			contentType = openMetricsType
		}
		families, err := Parse(body, contentType)
		if err != nil {
			return
		}
		merged, _, err := Merge([]Source{{"a", families}, {"b", families}}, MergeOptions{DropLabels: []string{"instance"}, Rules: DefaultRules()})
		if err != nil {
			return // the same name with two types
		}
		var out bytes.Buffer
		if WriteText(&out, merged) != nil {
			return
		}
		again, err := Parse(out.Bytes(), textType)
		require.NoError(t, err)
		require.Equal(t, Series(merged), Series(again))
		_ = WriteJSON(&bytes.Buffer{}, merged, time.Time{})
		layout := csvtable.Layout{Mode: csvtable.ModeSummary, Quantiles: []float64{0.5}, Delimiter: ','}
		require.NoError(t, WriteCSV(&bytes.Buffer{}, merged, time.Unix(1, 0), layout))
	})
}
