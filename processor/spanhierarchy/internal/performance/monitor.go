// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package performance

import (
	"strings"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Monitor adds an event to each span of a tree that exceeds its threshold. It is safe for concurrent use.
type Monitor struct {
	usual     Thresholds
	overrides []Override
	least     time.Duration // no span that is shorter can be slow
}

// New makes a monitor. The first matching override applies.
func New(usual Thresholds, overrides []Override) *Monitor {
	m := &Monitor{usual: usual, overrides: overrides}
	consider := func(d *time.Duration) {
		if d != nil && *d > 0 && (m.least == 0 || *d < m.least) {
			m.least = *d
		}
	}
	consider(&usual.SlowTask)
	consider(&usual.SlowStep)
	consider(&usual.SlowQuery)
	for i := range overrides {
		consider(overrides[i].SlowTask)
		consider(overrides[i].SlowStep)
		consider(overrides[i].SlowQuery)
	}
	return m
}

// Inspect examines every span of a tree.
func (m *Monitor) Inspect(tree *tree.Tree) {
	for i := range tree.Spans {
		s := &tree.Spans[i]
		m.memory(s)
		if m.least > 0 && s.End-s.Start > int64(m.least) {
			m.duration(s)
		}
	}
}

// duration adds an event to a task, a step or a query that took longer than its threshold.
func (m *Monitor) duration(s *tree.Span) {
	var (
		of   = describe(s)
		name = lifecycle.PerformanceSlowOperation
		most time.Duration
	)
	switch s.Name {
	case lifecycle.SpanTask:
		most = threshold(m, &of, m.usual.SlowTask, func(o *Override) *time.Duration { return o.SlowTask })
	case lifecycle.SpanStep:
		most = threshold(m, &of, m.usual.SlowStep, func(o *Override) *time.Duration { return o.SlowStep })
	case lifecycle.SpanQuery:
		name = lifecycle.PerformanceSlowSQLQuery
		most = threshold(m, &of, m.usual.SlowQuery, func(o *Override) *time.Duration { return o.SlowQuery })
	default:
		return
	}
	if took := time.Duration(s.End - s.Start); most > 0 && took > most && !alreadyReported(s, name) {
		report(s, name, s.End, of.operation(),
			attribute.Double(lifecycle.AttrDuration, took.Seconds()), attribute.Double(lifecycle.AttrThreshold, most.Seconds()))
	}
}

// memory adds one event to a span whose events report more memory than the threshold, with the largest value.
func (m *Monitor) memory(s *tree.Span) {
	var (
		most, limit float64
		at          int64
		operation   string
	)
	for i := range s.Events {
		n := &s.Events[i]
		delta, ok := number(n.Attributes, lifecycle.AttrMemoryDeltaMB)
		if !ok || delta <= most {
			continue
		}
		of := describe(s)
		if name := text(n.Attributes, lifecycle.AttrOperation); name != "" {
			of.operations = append(of.operations, name)
		}
		if over := threshold(m, &of, m.usual.MemorySpikeMB, func(o *Override) *float64 { return o.MemorySpikeMB }); over > 0 && delta > over {
			most, limit, at, operation = delta, over, n.At, of.operation()
		}
	}
	if most > 0 && !alreadyReported(s, lifecycle.PerformanceMemorySpike) {
		report(s, lifecycle.PerformanceMemorySpike, at, operation,
			attribute.Double(lifecycle.AttrMemoryDeltaMB, most), attribute.Double(lifecycle.AttrThresholdMB, limit))
	}
}

// alreadyReported reports whether the engine has reported it already, so that it is not reported twice.
func alreadyReported(s *tree.Span, name string) bool {
	for i := range s.Events {
		if s.Events[i].Name == name {
			return true
		}
	}
	return false
}

func report(s *tree.Span, name string, at int64, operation string, measured ...attribute.KeyValue) {
	attrs := make([]attribute.KeyValue, 0, 2+len(measured))
	if operation != "" {
		attrs = append(attrs, attribute.String(lifecycle.AttrOperation, operation))
	}
	attrs = append(attrs, measured...)
	attrs = append(attrs, attribute.String(lifecycle.AttrDetectedBy, lifecycle.DetectedBySpanHierarchy))
	s.Events = append(s.Events, tree.SpanEvent{Name: name, At: at, Attributes: attrs})
}

// describe returns what a span measures. The operation of a query is its verb and table.
func describe(s *tree.Span) measurement {
	of := measurement{task: text(s.Attributes, lifecycle.AttrTaskName), step: text(s.Attributes, lifecycle.AttrStepName)}
	if s.Name == lifecycle.SpanQuery {
		verb, table := text(s.Attributes, lifecycle.AttrDBOperationName), text(s.Attributes, lifecycle.AttrDBCollectionName)
		of.operations = append(of.operations, verb, table, strings.TrimSpace(verb+" "+table))
	}
	return of
}

// operation returns the reported name.
func (s *measurement) operation() string {
	switch {
	case len(s.operations) > 0:
		return s.operations[len(s.operations)-1]
	case s.step != "":
		return s.step
	}
	return s.task
}

func text(attrs []attribute.KeyValue, key string) string {
	for i := range attrs {
		if attrs[i].Key == key {
			return attrs[i].Value.Text
		}
	}
	return ""
}

func number(attrs []attribute.KeyValue, key string) (float64, bool) {
	for i := range attrs {
		if v := &attrs[i].Value; attrs[i].Key == key {
			switch v.Kind {
			case attribute.KindInt:
				return float64(v.Int), true
			case attribute.KindDouble:
				return v.Double, true
			}
		}
	}
	return 0, false
}
