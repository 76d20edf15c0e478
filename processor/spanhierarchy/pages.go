// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"math"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy/internal/recent"
)

// pages gives the live pages access to the tasks. It is nil without the extension tasker_pages, and then nothing is kept.
type pages struct {
	shards   []*shard
	clock    *clock
	recent   *recent.Store
	late     *lateEvents
	together bool // spans are emitted only when their task has ended
	withdraw func()

	walking sync.Mutex // held for one walk at a time: a shard supports one round
}

var _ livedata.Tasks = (*pages)(nil)

// offerPages is called before the first event is observed, and before the loops of the shards begin.
func (h *hierarchy) offerPages(host component.Host) {
	registry := livedata.Find(host)
	if registry == nil {
		return
	}
	h.pages = &pages{
		shards: h.shards, clock: &h.clock, recent: recent.New(registry.Keep()), late: newLateEvents(), together: h.together,
	}
	for _, s := range h.shards {
		s.assembler.Watch()
		s.assembler.OnLate(h.pages.late.add)
	}
	h.pages.withdraw = registry.OfferTasks(h.id, h.pages)
}

// emitted keeps a tree for the pages.
func (p *pages) emitted(tree *tree.Tree) {
	if p != nil {
		p.recent.Add(tree, time.Now())
	}
}

func (p *pages) stop() {
	if p != nil {
		p.withdraw()
	}
}

// visitedAtOnce is how many open tasks are copied before a shard's lock is released: a few microseconds.
const visitedAtOnce = 128

// Open returns copies of the open tasks' summaries.
func (p *pages) Open(text string, now time.Time) []assembly.OpenTask {
	p.walking.Lock()
	defer p.walking.Unlock()
	var found []assembly.OpenTask
	if text == "" {
		found = make([]assembly.OpenTask, 0, p.count())
	}
	deadlines := p.clock.now() // the present in the assemblers' time
	behind := now.Sub(deadlines)
	add := func(task *assembly.OpenTask) {
		task.Arrived += int64(behind)
		task.Due += int64(behind)
		if len(found) == cap(found) {
			found = slices.Grow(found, max(visitedAtOnce, len(found))) // append would copy a long list more often
		}
		found = append(found, *task)
	}
	for _, s := range p.shards {
		search := assembly.NewSearch(text)
		for place := math.MaxInt; place != 0; {
			place = s.visitOpen(place, deadlines, search, add)
		}
	}
	return found
}

// visitOpen visits some of the shard's open tasks. The lock is released also when a visit panics, from which the pages' server
// recovers: a page must not stop the shard.
func (s *shard) visitOpen(place int, now time.Time, search *assembly.Search, visit func(*assembly.OpenTask)) (next int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.assembler.VisitOpen(place, visitedAtOnce, now, search, visit)
}

// count returns the approximate number of open tasks.
func (p *pages) count() (n int) {
	for _, s := range p.shards {
		n += int(s.stats().OpenTasks)
	}
	return n
}

// Finished returns the emitted runs that are kept.
func (p *pages) Finished(text string) []livedata.Finished {
	return p.recent.Finished(assembly.NewSearch(text))
}

// Runs returns the emitted runs of a task that are kept, and those that are open, in their present state.
func (p *pages) Runs(key event.TraceID) []livedata.Run {
	runs := p.runs(key)
	if late := p.late.of(key); late != nil {
		for i := range runs {
			runs[i].Late = late
		}
	}
	return runs
}

func (p *pages) runs(key event.TraceID) []livedata.Run {
	snapshot := p.snapshot(key)
	var (
		runs  []livedata.Run
		parts *tree.Tree // of the run that is still open
	)
	for _, r := range p.recent.Runs(key) {
		if r.Open {
			parts = r.Tree
		} else {
			runs = append(runs, livedata.Run{Tree: r.Tree})
		}
	}
	if snapshot == nil {
		return runs
	}
	open := snapshot.Trees()
	missing := snapshot.Missing()
	for i, tree := range open {
		run := livedata.Run{Tree: tree, Open: true, Together: p.together, Repeated: snapshot.Repeated(), Missing: missing}
		if i == 0 && parts != nil {
			run.Settled = fill(tree, parts)
		}
		runs = append(runs, run)
	}
	return runs
}

// fill puts the emitted spans of a run into its tree, replacing those with the same id, and returns their ids.
func fill(tree, parts *tree.Tree) map[event.SpanID]bool {
	places := make(map[event.SpanID]int, len(tree.Spans))
	for i := range tree.Spans {
		places[tree.Spans[i].ID] = i
	}
	settled := make(map[event.SpanID]bool, len(parts.Spans))
	for i := range parts.Spans {
		span := &parts.Spans[i]
		settled[span.ID] = true
		if place, held := places[span.ID]; held {
			tree.Spans[place] = *span
			continue
		}
		tree.Spans = append(tree.Spans, *span)
	}
	return settled
}

func (p *pages) snapshot(key event.TraceID) *assembly.Snapshot {
	for _, s := range p.shards {
		if s.owner.shardOf(pcommon.TraceID(key)) == s {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.assembler.Snapshot(key)
		}
	}
	return nil
}

// Statistics returns the statistics of the last hour's spans.
func (p *pages) Statistics(now time.Time) livedata.Statistics { return p.recent.Statistics(now) }
