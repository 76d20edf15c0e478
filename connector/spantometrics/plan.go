// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"slices"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
	"github.com/tasker-otel/otelcol-tasker/internal/bounded/namecache"
	"github.com/tasker-otel/otelcol-tasker/internal/glob"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// maxEventNames bounds the names of events for which it is remembered what is measured on them.
const maxEventNames = 4096

// plans are the metrics, arranged by what they are measured on.
type plans struct {
	// ofSpan holds a plan a level, by the name of its spans; others go by anySpan.
	ofSpan  map[string]*plan
	anySpan *plan
	ofEvent *namecache.Cache[*plan]
	// ofDetected is nil if nothing that span_hierarchy detects is measured.
	ofDetected *namecache.Cache[*plan]
	// tasks and steps are the gauges of what is open; nil if they are switched off.
	tasks, steps *openPlan
	// oldest is the metric of the age of the oldest open task; negative if it is switched off.
	oldest int
}

// plan is what is measured on the spans of one level, or on the events of one name.
type plan struct {
	fields fieldSet
	// measures of the same labels follow each other.
	measures []measure
	labels   [][]label
}

// measure is one metric in a plan.
type measure struct {
	metric int
	kind   series.Kind
	takes  quantity
	// field holds the value, which times factor is what the registry adds up.
	field  int
	factor float64
	// cases are conditions of which all of one case must hold.
	cases [][]condition
	// labels is an index into the plan's.
	labels int
}

// quantity is what of a thing is measured.
type quantity uint8

const (
	takesNothing quantity = iota // the thing is counted
	takesDuration
	takesField
)

// Fields that every plan of spans begins with.
const (
	fieldIncomplete = iota
	fieldSynthesized
)

// openPlan is a gauge of what is open.
type openPlan struct {
	metric int
	fields fieldSet
	labels []label
	// state is the field of the state of a task, and stateLabel its label; negative and empty if it was left out.
	state      int
	stateLabel string
}

// newPlans arranges metrics, which are in the order of the registry's definitions.
func newPlans(cfg *Config, metrics []declaration) *plans {
	from := planner{cfg, metrics}
	all := &plans{ofSpan: map[string]*plan{}, anySpan: newSpanPlan()}
	for level, name := range spanLevels() {
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

// planner makes plans of metrics.
type planner struct {
	cfg     *Config
	metrics []declaration
}

// plan adds to p the metrics that have a source of which a thing is. Such a thing is measured once, however many of a
// metric's sources it is of.
func (from planner) plan(p *plan, isOf func(*SourceConfig) bool) *plan {
	for index := range from.metrics {
		m := &from.metrics[index]
		if !m.enabled() || m.isOfOpen() {
			continue
		}
		var cases [][]ConditionConfig
		for _, source := range m.sources() {
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

// open returns the gauge of what is open of a level, or nil.
func (from planner) open(level string) *openPlan {
	for index := range from.metrics {
		m := &from.metrics[index]
		if m.enabled() && m.Type == typeActive && m.Span == level {
			p := &openPlan{metric: index, state: -1}
			p.labels = newLabels(from.cfg, m.Dimensions, &p.fields)
			for i := range m.Dimensions {
				if m.Dimensions[i].isState() {
					p.state, p.stateLabel = p.labels[i].field, p.labels[i].name
				}
			}
			return p
		}
	}
	return nil
}

// oldest returns the metric of the age of the oldest open task, or negative. It needs the set of open tasks.
func (from planner) oldest() int {
	if from.open("task") == nil {
		return -1
	}
	return slices.IndexFunc(from.metrics, func(m declaration) bool { return m.enabled() && m.Type == typeOldest })
}

func newSpanPlan() *plan {
	p := &plan{}
	p.fields.add(field{keys: []string{fieldIncomplete: lifecycle.AttrIncomplete}})
	p.fields.add(field{keys: []string{lifecycle.AttrSynthesized}})
	return p
}

// add compiles a metric that measures in each of the cases.
func (p *plan) add(cfg *Config, m *declaration, index int, cases [][]ConditionConfig) {
	definition := m.definition(cfg)
	made := measure{metric: index, kind: definition.Kind}
	switch {
	case m.takesDuration():
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
