// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routing

import "github.com/tasker-otel/otelcol-tasker/internal/lifecycle"

// Route is an entry of the configuration. What is nil or empty comes from the built-in route of the same name.
type Route struct {
	// Event is an exact name, with or without "tasker." before it, or a glob in which * stands for any run of characters.
	Event string `mapstructure:"event"`
	// Signals that the event becomes: traces, metrics, logs.
	Signals []string `mapstructure:"signals"`
	// SamplingRate is the share of tasks, from 0 to 1, whose events of this name reach traces and logs. Metrics see all.
	SamplingRate *float64 `mapstructure:"sampling_rate"`
	// Enabled is true unless said otherwise. An event that is not enabled is dropped.
	Enabled *bool `mapstructure:"enabled"`
	// Priority is low, normal, high or critical.
	Priority string `mapstructure:"priority"`
}

// Settings are all that a table is made of.
type Settings struct {
	Routes []Route
	// Builtin layers Routes over the built-in map.
	Builtin bool
	// Filtered are names and globs of events that are dropped whatever their routes say.
	Filtered []string
	// DefaultSignals is what an event without a route becomes. Without any, it is dropped.
	DefaultSignals []string
	// SamplingRate multiplies the rate of every route.
	SamplingRate float64
}

// Entry is a route as it is in force.
type Entry struct {
	lifecycle.Route
	Enabled bool
	// Builtin tells an entry that no one changed.
	Builtin bool
	// Place is where the entry is written, such as routes[2], or "built in".
	Place string
}
