// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/stretchr/testify/require"
)

// The two formats that Prometheus requests.
const (
	plainText   = "text/plain;version=0.0.4"
	openMetrics = "application/openmetrics-text;version=1.0.0;charset=utf-8"
)

// sample is a line of a scrape.
type sample struct {
	name   string
	labels map[string]string
	value  float64
	// trace is the trace ID of the line's exemplar, if any.
	trace string
}

func (c *collector) scrapeText(accept string) (body []byte, contentType string) {
	c.tb.Helper()
	request, err := http.NewRequest(http.MethodGet, "http://"+c.scrape+"/metrics", nil)
	require.NoError(c.tb, err)
	request.Header.Set("Accept", accept)
	response, err := http.DefaultClient.Do(request)
	require.NoError(c.tb, err)
	defer response.Body.Close()
	require.Equal(c.tb, http.StatusOK, response.StatusCode)
	body, err = io.ReadAll(response.Body)
	require.NoError(c.tb, err)
	return body, response.Header.Get("Content-Type")
}

// samples scrapes in a format, and parses the response with Prometheus' parser.
func (c *collector) samples(accept string) []sample {
	c.tb.Helper()
	body, contentType := c.scrapeText(accept)
	wanted, _, _ := strings.Cut(accept, ";")
	require.True(c.tb, strings.HasPrefix(contentType, wanted), "asked for %s, got %s", accept, contentType)
	if wanted == "text/plain" {
		parser := expfmt.NewTextParser(model.UTF8Validation)
		_, err := parser.TextToMetricFamilies(strings.NewReader(string(body)))
		require.NoError(c.tb, err)
	}
	samples, err := parseSamples(body, contentType)
	require.NoError(c.tb, err)
	return samples
}

func parseSamples(body []byte, contentType string) ([]sample, error) {
	parser, err := textparse.New(body, contentType, labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		return nil, err
	}
	var samples []sample
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return samples, nil
		}
		if err != nil {
			return nil, err
		}
		if entry != textparse.EntrySeries {
			continue
		}
		var set labels.Labels
		parser.Labels(&set)
		_, _, value := parser.Series()
		s := sample{name: set.Get(model.MetricNameLabel), labels: set.Map(), value: value}
		var e exemplar.Exemplar
		if parser.Exemplar(&e) {
			s.trace = e.Labels.Get("trace_id")
		}
		samples = append(samples, s)
	}
}

// numbers are values by metric and labels, in a comparable form: "metric{a=1,b=2}".
type numbers map[string]float64

func (n numbers) add(value float64, name string, pairs ...string) {
	var parts []string
	for i := 0; i < len(pairs); i += 2 {
		parts = append(parts, pairs[i]+"="+pairs[i+1])
	}
	n[name+"{"+strings.Join(parts, ",")+"}"] += value
}

// collect sums the samples of the named metrics over all other labels.
func collect(samples []sample, metrics map[string][]string) numbers {
	n := numbers{}
	for _, s := range samples {
		keys, wanted := metrics[s.name]
		if !wanted {
			continue
		}
		var pairs []string
		for _, key := range keys {
			pairs = append(pairs, key, s.labels[key])
		}
		n.add(s.value, s.name, pairs...)
	}
	return n
}

// keep removes the values of other metrics.
func (n numbers) keep(metrics map[string][]string) {
	maps.DeleteFunc(n, func(key string, _ float64) bool {
		name, _, _ := strings.Cut(key, "{")
		_, kept := metrics[name]
		return !kept
	})
}

// differences lists values that differ by more than a microsecond, or that only one has.
func (n numbers) differences(got numbers) []string {
	const microsecond = 1e-6
	all := maps.Clone(n)
	maps.Copy(all, got)
	var out []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		want, wanted := n[key]
		have, found := got[key]
		if wanted != found || math.Abs(want-have) >= microsecond {
			out = append(out, fmt.Sprintf("%s is %v, want %v", key, have, want))
		}
	}
	return out
}

func TestDifferences(t *testing.T) {
	want := numbers{"a{}": 1, "b{}": 2, "c{}": 3}
	got := numbers{"a{}": 1.0000001, "b{}": 2.1, "d{}": 4}
	require.Equal(t, []string{"b{} is 2.1, want 2", "c{} is 0, want 3", "d{} is 4, want 0"}, want.differences(got))
}
