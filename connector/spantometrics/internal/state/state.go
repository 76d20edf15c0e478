// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"slices"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/active"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/plan"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/seen"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

// Options bound the state.
type Options struct {
	Series series.Options
	Active active.Options
	// Remembered is the maximum number of remembered spans, and of events.
	Remembered int
}

// State is the state of an instance.
type State struct {
	// Series has the mutex that guards the other parts.
	Series *series.Registry
	Active *active.Tracker
	// Spans and Events are those that were measured. They are separate because the many events would displace the spans.
	Spans, Events *seen.Set

	plans *plan.Set
}

// New makes an empty state of the series of definitions, which the plans measure.
func New(definitions []series.Definition, plans *plan.Set, options Options, now int64) *State {
	return &State{
		Series: series.NewRegistry(definitions, options.Series, now),
		Active: active.New(options.Active),
		Spans:  seen.New(options.Remembered),
		Events: seen.New(options.Remembered),
		plans:  plans,
	}
}

// Age removes expired tasks and steps, and updates the ages of the open ones. It returns the number that is left.
func (s *State) Age(now series.Instant) (left int, evictions active.Evictions) {
	w := s.Series.Begin(now)
	defer w.End()
	evictions = s.Active.Age(now, plan.Gauges{Set: s.plans, Writer: &w})
	return s.Active.Len(), evictions
}

// SetLog makes all parts write their changes to a log. It must be called before the first batch.
func (s *State) SetLog(log *records.Log) {
	s.Series.SetLog(log)
	s.Active.SetLog(log)
	s.Spans.SetLog(log, records.Spans)
	s.Events.SetLog(log, records.Events)
}

// Snapshot makes entries that restore the state, and calls put with them and their size before the state changes.
func (s *State) Snapshot(now series.Instant, identity *records.Identity, put func(entries [][]byte, size int64)) {
	var entries [][]byte
	size := int64(0)
	log := records.New(func(entry []byte) {
		entries = append(entries, slices.Clone(entry))
		size += int64(len(entry))
	})
	w := s.Series.Begin(now)
	defer w.End()
	log.Begin(now)
	log.Identity(identity)
	w.Write(log)
	s.Active.Write(log)
	s.Spans.Write(log, records.Spans)
	s.Events.Write(log, records.Events)
	log.End()
	put(entries, size)
}
