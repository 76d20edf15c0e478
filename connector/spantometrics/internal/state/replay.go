// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/plan"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

// Replay applies the changes of stored entries to a state, in their order, as a [records.Handler].
type Replay struct {
	*series.Replay
	state *State
	// Instance is the stored service.instance.id.
	Instance string
}

// Replay begins to restore the state, which must be empty. Nothing else may use it until [State.Resume].
func (s *State) Replay() *Replay { return &Replay{Replay: s.Series.Replay(), state: s} }

// Resume completes what was restored with what the entries do not contain: the ages of the open tasks.
func (s *State) Resume(now series.Instant) {
	w := s.Series.Begin(now)
	defer w.End()
	s.Active.Resume(plan.Gauges{Set: s.plans, Writer: &w})
}

// Identity restores who stored the state.
func (p *Replay) Identity(identity records.Identity) {
	p.Instance = identity.Instance
	p.Temporality(identity.Delta)
}

// ActiveTask restores a task.
func (p *Replay) ActiveTask(task records.ActiveTask) {
	p.state.Active.ReplayTask(&task, p.Gauge(task.Gauge), p.Gauge(task.Age))
}

// ActiveStep restores a step.
func (p *Replay) ActiveStep(step records.ActiveStep) {
	p.state.Active.ReplayStep(&step, p.Gauge(step.Gauge))
}

// ForgetTask removes a task.
func (p *Replay) ForgetTask(trace [16]byte) { p.state.Active.ReplayForgetTask(trace) }

// ForgetStep removes a step.
func (p *Replay) ForgetStep(trace [16]byte, step uint64) {
	p.state.Active.ReplayForgetStep(trace, step)
}

// Seen restores that a span or an event was measured.
func (p *Replay) Seen(things records.Things, key uint64) {
	switch things {
	case records.Spans:
		p.state.Spans.Add(key)
	case records.Events:
		p.state.Events.Add(key)
	}
}
