package spanhierarchy

import (
	"math"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy/internal/recent"
)

// pages is what the live pages see of the tasks. Without the extension tasker_pages there is none, and nothing is kept.
type pages struct {
	shards          []*shard
	clock           *clock
	recent          *recent.Store
	reorder, settle time.Duration
	withdraw        func()

	walking sync.Mutex // by one at a time: a shard knows one round
}

var _ livedata.Tasks = (*pages)(nil)

// offerPages is called before the first event is observed, and before the loops of the shards begin.
func (h *hierarchy) offerPages(host component.Host) {
	registry := livedata.Find(host)
	if registry == nil {
		return
	}
	h.pages = &pages{
		shards: h.shards, clock: &h.clock, recent: recent.New(registry.Keep()), reorder: h.reorder, settle: h.settle,
	}
	for _, s := range h.shards {
		s.assembler.Watch()
	}
	h.pages.withdraw = registry.OfferTasks(h.id, h.pages)
}

// emitted keeps a tree for the pages.
func (p *pages) emitted(tree *assembly.Tree) {
	if p != nil {
		p.recent.Add(tree, time.Now())
	}
}

func (p *pages) stop() {
	if p != nil {
		p.withdraw()
	}
}

// visitedAtOnce is how many open tasks are copied before a shard's lock is let go: a few microseconds.
const visitedAtOnce = 128

// Open copies what is known of the open tasks.
func (p *pages) Open(text string, now time.Time) []assembly.OpenTask {
	p.walking.Lock()
	defer p.walking.Unlock()
	var found []assembly.OpenTask
	deadlines := p.clock.now() // what the assemblers call now
	behind := now.Sub(deadlines)
	for _, s := range p.shards {
		search := assembly.NewSearch(text)
		for place := math.MaxInt; place != 0; {
			s.mu.Lock()
			place = s.assembler.VisitOpen(place, visitedAtOnce, deadlines, search, func(task *assembly.OpenTask) {
				task.Arrived += int64(behind)
				found = append(found, *task)
			})
			s.mu.Unlock()
		}
	}
	return found
}

// Finished are the emitted runs that are kept.
func (p *pages) Finished(text string) []livedata.Finished {
	return p.recent.Finished(assembly.NewSearch(text))
}

// Trees are the emitted runs of a task that are kept, and those that are open, as they are now.
func (p *pages) Trees(key assembly.TraceID) []*assembly.Tree {
	snapshot := p.snapshot(key)
	trees := p.recent.Trees(key)
	if snapshot != nil {
		trees = append(trees, snapshot.Trees()...)
	}
	return trees
}

func (p *pages) snapshot(key assembly.TraceID) *assembly.Snapshot {
	for _, s := range p.shards {
		if s.owner.shardOf(pcommon.TraceID(key)) == s {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.assembler.Snapshot(key)
		}
	}
	return nil
}

// Statistics are those of what was emitted in the last hour.
func (p *pages) Statistics(now time.Time) livedata.Statistics { return p.recent.Statistics(now) }

// Waits are how long an ended task waits for what is late, and for what is missing.
func (p *pages) Waits() (reorderWindow, settleTimeout time.Duration) { return p.reorder, p.settle }
