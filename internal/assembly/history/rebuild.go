// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
)

// With times in whole seconds and arrival out of order, neither gives the order of a pass's events. What the engine can have done
// still does. Events of a pass carry its correlation id; a discovery lists the steps of its batch; a batch comes after the one with
// the steps that its steps depend on; an attempt is requested, handled and ended in this order. The parts below put a task's
// records in the only order that this leaves.

// rebuilder puts the records of tasks in such an order, one task after the other. Its memory is reused for the next task.
type rebuilder struct {
	task     *Source
	arrived  []event.Record
	repeated repetitions
	passes   []*passRecords // in the order in which they ran
	byThread []*passRecords // by correlation id
	rest     restRecords
	listed   []bool         // by step: buffer for the discoveries of a pass
	ofStep   []event.Record // buffer for the records of a step
	out      sequence
	arena    struct {
		passes slab[passRecords]
		stages slab[stage]
	}
}

// passRecords are the records of one pass.
type passRecords struct {
	job, begin, end int64 // the job's number and the first and last time
	early, late     []event.Record
	found           []event.Record // nothing left to do, and what may happen at any time
	stages          []*stage
	began, ended    []event.Record // batches
}

// stage is a batch: the steps that a discovery listed.
type stage struct {
	steps      []int16
	discovered []event.Record
	records    []event.Record
}

// rebuild returns the records of a task in an order in which an engine can have fired them, without repetitions; nil when they do not
// determine one. They are valid until the next call.
func (b *rebuilder) rebuild(t *Source) []event.Record {
	defer b.reset()
	b.task = t
	b.arrived = t.Events.Unpack(b.arrived[:0])
	if !b.divide(b.repeated.drop(b.arrived)) {
		return nil
	}
	for _, r := range b.rest.steps {
		s := b.stageOf(r)
		if s == nil {
			return nil
		}
		s.records = append(s.records, r)
	}
	b.place()
	b.out = sequence{records: slices.Grow(b.out.records[:0], len(b.arrived))}
	others := b.rest.others
	place := func(before int) {
		for ; len(others) > 0 && others[0].before <= before; others = others[1:] {
			b.out.add(others[0].Record)
		}
	}
	for i, p := range b.passes {
		place(i)
		b.writePass(p)
	}
	place(len(b.passes))
	return b.out.records
}

// reset releases everything but the records in order.
func (b *rebuilder) reset() {
	b.arena.passes.reset(func(p *passRecords) {
		*p = passRecords{
			early: emptied(p.early), late: emptied(p.late), found: emptied(p.found), stages: emptied(p.stages), began: emptied(p.began), ended: emptied(p.ended),
		}
	})
	b.arena.stages.reset(func(s *stage) { *s = stage{discovered: emptied(s.discovered), records: emptied(s.records)} })
	clear(b.byThread)
	b.task, b.passes = nil, emptied(b.passes)
	b.rest = restRecords{steps: b.rest.steps[:0], others: b.rest.others[:0]}
}

// restRecords are the records without a pass's correlation id: events of steps, and those from outside of passes.
type restRecords struct {
	steps  []event.Record
	others []placed
}

// placed is a record to be placed before the pass with an index.
type placed struct {
	event.Record
	before int
}

