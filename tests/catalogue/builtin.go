// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package catalogue

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/prometheus/otlptranslator"
	"sigs.k8s.io/yaml"
)

// builtIn is the part of a built-in metric of span_to_metrics that determines its name and labels.
type builtIn struct {
	Type        string      `json:"type"`
	Unit        string      `json:"unit"`
	Description string      `json:"description"`
	Value       any         `json:"value"`
	Dimensions  []dimension `json:"dimensions"`
}

type dimension struct {
	Name string `json:"name"`
	Key  any    `json:"key"`
}

const (
	// activeTasks is the metric whose labels, except the state of a task, metrics of type oldest have.
	activeTasks  = "tasker.tasks.active"
	keyTaskState = "task.state"
)

// readBuiltIn reads the built-in metrics of span_to_metrics.
func readBuiltIn(root string) ([]Metric, error) {
	path := filepath.Join(root, "connector", "spantometrics", "internal", "declaration", "builtin.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the metrics of span_to_metrics: %w", err)
	}
	metrics, err := parseBuiltIn(text)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return metrics, nil
}

func parseBuiltIn(text []byte) ([]Metric, error) {
	var declared map[string]builtIn
	if err := yaml.Unmarshal(text, &declared); err != nil {
		return nil, err
	}
	kinds := map[string]Kind{"counter": Counter, "histogram": Histogram, "gauge": Gauge, "active": Gauge, "oldest": Gauge}
	types := map[Kind]otlptranslator.MetricType{
		Counter: otlptranslator.MetricTypeMonotonicCounter, Histogram: otlptranslator.MetricTypeHistogram, Gauge: otlptranslator.MetricTypeGauge,
	}
	namer := otlptranslator.MetricNamer{WithMetricSuffixes: true}
	var metrics []Metric
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		d := declared[name]
		m := Metric{Kind: kinds[d.Type], Unit: d.Unit, Description: d.Description}
		if m.Kind == "" {
			return nil, fmt.Errorf("%s: unknown type %q", name, d.Type)
		}
		if d.Value == "duration" {
			m.Unit = "s"
		}
		prometheus, err := namer.Build(otlptranslator.Metric{Name: name, Unit: m.Unit, Type: types[m.Kind]})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		m.Name = prometheus
		dimensions := d.Dimensions
		if d.Type == "oldest" {
			dimensions = slices.DeleteFunc(slices.Clone(declared[activeTasks].Dimensions), func(d dimension) bool { return d.Key == keyTaskState })
		}
		for _, d := range dimensions {
			m.Labels = append(m.Labels, strings.ReplaceAll(d.Name, ".", "_"))
		}
		metrics = append(metrics, m)
	}
	return metrics, nil
}
