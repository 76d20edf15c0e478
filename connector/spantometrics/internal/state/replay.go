// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/active"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/plan"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

// Replay applies the changes of stored entries to a state, in their order, as a [records.Handler].
type Replay struct {
	*series.Replay
	*active.Restorer
	state *State
	// Instance is the stored service.instance.id.
	Instance string
}

// Replay begins to restore the state, which must be empty. Nothing else may use it until Resume.
func (s *State) Replay() *Replay {
	p := s.Series.Replay()
	return &Replay{Replay: p, Restorer: s.Active.Restore(p.Gauge), state: s}
}

// Resume completes what was restored with what the entries do not contain: the ages of the open tasks.
func (p *Replay) Resume(now series.Instant) {
	w := p.state.Series.Begin(now)
	defer w.End()
	p.Restorer.Resume(plan.Gauges{Set: p.state.plans, Writer: &w})
}

// Identity restores who stored the state.
func (p *Replay) Identity(identity records.Identity) {
	p.Instance = identity.Instance
	p.Temporality(identity.Delta)
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
