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

// rebuild returns the records, which are in the order of arrival and may be repeated, in an order in which an engine can have fired
// them; nil when they do not determine one.
func (t *Source) rebuild(arrived []event.Record) []event.Record {
	passes, rest := t.passRecords(distinctRecords(arrived))
	if len(passes) == 0 {
		return nil
	}
	for _, r := range rest.steps {
		s := stageOf(passes, r)
		if s == nil {
			return nil
		}
		s.records = append(s.records, r)
	}
	var out sequence
	next := 0
	place := func(before int) {
		for ; next < len(rest.others) && rest.others[next].before <= before; next++ {
			out.add(rest.others[next].Record)
		}
	}
	rest.place(passes)
	for i, p := range passes {
		place(i)
		t.writePass(&out, p)
	}
	place(len(passes))
	return out.records
}

// distinctRecords drops repetitions and keeps the order.
func distinctRecords(arrived []event.Record) []event.Record {
	seen := make(map[uint32]int, len(arrived))
	var kept []event.Record
	for _, r := range arrived {
		if first, again := seen[r.Identity]; again && kept[first].Same(&r) {
			continue
		}
		seen[r.Identity] = len(kept)
		kept = append(kept, r)
	}
	return kept
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

// passRecords divides the records by pass, in the order in which the passes ran. There are none when a pass's event has no
// correlation id, or when discoveries list a step twice.
func (t *Source) passRecords(records []event.Record) ([]*passRecords, *restRecords) {
	byThread := map[uint16]*passRecords{}
	rest := &restRecords{}
	var passes []*passRecords
	for _, r := range records { // passes, by events that only a pass fires
		switch r.Kind {
		case event.PassBegan, event.Discovered, event.NothingViable, event.BatchBegan, event.BatchEnded, event.Finalizing, event.PassEnded:
			if r.CorrelationID == 0 {
				return nil, rest
			}
			if byThread[r.CorrelationID] == nil {
				byThread[r.CorrelationID] = &passRecords{begin: math.MaxInt64}
				passes = append(passes, byThread[r.CorrelationID])
			}
		}
	}
	for _, r := range records {
		p := byThread[r.CorrelationID]
		switch r.Kind {
		case event.StepRequested, event.HandlerBegan, event.Backoff, event.StepCompleted, event.StepFailed:
			if r.Step == event.NoStep {
				return nil, rest
			}
			rest.steps = append(rest.steps, r)
			continue
		}
		if p == nil || !p.take(t, r) {
			rest.others = append(rest.others, placed{Record: r})
			continue
		}
		p.begin, p.end = min(p.begin, r.At), max(p.end, r.At)
	}
	for _, p := range passes {
		listed := map[int16]bool{}
		for _, s := range p.stages {
			for _, step := range s.steps {
				if listed[step] {
					return nil, rest
				}
				listed[step] = true
			}
		}
	}
	slices.SortStableFunc(passes, func(a, b *passRecords) int { return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.job, b.job)) })
	return passes, rest
}

// take keeps a record of the pass's own correlation id, or reports that it is not of the pass.
func (p *passRecords) take(t *Source, r event.Record) bool {
	switch r.Kind {
	case event.JobBegan:
		p.job = int64(r.Number)
		p.early = append(p.early, r)
	case event.TaskStarted, event.PassBegan:
		p.early = append(p.early, r)
	case event.Discovered:
		steps := t.Events.List(&r)
		for _, s := range p.stages {
			if slices.Equal(s.steps, steps) {
				s.discovered = append(s.discovered, r)
				return true
			}
		}
		p.stages = append(p.stages, &stage{steps: steps, discovered: []event.Record{r}})
	case event.BatchBegan:
		p.began = append(p.began, r)
	case event.BatchEnded:
		p.ended = append(p.ended, r)
	case event.NothingViable:
		p.found = append(p.found, r)
	case event.Finalizing, event.TaskPending, event.TaskCompleted, event.TaskFailed, event.PassEnded:
		p.late = append(p.late, r)
	default:
		return false
	}
	return true
}

// stageOf finds the batch of a step's event: the first that lists the step in a pass that the time allows; the end of a
// pass, too, may be up to a second later than its clock says.
func stageOf(passes []*passRecords, r event.Record) *stage {
	for _, late := range [...]time.Duration{0, time.Second} {
		for _, p := range passes {
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
func (rest *restRecords) place(passes []*passRecords) {
	rest.others = slices.DeleteFunc(rest.others, func(o placed) bool {
		if o.Kind != event.SpanEvent && o.Kind != event.Query {
			return false
		}
		for _, p := range passes {
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
		o.before = len(passes)
		for j, p := range passes {
			if p.begin > o.At || p.begin+int64(time.Second) > o.At && p.follows(&o.Record) {
				o.before = j
				break
			}
		}
	}
	slices.SortStableFunc(rest.others, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.before, b.before), cmp.Compare(a.At, b.At), cmp.Compare(a.Kind, b.Kind))
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
func (t *Source) writePass(out *sequence, p *passRecords) {
	byKind := func(a, b event.Record) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.At, b.At)) }
	byTime := func(a, b event.Record) int { return cmp.Compare(a.At, b.At) }
	slices.SortStableFunc(p.early, byKind)
	slices.SortStableFunc(p.late, byKind)
	slices.SortStableFunc(p.began, byTime)
	slices.SortStableFunc(p.ended, byTime)
	out.add(p.early...)
	for len(p.stages) > 0 {
		s := t.nextStage(p)
		out.add(s.discovered...)
		if i := slices.IndexFunc(p.began, func(r event.Record) bool { return int(r.Number) == len(s.steps) }); i >= 0 {
			out.add(p.began[i])
			p.began = slices.Delete(p.began, i, i+1)
		}
		began, ended := out.high, out.high
		for _, step := range s.steps { // they run concurrently: each begins with the batch
			out.high = began
			of := slices.DeleteFunc(slices.Clone(s.records), func(r event.Record) bool { return r.Step != step })
			slices.SortStableFunc(of, byKind)
			out.add(of...)
			ended = max(ended, out.high)
		}
		out.high = ended
		if len(p.ended) > 0 {
			out.add(p.ended[0])
			p.ended = p.ended[1:]
		}
	}
	out.add(p.began...)
	out.add(p.ended...)
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
