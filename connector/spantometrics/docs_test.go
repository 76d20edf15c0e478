// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/check"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/declaration"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

var update = flag.Bool("update", false, "write the tables of docs/metrics.md")

// metricsTable matches a table in docs/metrics.md.
var metricsTable = regexp.MustCompile(`(?s)(<!-- metrics of (spans|events) -->\n).*?(<!-- end -->\n)`)

// TestMetricsTables checks that the tables of docs/metrics.md match builtin.yaml.
func TestMetricsTables(t *testing.T) {
	const path = "../../docs/metrics.md"
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	places := 0
	made := metricsTable.ReplaceAllStringFunc(string(text), func(place string) string {
		places++
		parts := metricsTable.FindStringSubmatch(place)
		return parts[1] + tableOf(parts[2] == "spans") + parts[3]
	})
	require.Equal(t, 2, places)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(made), 0o644))
		return
	}
	require.Equal(t, made, string(text), "run the test with -update")
}

// tableOf returns the table of the built-in metrics of finished spans, or of the others.
func tableOf(ofSpans bool) string {
	cfg := createDefaultConfig().(*Config)
	metrics := declaration.Metrics(&cfg.Config)
	table := strings.Builder{}
	table.WriteString("| metric | type | unit | labels | description | measured on | Prometheus |\n|---|---|---|---|---|---|---|\n")
	for i := range metrics {
		m := &metrics[i]
		if m.IsOfSpans() != ofSpans {
			continue
		}
		d := m.Definition(&cfg.Config)
		fmt.Fprintf(&table, "| `%s` | %s | `%s` | %s | %s | %s | `%s` |\n",
			d.Name, kindText(d.Kind), d.Unit, codes(d.Labels), strings.TrimSuffix(d.Description, "."), sourceText(m), check.PrometheusMetric(&d))
	}
	return table.String()
}

func kindText(kind series.Kind) string {
	return map[series.Kind]string{series.KindSum: "sum", series.KindHistogram: "histogram", series.KindGauge: "gauge", series.KindLast: "gauge"}[kind]
}

// sourceText describes what the metric is measured on.
func sourceText(m *declaration.Metric) string {
	if m.IsOfOpen() {
		return "the events of a " + m.Span
	}
	var texts []string
	for _, source := range m.AllSources() {
		switch {
		case source.Span != "":
			texts = append(texts, codes([]string{declaration.SpanLevels()[source.Span]}))
		case len(source.Detected) > 0:
			texts = append(texts, codes(source.Detected)+" that `span_hierarchy` adds to finished spans")
		default:
			texts = append(texts, codes(source.Event))
		}
	}
	return strings.Join(texts, "; ")
}

func codes(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = "`" + text + "`"
	}
	return strings.Join(quoted, ", ")
}
