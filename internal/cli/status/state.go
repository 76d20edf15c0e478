// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package status

import "time"

// State is the state of a component.
type State struct {
	Component string `json:"component"`
	// Keeps describes the state.
	Keeps string `json:"keeps"`
	// Storage is false if the state is in memory only.
	Storage bool `json:"storage"`
	// Survives describes what the state survives.
	Survives string `json:"survives"`
	// Failing is true if the latest write failed.
	Failing    bool      `json:"failing"`
	Bytes      int64     `json:"bytes"`
	Waiting    int64     `json:"waiting_bytes"`
	Failures   int64     `json:"failed_writes"`
	SetAside   int64     `json:"segments_set_aside"`
	LastCommit time.Time `json:"last_commit,omitzero"`
}

// stateful are the components with state.
var stateful = []struct {
	// shows is the part of a metric's name, after metrics, that only a component with state has.
	component, metrics, shows, keeps, inMemory string
}{
	{"event_router", "processor_event_router_", "", "events seen",
		"a restart forgets which events it has seen, so that a resent one is passed on again"},
	{"span_hierarchy", "processor_span_hierarchy_", "", "open tasks",
		"a stop emits open tasks as incomplete, a crash loses them"},
	{"span_to_metrics", "connector_span_to_metrics_", "", "totals",
		"a restart counts from zero"},
	{"routed_events", "connector_routed_events_", "known_facts", "facts recorded",
		"a restart forgets which facts it has recorded, so that the start of a running task is recorded again"},
}

// stored is what state with storage survives.
const stored = "a stop, a crash and kill -9; power loss too, if the storage has fsync: true"

// states returns the states of the collector's components.
func (o *own) states() []State {
	list := []State{}
	for _, c := range stateful {
		if !o.has(c.metrics + c.shows) {
			continue
		}
		failing, kept := o.value(c.metrics + "storage_failing") // exists only with storage
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
