// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"cmp"
	"container/heap"
	"slices"
)

// leftFree is the fraction of the room that a cut leaves free for later applications.
const leftFree = 1. / 8

// cut merges series into overflow series until the limit is met, if the state comes from a process with a higher limit. It
// takes from the largest application the series without a value for the longest time. It returns the number of merged
// series. No value is lost.
func (r *Registry) cut() int {
	if !r.room.Over(0) {
		return 0
	}
	candidates := candidates{registry: r}
	for _, app := range r.order {
		candidates.list = append(candidates.list, r.candidate(app))
	}
	heap.Init(&candidates)
	count := 0
	for r.room.Over(leftFree) && len(candidates.list) > 0 {
		largest := candidates.list[0]
		if len(largest.series) == 0 { // only overflow series remain
			heap.Pop(&candidates)
			continue
		}
		r.fold(largest.series[0])
		largest.series = largest.series[1:]
		heap.Fix(&candidates, 0)
		count++
	}
	for _, app := range r.order {
		for metric := range app.families {
			family := &app.families[metric]
			family.order = slices.DeleteFunc(family.order, func(s *series) bool { return s.folded != nil })
			if family.overflow != nil && r.room.Over(0) {
				r.foldOverflow(app, metric)
				count++
			}
		}
	}
	return count
}

// candidate is an application with its series, those without a value for the longest time first.
type candidate struct {
	app    *application
	series []*series
}

func (r *Registry) candidate(app *application) *candidate {
	c := &candidate{app: app}
	for metric := range app.families {
		c.series = append(c.series, app.families[metric].order...)
	}
	slices.SortStableFunc(c.series, func(a, b *series) int { return cmp.Compare(a.touched, b.touched) })
	return c
}

// candidates is a heap of applications, the largest at the top.
type candidates struct {
	registry *Registry
	list     []*candidate
}

func (c *candidates) Len() int { return len(c.list) }
func (c *candidates) Less(i, j int) bool {
	return c.registry.room.Part(c.list[i].app.held) > c.registry.room.Part(c.list[j].app.held)
}
func (c *candidates) Swap(i, j int) { c.list[i], c.list[j] = c.list[j], c.list[i] }
func (c *candidates) Push(any)      { panic("candidates are never added") }
func (c *candidates) Pop() any {
	last := c.list[len(c.list)-1]
	c.list = c.list[:len(c.list)-1]
	return last
}

// fold merges a series into the overflow series of its metric and application. It remains in the family's order.
func (r *Registry) fold(s *series) {
	app := s.app
	family := &app.families[s.metric]
	delete(family.byKey, s.key)
	r.room.Remove(&app.held, s.bytes)
	if family.overflow == nil {
		family.overflow = &series{id: r.nextID(), app: app, metric: s.metric, started: s.started}
		if !app.overflow {
			family.overflow.bytes = r.size(app, s.metric, nil)
			r.room.Add(&app.heldByOverflow, family.overflow.bytes)
		}
	}
	r.foldInto(family.overflow, s)
}

// foldOverflow merges an application's overflow series into that of the overflow application.
func (r *Registry) foldOverflow(app *application, metric int) {
	s := app.families[metric].overflow
	r.removeOverflow(app, &app.families[metric])
	rest := r.overflowApplication()
	last := &rest.families[metric]
	if last.overflow == nil {
		last.overflow = &series{id: r.nextID(), app: rest, metric: metric, started: s.started}
	}
	r.foldInto(last.overflow, s)
}

// foldInto merges a series into another one, which replaces it.
func (r *Registry) foldInto(into, from *series) {
	definition := &r.definitions[from.metric]
	switch definition.Kind {
	case KindGauge:
		into.Level += from.Level
	case KindLast:
		into.set(from.Level, from.Max)
	default:
		into.merge(definition, &from.Value, r.options.Exemplars)
	}
	into.started = min(into.started, from.started)
	into.touched = max(into.touched, from.touched)
	into.pending = into.pending || from.pending
	from.folded = into
}
