// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"slices"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/declaration"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/bounded/namecache"
	"github.com/tasker-otel/otelcol-tasker/internal/glob"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// maxEventNames bounds the cached plans of event names.
const maxEventNames = 4096

// plans are the metrics grouped by what they measure.
type plans struct {
	// ofSpan holds a plan per level, by span name; other spans use anySpan.
	ofSpan  map[string]*plan
	anySpan *plan
	ofEvent *namecache.Cache[*plan]
	// ofDetected is nil if no metric measures detections.
	ofDetected *namecache.Cache[*plan]
	// tasks and steps are the gauges of open tasks and steps; nil if disabled.
	tasks, steps *openPlan
	// oldest is the metric of the age of the oldest open task; negative if disabled.
	oldest int
}

// plan is what to measure on the spans of a level, or on the events of a name.
type plan struct {
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

// openPlan is a gauge of open tasks or steps.
type openPlan struct {
	metric int
	fields fieldSet
	labels []label
	// state is the field of a task's state, and stateLabel its label; negative and empty if excluded.
	state      int
	stateLabel string
}

// newPlans compiles metrics, which are in the order of the registry's definitions.
func newPlans(cfg *declaration.Config, metrics []declaration.Metric) *plans {
	from := planner{cfg, metrics}
	all := &plans{ofSpan: map[string]*plan{}, anySpan: newSpanPlan()}
	for level, name := range declaration.SpanLevels() {
		made := from.plan(newSpanPlan(), func(s *SourceConfig) bool { return s.Span == level })
		if len(made.measures) > 0 {
			all.ofSpan[name] = made
		}
	}
	all.ofEvent = namecache.New(maxEventNames, func(name string) *plan {
		return from.plan(&plan{}, func(s *SourceConfig) bool { return glob.MatchAny(s.Event, name) })
	})
	if detects := from.plan(&plan{}, func(s *SourceConfig) bool { return len(s.Detected) > 0 }); len(detects.measures) > 0 {
		all.ofDetected = namecache.New(maxEventNames, func(name string) *plan {
			return from.plan(&plan{}, func(s *SourceConfig) bool { return glob.MatchAny(s.Detected, name) })
		})
	}
	all.tasks, all.steps, all.oldest = from.open("task"), from.open("step"), from.oldest()
	return all
}

// planner compiles metrics into plans.
type planner struct {
	cfg     *declaration.Config
	metrics []declaration.Metric
}

// plan adds the metrics with a source for which isOf is true to p. A metric measures an item once, even if several of its
// sources match.
func (from planner) plan(p *plan, isOf func(*SourceConfig) bool) *plan {
	for index := range from.metrics {
		m := &from.metrics[index]
		if !m.IsEnabled() || m.IsOfOpen() {
			continue
		}
		var cases [][]ConditionConfig
		for _, source := range m.AllSources() {
			if isOf(&source) {
				cases = append(cases, source.Conditions)
			}
		}
		if len(cases) > 0 {
			p.add(from.cfg, m, index, cases)
		}
	}
	slices.SortStableFunc(p.measures, func(a, b measure) int { return a.labels - b.labels })
	return p
}

// open returns the gauge of open items of a level, or nil.
func (from planner) open(level string) *openPlan {
	for index := range from.metrics {
		m := &from.metrics[index]
		if m.IsEnabled() && m.Type == declaration.TypeActive && m.Span == level {
			p := &openPlan{metric: index, state: -1}
			p.labels = newLabels(from.cfg, m.Dimensions, &p.fields)
			for i := range m.Dimensions {
				if m.Dimensions[i].IsState() {
					p.state, p.stateLabel = p.labels[i].field, p.labels[i].name
				}
			}
			return p
		}
	}
	return nil
}

// oldest returns the metric of the age of the oldest open task; negative if disabled. It requires the set of open tasks.
func (from planner) oldest() int {
	if from.open("task") == nil {
		return -1
	}
	return slices.IndexFunc(from.metrics, func(m declaration.Metric) bool { return m.IsEnabled() && m.Type == declaration.TypeOldest })
}

func newSpanPlan() *plan {
	p := &plan{}
	p.fields.add(field{keys: []string{fieldIncomplete: lifecycle.AttrIncomplete}})
	p.fields.add(field{keys: []string{lifecycle.AttrSynthesized}})
	return p
}

// add compiles a metric with alternative lists of conditions.
func (p *plan) add(cfg *declaration.Config, m *declaration.Metric, index int, cases [][]ConditionConfig) {
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
