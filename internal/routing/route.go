// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routing

import "github.com/tasker-otel/otelcol-tasker/internal/lifecycle"

// Route is a configured route. Nil or empty fields are inherited from the built-in route of the same name.
type Route struct {
	// Event is an exact name, optionally prefixed with "tasker.", or a glob in which * matches any run of characters.
	Event string `mapstructure:"event"`
	// Signals are the signals to produce: traces, metrics, logs.
	Signals []string `mapstructure:"signals"`
	// SamplingRate is the share of tasks, 0 to 1, whose events of this name become traces and logs. Metrics are not
	// sampled.
	SamplingRate *float64 `mapstructure:"sampling_rate"`
	// Enabled is true if nil. Events of a disabled route are dropped.
	Enabled *bool `mapstructure:"enabled"`
	// Priority is low, normal, high or critical.
	Priority string `mapstructure:"priority"`
}

// Settings configure a table.
type Settings struct {
	Routes []Route
	// Builtin includes the built-in map below Routes.
	Builtin bool
	// Filtered are names and globs of events to drop, whatever their routes.
	Filtered []string
	// DefaultSignals apply to events without a route; if empty, these are dropped.
	DefaultSignals []string
	// SamplingRate is multiplied with the rate of every route.
	SamplingRate float64
}

// Entry is an effective route.
type Entry struct {
	lifecycle.Route
	Enabled bool
	// Builtin is true for an entry that the operator has not changed.
	Builtin bool
	// Place is where the entry is configured, such as routes[2], or "built in".
	Place string
}
