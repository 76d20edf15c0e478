// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"slices"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/declaration"
	"github.com/tasker-otel/otelcol-tasker/internal/glob"
)

// condition is a compiled condition.
type condition struct {
	declaration.ConditionConfig
	field int
}

// newConditions compiles conditions and adds their attributes to fields.
func newConditions(configs []declaration.ConditionConfig, fields *fieldSet) []condition {
	conditions := make([]condition, len(configs))
	for i, config := range configs {
		conditions[i] = condition{config, fields.add(newField([]string{config.Key}))}
	}
	return conditions
}

// anyHolds reports whether all conditions of any of the cases hold.
func anyHolds(cases [][]condition, item *Item) bool {
	for _, conditions := range cases {
		if allHold(conditions, item) {
			return true
		}
	}
	return false
}

func allHold(conditions []condition, item *Item) bool {
	for i := range conditions {
		c := &conditions[i]
		if !c.holds(item.value(c.field)) {
			return false
		}
	}
	return true
}

func (c *condition) holds(v *value) bool {
	if c.Exists != nil && *c.Exists != v.found() {
		return false
	}
	if !v.found() {
		return !c.RequiresValue()
	}
	if len(c.In) > 0 || len(c.NotIn) > 0 || c.Matches != "" {
		text := v.String()
		if len(c.In) > 0 && !slices.Contains(c.In, text) || slices.Contains(c.NotIn, text) ||
			c.Matches != "" && !glob.Match(c.Matches, text) {
			return false
		}
	}
	if c.Min == nil && c.Max == nil {
		return true
	}
	number, ok := v.number()
	return ok && (c.Min == nil || number >= *c.Min) && (c.Max == nil || number <= *c.Max)
}