// divide divides the records by pass. It returns false without a pass, when a pass's event has no correlation id, or when discoveries
// list a step twice.
func (b *rebuilder) divide(records []event.Record) bool {
	b.byThread = zeros(b.byThread, len(b.task.Events.CorrelationIDs)+1)
	for i := range records { // passes, by events that only a pass fires
		switch r := &records[i]; r.Kind {
		case event.PassBegan, event.Discovered, event.NothingViable, event.BatchBegan, event.BatchEnded, event.Finalizing, event.PassEnded:
			if r.CorrelationID == 0 {
				return false
			}
			if b.byThread[r.CorrelationID] == nil {
				p := b.arena.passes.next()
				p.begin = math.MaxInt64
				b.byThread[r.CorrelationID] = p
				b.passes = append(b.passes, p)
			}
		}
	}
	for i := range records {
		r := &records[i]
		p := b.byThread[r.CorrelationID]
		switch r.Kind {
		case event.StepRequested, event.HandlerBegan, event.Backoff, event.StepCompleted, event.StepFailed:
			if r.Step == event.NoStep {
				return false
			}
			b.rest.steps = append(b.rest.steps, *r)
			continue
		}
		if p == nil || !b.take(p, r) {
			b.rest.others = append(b.rest.others, placed{Record: *r})
			continue
		}
		p.begin, p.end = min(p.begin, r.At), max(p.end, r.At)
	}
	slices.SortStableFunc(b.passes, func(x, y *passRecords) int { return cmp.Or(cmp.Compare(x.begin, y.begin), cmp.Compare(x.job, y.job)) })
	return len(b.passes) > 0 && !slices.ContainsFunc(b.passes, b.listsTwice)
}

// listsTwice reports whether discoveries of a pass have a step twice.
func (b *rebuilder) listsTwice(p *passRecords) bool {
	b.listed = zeros(b.listed, len(b.task.Events.Steps))
	for _, s := range p.stages {
		for _, step := range s.steps {
			if b.listed[step] {
				return true
			}
			b.listed[step] = true
		}
	}
	return false
}

// take keeps a record of the pass's own correlation id, or reports that it is not of the pass.
func (b *rebuilder) take(p *passRecords, r *event.Record) bool {
	switch r.Kind {
	case event.JobBegan:
		p.job = int64(r.Number)
		p.early = append(p.early, *r)
	case event.TaskStarted, event.PassBegan:
		p.early = append(p.early, *r)
	case event.Discovered:
		steps := b.task.Events.List(r)
		for _, s := range p.stages {
			if slices.Equal(s.steps, steps) {
				s.discovered = append(s.discovered, *r)
				return true
			}
		}
		s := b.arena.stages.next()
		s.steps, s.discovered = steps, append(s.discovered, *r)
		p.stages = append(p.stages, s)
	case event.BatchBegan:
		p.began = append(p.began, *r)
	case event.BatchEnded:
		p.ended = append(p.ended, *r)
	case event.NothingViable:
		p.found = append(p.found, *r)
	case event.Finalizing, event.TaskPending, event.TaskCompleted, event.TaskFailed, event.PassEnded:
		p.late = append(p.late, *r)
	default:
		return false
	}
	return true
}

// stageOf finds the batch of a step's event: the first that lists the step in a pass that the time allows; the end of a
// pass, too, may be up to a second later than its clock says.
func (b *rebuilder) stageOf(r event.Record) *stage {
	for _, late := range [...]time.Duration{0, time.Second} {
		for _, p := range b.passes {
			if r.At > p.end+int64(late) || r.At+int64(time.Second) <= p.begin {
				continue
			}
			for _, s := range p.stages {
				if slices.Contains(s.steps, r.Step) {
					return s
				}
			}
		}
	}
	return nil
}

// place inserts the events from outside: the creation first, what leads to a pass before it, what can happen at any time in the
// pass of its time, everything else between passes.
func (b *rebuilder) place() {
	rest := &b.rest
	rest.others = slices.DeleteFunc(rest.others, func(o placed) bool {
		if o.Kind != event.SpanEvent && o.Kind != event.Query {
			return false
		}
		for _, p := range b.passes {
			if p.begin < o.At+int64(time.Second) && o.At <= p.end {
				p.found = append(p.found, o.Record)
				return true
			}
		}
		return false
	})
	enqueued := false
	for i := range rest.others {
		o := &rest.others[i]
		switch {
		case o.Kind == event.Created, o.Kind == event.Enqueued && !enqueued:
			enqueued = enqueued || o.Kind == event.Enqueued
			continue
		}
		o.before = len(b.passes)
		for j, p := range b.passes {
			if p.begin > o.At || p.begin+int64(time.Second) > o.At && p.follows(&o.Record) {
				o.before = j
				break
			}
		}
	}
	slices.SortStableFunc(rest.others, func(x, y placed) int {
		return cmp.Or(cmp.Compare(x.before, y.before), cmp.Compare(x.At, y.At), cmp.Compare(x.Kind, y.Kind))
	})
}

