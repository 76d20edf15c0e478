// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/deadlines"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
)

// Snapshot is a copy of an open task, from which its trees can be built while the assembler is in use.
type Snapshot struct {
	task    task
	limits  Limits
	lacking []history.Missing
}

// Snapshot copies an open task; nil when none is open under that id. It copies the packed events without reading them.
func (a *Assembler) Snapshot(key event.TraceID) *Snapshot {
	t := a.tasks[key]
	if t == nil || t.Released != nil && !t.active {
		return nil
	}
	a.wake(t)
	s := &Snapshot{task: *t, limits: a.limits}
	s.task.Events = t.Events.Clone()
	s.task.Released = t.Released.Clone()
	s.task.ShowWhole()
	s.task.Records, s.task.watch = nil, nil
	s.task.idle, s.task.deadline = deadlines.Place[*task]{}, deadlines.Entry[*task]{}
	return s
}

// Trees builds the trees of the runs that are not released; the last one may be open: its open spans are marked incomplete and end
// with the last event. It is called once. The trees are the caller's.
func (s *Snapshot) Trees() []*tree.Tree {
	reader := history.NewReader(s.limits.ofTree())
	before := s.task.Released.Clone()
	if before == nil {
		before = new(history.Released)
	}
	var trees []*tree.Tree
	for _, n := range reader.ReadAll(&s.task.Source, s.task.limits.patience()) {
		var c tree.Composer // a composer of its own, so that the tree stays valid
		trees = append(trees, c.Compose(&s.task.Task, n, before, tree.ReasonOpen, nil))
		s.lacking = s.task.Missing(n)
	}
	return trees
}

// Repeated returns how many of the task's held events repeat others. It is called after Trees.
func (s *Snapshot) Repeated() int { return max(0, s.task.Events.Count()-len(s.task.Records)) }

// Missing lists what is known to be missing of the ended parts of the run that is open, or ended last. It is called after Trees.
func (s *Snapshot) Missing() []history.Missing { return s.lacking }
