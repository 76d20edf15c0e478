// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package catalogue

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kind is the type of a metric.
type Kind string

// The kinds of metrics.
const (
	Counter   Kind = "counter"
	Gauge     Kind = "gauge"
	Histogram Kind = "histogram"
)

// Metric is a family of series.
type Metric struct {
	// Name is the Prometheus name, without the suffixes of a histogram's series.
	Name string
	Kind Kind
	// Unit is the OpenTelemetry unit, such as "s", "By" or "{task}".
	Unit        string
	Description string
	// Labels are all possible labels except those of the target.
	Labels []string
}

// targetLabels are added to every series by a scrape, or by the exporter from the resource.
var targetLabels = []string{"job", "instance", "namespace", "pod", "node", "cluster"}

// Catalogue is a set of metrics.
type Catalogue struct {
	families map[string]Metric
	// series are the labels by series name.
	series map[string][]string
}

// New makes a catalogue of the given metrics.
func New(metrics ...Metric) (*Catalogue, error) {
	c := &Catalogue{families: map[string]Metric{}, series: map[string][]string{}}
	for _, m := range metrics {
		if err := c.Add(m); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Add adds a metric. A duplicate name is an error.
func (c *Catalogue) Add(m Metric) error {
	if _, found := c.families[m.Name]; found {
		return fmt.Errorf("metric %s is there twice", m.Name)
	}
	labels := append(slices.Clone(targetLabels), m.Labels...)
	c.families[m.Name] = m
	switch m.Kind {
	case Histogram:
		c.series[m.Name+"_bucket"] = append(slices.Clone(labels), "le")
		c.series[m.Name+"_sum"] = labels
		c.series[m.Name+"_count"] = labels
	case Counter, Gauge:
		c.series[m.Name] = labels
	default:
		return fmt.Errorf("metric %s: unknown kind %q", m.Name, m.Kind)
	}
	return nil
}

// Family returns the metric of that name.
func (c *Catalogue) Family(name string) (Metric, error) {
	m, found := c.families[name]
	if !found {
		return Metric{}, fmt.Errorf("unknown metric %s%s", name, c.hint(name))
	}
	return m, nil
}

// Names lists the families, sorted.
func (c *Catalogue) Names() []string {
	return slices.Sorted(maps.Keys(c.families))
}

// Labels returns the possible labels of a series, and whether it exists.
func (c *Catalogue) Labels(series string) (labels []string, known bool) {
	labels, known = c.series[series]
	return labels, known
}

// hint suggests names with the same beginning or end.
func (c *Catalogue) hint(name string) string {
	trimmed := name
	for _, suffix := range []string{"_total", "_bucket", "_sum", "_count", "_seconds"} {
		trimmed = strings.TrimSuffix(trimmed, suffix)
	}
	var similar []string
	for _, known := range slices.Sorted(maps.Keys(c.series)) {
		if strings.HasPrefix(known, trimmed) {
			similar = append(similar, known)
		}
	}
	if len(similar) == 0 {
		return ""
	}
	return "; known are " + strings.Join(similar[:min(5, len(similar))], ", ")
}

// Load reads the catalogue of the repository at root.
func Load(root string) (*Catalogue, error) {
	tasker, err := readBuiltIn(root)
	if err != nil {
		return nil, err
	}
	own, err := readComponents(root)
	if err != nil {
		return nil, err
	}
	collector, err := readCollector(root)
	if err != nil {
		return nil, err
	}
	c, err := New(slices.Concat(tasker, own, collector, external())...)
	if err != nil {
		return nil, fmt.Errorf("make the catalogue of metrics: %w", err)
	}
	if len(tasker) == 0 || len(own) == 0 {
		return nil, errors.New("make the catalogue of metrics: neither builtin.yaml nor metadata.yaml may be without any")
	}
	return c, nil
}
