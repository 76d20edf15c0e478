// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package recent keeps recently emitted trees for the live pages: the trees of as many tasks as its bounds allow, and counts,
// durations and failures of the last hour. It is used only with the extension tasker_pages.
//
// A [Store] belongs to span_hierarchy, whose shards and the pages use it concurrently.
package recent

import (
	"container/list"
	"slices"
	"sync"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
)

// Store keeps the recent trees. It is safe for concurrent use.
type Store struct {
	keep livedata.Keep

	mu         sync.Mutex
	tasks      map[event.TraceID]*list.Element // of *kept
	order      *list.List                      // the latest emitted in front
	bytes      int64
	statistics statistics
	second     int64 // in which the successful runs were counted
	kept       int
}

// Bounds of the successful runs kept per second: an absolute number, and a share of the places. With more, each would be replaced
// before anybody can read it, and copying them would be wasted. All are counted.
const (
	keptPerSecond = 100
	placesPerKept = 5
)

// kept is what has been emitted of one task: trees, or parts of them, in the order in which they were emitted.
type kept struct {
	key     event.TraceID
	parts   []*tree.Tree
	emitted []int64
	bytes   int64

	runs []Run // joined from the parts; nil when a part has arrived since
}

// Run is a run of a task, as far as it has been emitted.
type Run struct {
	// Tree has the task's span first, unless the run is still open.
	Tree *tree.Tree
	// Open is true while the task's span has not been emitted.
	Open    bool
	summary livedata.Finished
}

// New makes a store.
func New(keep livedata.Keep) *Store {
	return &Store{keep: keep, tasks: map[event.TraceID]*list.Element{}, order: list.New(), statistics: newStatistics()}
}

// Add counts a tree, and keeps a copy of it. A part of a tree that was kept, such as a late span, joins it.
func (s *Store) Add(tree *tree.Tree, now time.Time) {
	if !s.count(tree, now) {
		return
	}
	copied := tree.Clone()
	bytes := copied.Size()
	s.mu.Lock()
	defer s.mu.Unlock()
	element := s.tasks[tree.Key]
	if element == nil {
		element = s.order.PushFront(&kept{key: tree.Key})
		s.tasks[tree.Key] = element
	}
	s.order.MoveToFront(element)
	k := element.Value.(*kept)
	k.parts, k.emitted, k.runs = append(k.parts, copied), append(k.emitted, now.UnixNano()), nil
	if root := &copied.Spans[0]; root.Name == lifecycle.SpanTask {
		s.statistics.addCritical(k.parts, root)
	}
	k.bytes += bytes
	s.bytes += bytes
	for s.order.Len() > s.keep.Tasks || s.bytes > s.keep.Bytes && s.order.Len() > 0 {
		oldest := s.order.Remove(s.order.Back()).(*kept)
		s.bytes -= oldest.bytes
		delete(s.tasks, oldest.key)
	}
}

// count counts a tree, and reports whether it is to be kept.
func (s *Store) count(t *tree.Tree, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.statistics.add(t, now)
	root := &t.Spans[0]
	if root.Name != lifecycle.SpanTask || statusOf(root) != lifecycle.StatusSuccess || s.tasks[t.Key] != nil {
		return true
	}
	if second := now.Unix(); second != s.second {
		s.second, s.kept = second, 0
	}
	if s.kept >= max(keptPerSecond, s.keep.Tasks/placesPerKept) {
		s.statistics.addCritical([]*tree.Tree{t}, root)
		return false
	}
	s.kept++
	return true
}

// Runs returns the runs of a task. They are shared and immutable.
func (s *Store) Runs(key event.TraceID) []Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	if element := s.tasks[key]; element != nil {
		return element.Value.(*kept).join()
	}
	return nil
}

// join joins the parts of each run: those that came before its task's span, and later those whose parent it holds.
func (k *kept) join() []Run {
	if k.runs != nil {
		return k.runs
	}
	var before []*tree.Tree // parts of a run that is still open
	for i, part := range k.parts {
		switch {
		case part.Spans[0].Name == lifecycle.SpanTask:
			whole := joined(part, before)
			k.runs = append(k.runs, Run{Tree: whole, summary: summary(whole, k.emitted[i])})
			before = nil
		case part.Part || !k.joinLate(part):
			before = append(before, part)
		}
	}
	if len(before) > 0 {
		k.runs = append(k.runs, Run{Tree: joined(before[0], before[1:]), Open: true})
	}
	return k.runs
}

func (k *kept) joinLate(late *tree.Tree) bool {
	for i := range k.runs {
		run := &k.runs[i]
		if slices.ContainsFunc(run.Tree.Spans, func(span tree.Span) bool { return span.ID == late.Spans[0].Parent }) {
			run.Tree = joined(run.Tree, []*tree.Tree{late})
			return true
		}
	}
	return false
}

func joined(first *tree.Tree, others []*tree.Tree) *tree.Tree {
	if len(others) == 0 {
		return first
	}
	whole := *first
	whole.Spans = slices.Clone(first.Spans)
	for _, other := range others {
		whole.Spans = append(whole.Spans, other.Spans...)
		whole.Cut += other.Cut
	}
	return &whole
}

// Finished returns the runs that match the search, the latest emitted first.
func (s *Store) Finished(search *assembly.Search) []livedata.Finished {
	s.mu.Lock()
	var runs []Run
	for element := s.order.Front(); element != nil; element = element.Next() {
		of := element.Value.(*kept).join()
		for i := len(of) - 1; i >= 0; i-- {
			if !of[i].Open {
				runs = append(runs, of[i])
			}
		}
	}
	s.mu.Unlock()
	var found []livedata.Finished
	for i := range runs {
		if mentions(runs[i].Tree, search) {
			found = append(found, runs[i].summary)
		}
	}
	return found
}

// Statistics returns those of the last hour.
func (s *Store) Statistics(now time.Time) livedata.Statistics {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.statistics.report(now)
}
