// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/declaration"
	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/internal/glob"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// sources checks what is measured.
func (c *checker) sources(key string, m *declaration.Metric) {
	if len(m.Sources) == 0 {
		c.source(key, &m.SourceConfig)
		return
	}
	if len(m.Event) > 0 || m.Span != "" || len(m.Detected) > 0 {
		c.add(configerr.Path(key, "sources"), nil, "is set, and event, span or detected beside it", "move that into sources")
	}
	c.conditions(key, m.Conditions)
	for i := range m.Sources {
		c.source(configerr.Index(configerr.Path(key, "sources"), i), &m.Sources[i])
	}
}

func (c *checker) source(key string, s *declaration.SourceConfig) {
	levels := declaration.SpanLevels()
	kinds := 0
	for _, set := range []bool{len(s.Event) > 0, s.Span != "", len(s.Detected) > 0} {
		if set {
			kinds++
		}
	}
	switch {
	case kinds == 0:
		c.add(key, nil, "names nothing to measure", "use event (such as order.placed, or order.*), span (such as step) or detected (such as performance.*)")
	case kinds > 1:
		c.add(key, nil, "has more than one of event, span and detected", "keep one, or list them in sources")
	case s.Span != "" && levels[s.Span] == "":
		c.add(configerr.Path(key, "span"), s.Span, "is not known", "use one of "+strings.Join(slices.Sorted(maps.Keys(levels)), ", "))
	}
	for _, name := range slices.Concat(s.Event, s.Detected) {
		switch {
		case strings.TrimSpace(name) != name || name == "":
			c.add(key, name, "is not a name of an event", "use a name without spaces around it; of several names make a list, such as [order.placed, order.paid]")
		case lifecycle.Canonical(name) != name:
			c.add(key, name, "never occurs, because the prefix tasker. is removed from event names", "write it without tasker.")
		}
	}
	for _, pattern := range s.Detected {
		if !slices.ContainsFunc(detections(), func(name string) bool { return glob.Match(pattern, name) }) {
			c.add(configerr.Path(key, "detected"), pattern, "is not detected by span_hierarchy", "use one of "+strings.Join(detections(), ", "))
		}
	}
	c.conditions(key, s.Conditions)
}

// detections returns the names of what span_hierarchy's performance monitor detects.
func detections() []string {
	return []string{lifecycle.PerformanceSlowOperation, lifecycle.PerformanceSlowSQLQuery, lifecycle.PerformanceMemorySpike}
}

func (c *checker) conditions(key string, conditions []declaration.ConditionConfig) {
	for i := range conditions {
		condition := &conditions[i]
		at := configerr.Index(configerr.Path(key, "conditions"), i)
		if condition.Key == "" {
			c.add(configerr.Path(at, "key"), condition.Key, "is not a key", "use the key of an attribute")
		}
		if condition.Exists == nil && len(condition.NotIn) == 0 && !condition.RequiresValue() {
			c.add(at, nil, "does not restrict its attribute", "add exists, in, not_in, matches, min or max")
		}
		if condition.Exists != nil && !*condition.Exists && condition.RequiresValue() {
			c.add(configerr.Path(at, "exists"), false, "never holds, because the condition asks for a value as well", "remove one of the two")
		}
		if condition.Min != nil && condition.Max != nil && *condition.Min > *condition.Max {
			c.add(configerr.Path(at, "min"), *condition.Min, fmt.Sprintf("is more than max (%v)", *condition.Max), "swap them")
		}
	}
}
