// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package ownmetrics

import (
	"iter"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// Series is a value of an internal metric.
type Series struct {
	Name string // as [Name] returns it
	// Labels are the labels except those of the scope and of the collector's instance.
	Labels  map[string]string
	Value   float64
	Counter bool
}

// Read returns the internal metrics among families.
func Read(families iter.Seq[*dto.MetricFamily]) []Series {
	var all []Series
	for f := range families {
		if !strings.HasPrefix(f.GetName(), Prefix) {
			continue
		}
		for _, m := range f.Metric {
			s := Series{Name: Name(f.GetName()), Labels: map[string]string{}, Counter: f.GetType() == dto.MetricType_COUNTER}
			s.Value = m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue()
			for _, pair := range m.Label {
				if name := pair.GetName(); !strings.HasPrefix(name, "otel_scope_") && !strings.HasPrefix(name, "service_") {
					s.Labels[name] = pair.GetValue()
				}
			}
			all = append(all, s)
		}
	}
	return all
}

// Loses reports whether the series counts data that was lost, rejected or altered.
func (s *Series) Loses() bool { return s.Counter && s.Value > 0 && IsLoss(s.Name) }
