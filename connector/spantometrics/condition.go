// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spantometrics

import (
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/glob"
)

// condition is a compiled condition.
type condition struct {
	ConditionConfig
	field int
}

// newConditions compiles conditions and adds their attributes to fields.
func newConditions(configs []ConditionConfig, fields *fieldSet) []condition {
	conditions := make([]condition, len(configs))
	for i, config := range configs {
		conditions[i] = condition{config, fields.add(newField([]string{config.Key}))}
	}
	return conditions
}

// anyHolds reports whether all conditions of any of the cases hold.
func (m *measurement) anyHolds(cases [][]condition) bool {
	for _, conditions := range cases {
		if m.allHold(conditions) {
			return true
		}
	}
	return false
}

func (m *measurement) allHold(conditions []condition) bool {
	for i := range conditions {
		c := &conditions[i]
		if !c.holds(m.value(c.field)) {
			return false
		}
	}
	return true
}

func (c *condition) holds(value *fieldValue) bool {
	if c.Exists != nil && *c.Exists != value.found() {
		return false
	}
	if !value.found() {
		return !c.RequiresValue()
	}
	if len(c.In) > 0 || len(c.NotIn) > 0 || c.Matches != "" {
		text := value.String()
		if len(c.In) > 0 && !slices.Contains(c.In, text) || slices.Contains(c.NotIn, text) ||
			c.Matches != "" && !glob.Match(c.Matches, text) {
			return false
		}
	}
	if c.Min == nil && c.Max == nil {
		return true
	}
	number, ok := value.number()
	return ok && (c.Min == nil || number >= *c.Min) && (c.Max == nil || number <= *c.Max)
}
