// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package active

import "github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"

// Event is a change of a task and, if Step is not NoStep, of one of its steps.
type Event struct {
	// Trace is the task's trace ID.
	Trace [16]byte
	// At is the event's time in Unix nanoseconds.
	At     int64
	Change TaskChange
	// Step is a hash of the step's ID.
	Step       uint64
	StepChange StepChange
}

// Labeler finds the gauges of an event. It is called with the registry's mutex held.
type Labeler interface {
	// IsOfTask is false if the event does not belong to a task.
	IsOfTask() bool
	// Task returns the gauge of the event's task in a state. complete is false if a later event may complete its labels.
	Task(state State) (gauge series.Gauge, complete bool)
	// Step returns the gauge of the event's step. complete is as in Task.
	Step() (gauge series.Gauge, complete bool)
	// Gauges need no event.
	Gauges
}

// Gauges finds gauges related to others. It is called with the registry's mutex held.
type Gauges interface {
	// InState returns the gauge of the same tasks in another state.
	InState(of series.Gauge, state State) series.Gauge
	// OldestAge returns the gauge of the age of the oldest of these tasks, regardless of state.
	OldestAge(of series.Gauge) series.Gauge
}
