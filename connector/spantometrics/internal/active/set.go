// Package active keeps the set of ids that are open: tasks or steps that began and have not ended. The size of such a set
// is a number that repeated, lost or late events cannot shift for good, as they can a sum of plus and minus ones.
package active

import (
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/oplog"
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

// ID is a task's trace id, and for a step also a hash of its id.
type ID struct {
	Trace [16]byte
	Step  uint64
}

// Change is what an event says about an id.
type Change uint8

const (
	// Mentioned means that the id exists. It opens an id that is unknown, and never one that has ended.
	Mentioned Change = iota
	// Started means that the id began, or began again.
	Started
	// Ended means that the id came to its end.
	Ended
)

// Labeler names the gauge on which an open id is counted. It is asked under the registry's lock.
type Labeler interface {
	// Gauge is the id's gauge. complete is false if a later event may know better, and ok is false if the event does not
	// belong to any id after all.
	Gauge() (gauge series.Gauge, complete, ok bool)
}

// Options are the bounds of a set. Times are nanoseconds.
type Options struct {
	// MaxIDs that are remembered, open or ended.
	MaxIDs int
	// MaxAge is how long an id stays open after it was last heard of.
	MaxAge int64
	// Memory is how long an ended id is remembered, so that late events do not open it again.
	Memory int64
}

// Evictions counts the open ids that left the set without an event of their end.
type Evictions struct {
	// Aged were not heard of for MaxAge.
	Aged int64
	// Crowded gave way to newer ids.
	Crowded int64
	// Forgotten had ended, and gave way to newer ids before their time: a late event may open them again.
	Forgotten int64
}

// Set is a bounded set of ids. It has no lock of its own: the registry's lock guards it, since every change moves a gauge.
//
// Whether an id is open depends on the times of its events, not on the order in which they arrive: it is open unless its
// newest end is as late as its newest start or later.
type Set struct {
	options Options
	entries map[ID]*entry
	// open and ended list the entries by when they were last heard of, the longest unheard first.
	open, ended list
	evictions   Evictions
	// log takes every change, if the state is kept, as one of kind.
	log  *oplog.Log
	kind oplog.IDs
}

// entry is one id. started and ended are times of events, heard is one by the time that the state has been running.
type entry struct {
	id                    ID
	started, ended, heard int64
	// saved is the time of heard that was written down last.
	saved            int64
	gauge            series.Gauge
	isOpen, complete bool
	previous, next   *entry
}

// NewSet makes an empty set.
func NewSet(options Options) *Set {
	return &Set{options: options, entries: make(map[ID]*entry)}
}

// Len is the number of ids that are remembered.
func (s *Set) Len() int { return len(s.entries) }

// Observe takes in an event that happened at a time, heard now.
func (s *Set) Observe(id ID, change Change, at int64, now series.Instant, labeler Labeler) {
	e, known := s.entries[id]
	before := entry{}
	if known {
		before = *e
	} else {
		if now.Wall-at >= s.options.MaxAge {
			return
		}
		e = s.add(id, now)
	}
	switch change {
	case Started:
		e.started = max(e.started, at)
	case Ended:
		e.ended = max(e.ended, at)
	}
	e.heard = now.Running

	if e.ended != 0 && e.ended >= e.started {
		s.close(e, now)
	} else if !s.keepOpen(e, now, labeler) {
		return
	}
	s.write(e, &before)
}

// keepOpen counts the entry as open, on the best gauge that is known. It is false if there is no such entry after all.
func (s *Set) keepOpen(e *entry, now series.Instant, labeler Labeler) bool {
	if e.isOpen {
		s.open.remove(e)
	} else {
		s.ended.remove(e)
	}
	if !e.isOpen || !e.complete {
		gauge, complete, ok := labeler.Gauge()
		switch {
		case !ok && !e.isOpen:
			if e.saved != 0 {
				s.log.Forget(s.kind, e.id.Trace, e.id.Step)
			}
			delete(s.entries, e.id)
			return false
		case ok && !e.isOpen:
			gauge.Move(1, now)
			e.gauge, e.complete, e.isOpen = gauge, complete, true
		case ok && complete:
			gauge.Move(1, now)
			e.gauge.Move(-1, now)
			e.gauge, e.complete = gauge, true
		}
	}
	s.open.append(e)
	return true
}

// close counts the entry as open no longer.
func (s *Set) close(e *entry, now series.Instant) {
	if !e.isOpen {
		s.ended.remove(e)
		s.ended.append(e)
		return
	}
	e.gauge.Move(-1, now)
	e.gauge, e.isOpen = series.Gauge{}, false
	s.open.remove(e)
	s.ended.append(e)
}

// add makes room and remembers a new id, as ended for the moment.
func (s *Set) add(id ID, now series.Instant) *entry {
	for len(s.entries) >= s.options.MaxIDs { // more than one if the limit was lowered
		if s.ended.first != nil {
			s.evictions.Forgotten++
			s.drop(s.ended.first, now)
		} else {
			s.evictions.Crowded++
			s.drop(s.open.first, now)
		}
	}
	e := &entry{id: id}
	s.entries[id] = e
	s.ended.append(e)
	return e
}

// Age drops what was not heard of for too long, and returns the evictions since it was last called.
func (s *Set) Age(now series.Instant) Evictions {
	for e := s.open.first; e != nil && now.Running-e.heard >= s.options.MaxAge; e = s.open.first {
		s.evictions.Aged++
		s.drop(e, now)
	}
	for e := s.ended.first; e != nil && now.Running-e.heard >= s.options.Memory; e = s.ended.first {
		s.drop(e, now)
	}
	evictions := s.evictions
	s.evictions = Evictions{}
	return evictions
}

func (s *Set) drop(e *entry, now series.Instant) {
	if e.isOpen {
		e.gauge.Move(-1, now)
		s.open.remove(e)
	} else {
		s.ended.remove(e)
	}
	delete(s.entries, e.id)
	s.log.Forget(s.kind, e.id.Trace, e.id.Step)
}
