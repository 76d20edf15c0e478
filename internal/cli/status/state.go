// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package status

import "time"

// State is what a component remembers, and where.
type State struct {
	Component string `json:"component"`
	// Keeps says what it is that it remembers.
	Keeps string `json:"keeps"`
	// Storage reports whether there is one; without it the state is in memory only.
	Storage bool `json:"storage"`
	// Survives says what of it outlives what.
	Survives string `json:"survives"`
	// Failing is true if the latest write failed.
	Failing    bool       `json:"failing"`
	Bytes      int64      `json:"bytes"`
	Waiting    int64      `json:"waiting_bytes"`
	Failures   int64      `json:"failed_writes"`
	SetAside   int64      `json:"segments_set_aside"`
	LastCommit *time.Time `json:"last_commit,omitempty"`
}

// stateful are the components that remember.
var stateful = []struct {
	// shows is the part of a metric's name, behind metrics, that only a component with a state has.
	component, metrics, shows, keeps, inMemory string
}{
	{"event_router", "processor_event_router_", "", "events seen",
		"a restart forgets which events it has seen, so that a resent one is handed on again"},
	{"span_hierarchy", "processor_span_hierarchy_", "", "open tasks",
		"a stop emits open tasks as incomplete, a crash loses them"},
	{"span_to_metrics", "connector_span_to_metrics_", "", "totals",
		"a restart counts from zero"},
	{"routed_events", "connector_routed_events_", "known_facts", "facts recorded",
		"a restart forgets which facts it has recorded, so that the start of a task that goes on is recorded again"},
}

// stored is what a component with storage survives.
const stored = "a stop, a crash and kill -9; power loss too, if the storage has fsync: true"

// states returns those of the components that the collector has.
func (o *own) states() []State {
	list := []State{}
	for _, c := range stateful {
		if !o.has(prefix + c.metrics + c.shows) {
			continue
		}
		failing, kept := o.value(c.metrics + "storage_failing") // there is no number without a storage
		s := State{Component: c.component, Keeps: c.keeps, Storage: kept, Survives: c.inMemory}
		if kept {
			s.Survives, s.Failing = stored, failing > 0
			s.Bytes, s.Waiting = o.number(c.metrics+"storage_bytes"), o.number(c.metrics+"storage_waiting")
			s.Failures, s.SetAside = o.number(c.metrics+"storage_failures"), o.number(c.metrics+"storage_set_aside")
			s.LastCommit = o.latest(c.metrics + "storage_last_commit")
		}
		list = append(list, s)
	}
	return list
}
