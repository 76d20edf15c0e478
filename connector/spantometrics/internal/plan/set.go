// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/declaration"
	"github.com/tasker-otel/otelcol-tasker/internal/bounded/namecache"
	"github.com/tasker-otel/otelcol-tasker/internal/glob"
)

// maxEventNames bounds the cached plans of event names.
const maxEventNames = 4096

// Set holds the plans of all metrics, by what they measure.
type Set struct {
	cfg     *declaration.Config
	metrics []declaration.Metric
	// ofSpan holds a plan per level, by span name; other spans use anySpan.
	ofSpan  map[string]*Plan
	anySpan *Plan
	ofEvent *namecache.Cache[*Plan]
	// ofDetected is nil if no metric measures detections.
	ofDetected *namecache.Cache[*Plan]

	// Tasks and Steps are the gauges of open tasks and steps; nil if disabled.
	Tasks, Steps *Open
	// oldest is the metric of the age of the oldest open task; negative if disabled.
	oldest int
}

// Compile compiles metrics, which are in the order of the registry's definitions.
func Compile(cfg *declaration.Config, metrics []declaration.Metric) *Set {
	s := &Set{cfg: cfg, metrics: metrics, ofSpan: map[string]*Plan{}, anySpan: newSpanPlan()}
	for level, name := range declaration.SpanLevels() {
		made := s.compile(newSpanPlan(), func(source *declaration.SourceConfig) bool { return source.Span == level })
		if len(made.measures) > 0 {
			s.ofSpan[name] = made
		}
	}
	s.ofEvent = namecache.New(maxEventNames, func(name string) *Plan {
		return s.compile(&Plan{Change: changeOf(name)}, func(source *declaration.SourceConfig) bool { return glob.MatchAny(source.Event, name) })
	})
	if detects := s.compile(&Plan{}, func(source *declaration.SourceConfig) bool { return len(source.Detected) > 0 }); len(detects.measures) > 0 {
		s.ofDetected = namecache.New(maxEventNames, func(name string) *Plan {
			return s.compile(&Plan{}, func(source *declaration.SourceConfig) bool { return glob.MatchAny(source.Detected, name) })
		})
	}
	s.Tasks, s.Steps, s.oldest = s.open("task"), s.open("step"), -1
	if s.Tasks != nil { // it requires the set of open tasks
		s.oldest = slices.IndexFunc(metrics, func(m declaration.Metric) bool { return m.IsEnabled() && m.Type == declaration.TypeOldest })
	}
	return s
}

// OfSpan returns the plan of a span. If no metric measures it, it is nil, or an empty plan if detections on it are measured.
func (s *Set) OfSpan(name string, detected bool) *Plan {
	p := s.ofSpan[name]
	if p == nil && detected {
		return s.anySpan
	}
	return p
}

// OfEvent returns the plan of an event.
func (s *Set) OfEvent(name string) *Plan { return s.ofEvent.Get(name) }

// MeasuresDetected reports whether a metric measures detections.
func (s *Set) MeasuresDetected() bool { return s.ofDetected != nil }

// OfDetected returns the plan of a detection.
func (s *Set) OfDetected(name string) *Plan { return s.ofDetected.Get(name) }

// compile adds the metrics with a source for which isOf is true to p. A metric measures an item once, even if several of its
// sources match.
func (s *Set) compile(p *Plan, isOf func(*declaration.SourceConfig) bool) *Plan {
	for index := range s.metrics {
		m := &s.metrics[index]
		if !m.IsEnabled() || m.IsOfOpen() {
			continue
		}
		var cases [][]declaration.ConditionConfig
		for _, source := range m.AllSources() {
			if isOf(&source) {
				cases = append(cases, source.Conditions)
			}
		}
		if len(cases) > 0 {
			p.add(s.cfg, m, index, cases)
		}
	}
	slices.SortStableFunc(p.measures, func(a, b measure) int { return a.labels - b.labels })
	return p
}

// open returns the gauge of open items of a level, or nil.
func (s *Set) open(level string) *Open {
	for index := range s.metrics {
		if m := &s.metrics[index]; m.IsEnabled() && m.Type == declaration.TypeActive && m.Span == level {
			return newOpen(s.cfg, m, index)
		}
	}
	return nil
}
