// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package active

import (
	"container/heap"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/series"
)

// group is a heap of the open tasks of one age gauge, with the oldest at the top.
type group struct {
	gauge series.Gauge
	tasks []*task
}

func (g *group) Len() int           { return len(g.tasks) }
func (g *group) Less(i, j int) bool { return g.tasks[i].since() < g.tasks[j].since() }

func (g *group) Swap(i, j int) {
	g.tasks[i], g.tasks[j] = g.tasks[j], g.tasks[i]
	g.tasks[i].inGroup, g.tasks[j].inGroup = i, j
}

func (g *group) Push(e any) {
	added := e.(*task)
	added.inGroup = len(g.tasks)
	g.tasks = append(g.tasks, added)
}

func (g *group) Pop() any {
	last := g.tasks[len(g.tasks)-1]
	g.tasks[len(g.tasks)-1] = nil
	g.tasks = g.tasks[:len(g.tasks)-1]
	return last
}

// joinGroup adds a task to the group of an age gauge; nothing if there is none.
func (t *Tracker) joinGroup(e *task, gauge series.Gauge) {
	if gauge == (series.Gauge{}) {
		return
	}
	joined, known := t.groups[gauge.ID()]
	if !known {
		joined = &group{gauge: gauge}
		t.groups[gauge.ID()] = joined
	}
	e.group = joined
	heap.Push(joined, e)
}

// leaveGroup removes a task from its group.
func (t *Tracker) leaveGroup(e *task, now series.Instant) {
	left := e.group
	if left == nil {
		return
	}
	heap.Remove(left, e.inGroup)
	e.group = nil
	if len(left.tasks) == 0 {
		left.gauge.Set(0, now)
		delete(t.groups, left.gauge.ID())
	}
}

// fixGroup restores the heap after a time of the task has changed.
func (t *Tracker) fixGroup(e *task) {
	if e.group != nil {
		heap.Fix(e.group, e.inGroup)
	}
}

// showAges sets the gauges to the ages of the oldest tasks.
func (t *Tracker) showAges(now series.Instant) {
	for _, g := range t.groups {
		g.gauge.Set(max(0, now.Wall-g.tasks[0].since()), now)
	}
}
