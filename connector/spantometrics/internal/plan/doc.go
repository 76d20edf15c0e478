// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package plan compiles declarations of metrics into plans by what they measure, and runs the plan of an item: it reads the
// item's attributes in one pass, evaluates conditions, collects labels, and records the values.
//
// The files in the order of their calls: set.go and plan.go make plans; run.go and open.go run them on an Item (item.go),
// with its conditions (condition.go) and labels (label.go), whose values field.go finds among the attributes of a record or span, or
// of an event in a batch (attributes.go, shape.go).
//
// A plan does not change once it is compiled. A Set caches the plans of event names, and an Item what it has read: the
// recorder of an instance owns both, and the registry's mutex guards them.
package plan
