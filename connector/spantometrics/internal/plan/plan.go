// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/declaration"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Plan is what to measure on the spans of a level, or on the events of a name.
type Plan struct {
	// Change is what such events mean for open tasks and steps.
	Change Change

	fields fieldSet
	// measures with the same labels are adjacent.
	measures []measure
	labels   [][]label
}

// measure is a metric in a plan.
type measure struct {
	metric int
	kind   series.Kind
	takes  quantity
	// field is the index of the value, which is multiplied by factor.
	field  int
	factor float64
	// cases are alternative lists of conditions.
	cases [][]condition
	// labels is an index into the plan's labels.
	labels int
}

// quantity is the quantity that a measure takes.
type quantity uint8

const (
	takesNothing quantity = iota // counts occurrences
	takesDuration
	takesField
)

// Fields with which every plan of spans begins.
const (
	fieldIncomplete = iota
	fieldSynthesized
)

// newSpanPlan returns an empty plan of spans.
func newSpanPlan() *Plan {
	p := &Plan{}
	p.fields.add(field{keys: []string{fieldIncomplete: lifecycle.AttrIncomplete}})
	p.fields.add(field{keys: []string{lifecycle.AttrSynthesized}})
	return p
}

// add compiles a metric with alternative lists of conditions.
func (p *Plan) add(cfg *declaration.Config, m *declaration.Metric, index int, cases [][]declaration.ConditionConfig) {
	definition := m.Definition(cfg)
	made := measure{metric: index, kind: definition.Kind}
	switch {
	case m.TakesDuration():
		made.takes = takesDuration
	case len(m.Value) > 0:
		made.takes, made.field, made.factor = takesField, p.fields.add(newField(m.Value)), definition.PerUnit
		if m.Scale != 0 {
			made.factor *= m.Scale
		}
	}
	for _, configs := range cases {
		made.cases = append(made.cases, newConditions(configs, &p.fields))
	}
	labels := newLabels(cfg, m.Dimensions, &p.fields)
	made.labels = slices.IndexFunc(p.labels, func(known []label) bool { return slices.Equal(known, labels) })
	if made.labels < 0 {
		made.labels = len(p.labels)
		p.labels = append(p.labels, labels)
	}
	p.measures = append(p.measures, made)
}