// follows reports whether the event leads to such a pass: the task is enqueued, or one of its steps is reset.
func (p *passRecords) follows(r *event.Record) bool {
	switch r.Kind {
	case event.Enqueued, event.TaskPending:
		return true
	case event.StepReset:
		return slices.ContainsFunc(p.stages, func(s *stage) bool { return slices.Contains(s.steps, r.Step) })
	}
	return false
}

// writePass writes the pass from its beginning to its end.
func (b *rebuilder) writePass(p *passRecords) {
	out := &b.out
	byKind := func(x, y event.Record) int { return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.At, y.At)) }
	byTime := func(x, y event.Record) int { return cmp.Compare(x.At, y.At) }
	slices.SortStableFunc(p.early, byKind)
	slices.SortStableFunc(p.late, byKind)
	slices.SortStableFunc(p.began, byTime)
	slices.SortStableFunc(p.ended, byTime)
	out.add(p.early...)
	ends := p.ended
	for len(p.stages) > 0 {
		s := b.task.nextStage(p)
		out.add(s.discovered...)
		if i := slices.IndexFunc(p.began, func(r event.Record) bool { return int(r.Number) == len(s.steps) }); i >= 0 {
			out.add(p.began[i])
			p.began = slices.Delete(p.began, i, i+1)
		}
		began, ended := out.high, out.high
		for _, step := range s.steps { // they run concurrently: each begins with the batch
			out.high = began
			b.ofStep = b.ofStep[:0]
			for i := range s.records {
				if s.records[i].Step == step {
					b.ofStep = append(b.ofStep, s.records[i])
				}
			}
			slices.SortStableFunc(b.ofStep, byKind)
			out.add(b.ofStep...)
			ended = max(ended, out.high)
		}
		out.high = ended
		if len(ends) > 0 {
			out.add(ends[0])
			ends = ends[1:]
		}
	}
	out.add(p.began...)
	out.add(ends...)
	out.add(p.found...)
	out.add(p.late...)
}

// nextStage removes the batch of the pass that depends on no remaining one; of several the earliest.
func (t *Source) nextStage(p *passRecords) *stage {
	best := -1
	for i, s := range p.stages {
		waits := slices.ContainsFunc(p.stages, func(other *stage) bool { return other != s && t.dependsOn(s, other) })
		if !waits && (best < 0 || s.first() < p.stages[best].first()) {
			best = i
		}
	}
	best = max(best, 0) // a cycle, which the engine does not allow
	s := p.stages[best]
	p.stages = slices.Delete(p.stages, best, best+1)
	return s
}

func (s *stage) first() int64 {
	first := s.discovered[0].At
	for _, r := range s.records {
		first = min(first, r.At)
	}
	return first
}

// dependsOn reports whether a step of the batch waits for one of the other.
func (t *Source) dependsOn(s, other *stage) bool {
	for _, step := range s.steps {
		for _, before := range other.steps {
			if slices.Contains(t.Events.Steps[step].Deps, t.Events.Steps[before].Name) {
				return true
			}
		}
	}
	return false
}

// sequence is a list of records. A record that is earlier than the one before it by less than its clock's resolution gets the time
// of that one.
type sequence struct {
	records []event.Record
	high    int64
}

func (q *sequence) add(records ...event.Record) {
	for _, r := range records {
		if r.At <= q.high && q.high < r.At+resolution(r.At) {
			r.At = q.high
		}
		q.high = max(q.high, r.At)
		q.records = append(q.records, r)
	}
}

// resolution returns how much a time may be too early, judged by its digits below the second and the millisecond.
func resolution(at int64) int64 {
	for _, unit := range [...]time.Duration{time.Second, time.Millisecond} {
		if at%int64(unit) == 0 {
			return int64(unit)
		}
	}
	return 0
}
