// Package recent keeps what was emitted lately for the live pages: the trees of as many tasks as its bounds allow, and
// counts, durations and failures of the last hour. It exists only where the extension tasker_pages does.
package recent

import (
	"container/list"
	"slices"
	"sync"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
)

// Store is safe for concurrent use.
type Store struct {
	keep livedata.Keep

	mu         sync.Mutex
	tasks      map[assembly.TraceID]*list.Element // of *kept
	order      *list.List                         // the one that was emitted last in front
	bytes      int64
	statistics statistics
}

// kept are the trees of one task, in the order in which they were emitted.
type kept struct {
	key     assembly.TraceID
	trees   []*assembly.Tree
	emitted []int64
	bytes   int64
}

// New makes a store.
func New(keep livedata.Keep) *Store {
	return &Store{keep: keep, tasks: map[assembly.TraceID]*list.Element{}, order: list.New(), statistics: newStatistics()}
}

// Add keeps a copy of a tree. A part of a tree that was kept, such as a late span, joins it.
func (s *Store) Add(tree *assembly.Tree, now time.Time) {
	copied := tree.Clone()
	bytes := copied.Size()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.statistics.add(tree, now)
	element := s.tasks[tree.Key]
	if element == nil {
		element = s.order.PushFront(&kept{key: tree.Key})
		s.tasks[tree.Key] = element
	}
	s.order.MoveToFront(element)
	k := element.Value.(*kept)
	k.trees, k.emitted = append(k.trees, copied), append(k.emitted, now.UnixNano())
	if root := &copied.Spans[0]; root.Name == lifecycle.SpanTask {
		s.statistics.addCritical(k.trees, root)
	}
	k.bytes += bytes
	s.bytes += bytes
	for s.order.Len() > s.keep.Tasks || s.bytes > s.keep.Bytes && s.order.Len() > 0 {
		oldest := s.order.Remove(s.order.Back()).(*kept)
		s.bytes -= oldest.bytes
		delete(s.tasks, oldest.key)
	}
}

// Trees are the runs of a task. They are shared: nobody changes them.
func (s *Store) Trees(key assembly.TraceID) []*assembly.Tree {
	s.mu.Lock()
	defer s.mu.Unlock()
	element := s.tasks[key]
	if element == nil {
		return nil
	}
	return runs(element.Value.(*kept).trees)
}

// runs joins the parts of each run: a part without a task's span belongs to the run that holds its parent.
func runs(parts []*assembly.Tree) []*assembly.Tree {
	var whole []*assembly.Tree
	for _, part := range parts {
		if part.Spans[0].Name == lifecycle.SpanTask {
			whole = append(whole, part)
		}
	}
	for _, part := range parts {
		if part.Spans[0].Name == lifecycle.SpanTask {
			continue
		}
		for i, run := range whole {
			if slices.ContainsFunc(run.Spans, func(span assembly.Span) bool { return span.ID == part.Spans[0].Parent }) {
				joined := *run
				joined.Spans = append(slices.Clip(run.Spans), part.Spans...)
				whole[i] = &joined
				break
			}
		}
	}
	return whole
}

// Finished are the runs that mention a text, the one that was emitted last first.
func (s *Store) Finished(search *assembly.Search) []livedata.Finished {
	s.mu.Lock()
	tasks := make([]kept, 0, s.order.Len())
	for element := s.order.Front(); element != nil; element = element.Next() {
		tasks = append(tasks, *element.Value.(*kept)) // lists only grow, and trees are not changed
	}
	s.mu.Unlock()
	var found []livedata.Finished
	for i := range tasks {
		for j := len(tasks[i].trees) - 1; j >= 0; j-- {
			tree := tasks[i].trees[j]
			if tree.Spans[0].Name == lifecycle.SpanTask && mentions(tree, search) {
				found = append(found, summary(tree, tasks[i].emitted[j]))
			}
		}
	}
	return found
}

// Statistics are those of the last hour.
func (s *Store) Statistics(now time.Time) livedata.Statistics {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.statistics.report(now)
}
