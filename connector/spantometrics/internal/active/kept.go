package active

import (
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/oplog"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

// KeepIn makes the set write every change into a log, as one of a kind.
func (s *Set) KeepIn(log *oplog.Log, kind oplog.IDs) { s.log, s.kind = log, kind }

// heardParts is how often, in the time for which an id is remembered, it is written down that it was heard of.
const heardParts = 8

// write writes down what has changed. That an id was heard of again, and no more, is written down now and then only.
func (s *Set) write(e, before *entry) {
	if s.log == nil {
		return
	}
	same := e.started == before.started && e.ended == before.ended && e.isOpen == before.isOpen &&
		e.complete == before.complete && e.gauge == before.gauge
	if same && e.heard-e.saved < min(s.options.MaxAge, s.options.Memory)/heardParts {
		return
	}
	e.saved = e.heard
	s.log.Active(s.kind, e.state())
}

func (e *entry) state() *oplog.Active {
	state := &oplog.Active{
		Trace: e.id.Trace, Step: e.id.Step, Started: e.started, Ended: e.ended, Heard: e.heard,
		IsOpen: e.isOpen, Complete: e.complete,
	}
	if e.isOpen {
		state.Gauge = e.gauge.ID()
	}
	return state
}

// Write writes the whole set into another log, the longest unheard ids first.
func (s *Set) Write(log *oplog.Log, kind oplog.IDs) {
	for _, l := range [...]list{s.ended, s.open} {
		for e := l.first; e != nil; e = e.next {
			log.Active(kind, e.state())
			log.Cut()
		}
	}
}

// Replay makes what was written down of an id so. An open id without a gauge is dropped: the metric is no longer there.
// The limit on ids does not hold here, because what it displaced was written down too.
func (s *Set) Replay(a *oplog.Active, gauge series.Gauge, found bool) {
	id := ID{a.Trace, a.Step}
	if e, known := s.entries[id]; known {
		s.drop(e, series.Instant{Running: a.Heard})
	}
	if a.IsOpen && !found {
		return
	}
	e := &entry{id: id, started: a.Started, ended: a.Ended, heard: a.Heard, saved: a.Heard, isOpen: a.IsOpen, complete: a.Complete}
	s.entries[id] = e
	if !a.IsOpen {
		s.ended.append(e)
		return
	}
	e.gauge = gauge
	gauge.Move(1, series.Instant{Running: a.Heard})
	s.open.append(e)
}

// ReplayForget drops an id.
func (s *Set) ReplayForget(trace [16]byte, step uint64) {
	if e, known := s.entries[ID{trace, step}]; known {
		s.drop(e, series.Instant{Running: e.heard})
	}
}
