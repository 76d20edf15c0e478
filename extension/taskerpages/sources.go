// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerpages

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
)

// sources are the offers of components. The mutex is not held while a component is called.
type sources struct {
	mu     sync.RWMutex
	tasks  []offer[livedata.Tasks]
	routes []offer[livedata.Routes]
}

type offer[S any] struct {
	id     component.ID
	number int // distinguishes offers of one component, which may be in several pipelines
	source S
}

// OfferTasks implements livedata.Registry.
func (p *pages) OfferTasks(id component.ID, tasks livedata.Tasks) (withdraw func()) {
	return add(&p.sources.mu, &p.sources.tasks, id, tasks)
}

// OfferRoutes implements livedata.Registry.
func (p *pages) OfferRoutes(id component.ID, routes livedata.Routes) (withdraw func()) {
	return add(&p.sources.mu, &p.sources.routes, id, routes)
}

// Keep implements livedata.Registry.
func (p *pages) Keep() livedata.Keep {
	return livedata.Keep{Tasks: p.config.RecentTasks, Bytes: p.config.RecentBytes}
}

func add[S any](mu *sync.RWMutex, list *[]offer[S], id component.ID, source S) (withdraw func()) {
	mu.Lock()
	defer mu.Unlock()
	number := 0
	for _, o := range *list {
		number = max(number, o.number+1)
	}
	*list = append(slices.Clip(*list), offer[S]{id, number, source})
	slices.SortFunc(*list, func(a, b offer[S]) int {
		return cmp.Or(cmp.Compare(a.id.String(), b.id.String()), cmp.Compare(a.number, b.number))
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		*list = slices.DeleteFunc(slices.Clone(*list), func(o offer[S]) bool { return o.number == number })
	}
}

func (s *sources) allTasks() []offer[livedata.Tasks] {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.tasks
}

func (s *sources) allRoutes() []offer[livedata.Routes] {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.routes
}

// taskCache caches the components' tasks, so that many viewers cost as little as one. Its content must not be changed.
type taskCache struct {
	mu     sync.Mutex
	open   openTasks
	done   []livedata.Finished
	doneAt time.Time

	statistics   livedata.Statistics
	statisticsAt time.Time
}

type openTasks struct {
	tasks []assembly.OpenTask
	at    time.Time
}

// openTasks returns the open tasks that contain a text. Without a text they may be as old as refresh_interval.
func (p *pages) openTasks(text string) openTasks {
	if text != "" {
		return p.askOpen(text)
	}
	p.tasks.mu.Lock()
	defer p.tasks.mu.Unlock()
	if now := p.now(); now.Sub(p.tasks.open.at) >= p.config.RefreshInterval {
		p.tasks.open = p.askOpen("")
	}
	return p.tasks.open
}

func (p *pages) askOpen(text string) openTasks {
	all := openTasks{at: p.now()}
	for _, o := range p.sources.allTasks() {
		if tasks := o.source.Open(text, all.at); all.tasks == nil {
			all.tasks = tasks
		} else {
			all.tasks = append(all.tasks, tasks...)
		}
	}
	return all
}

// finishedTasks returns the emitted runs that contain a text, latest first.
func (p *pages) finishedTasks(text string) []livedata.Finished {
	ask := func() (all []livedata.Finished) {
		for _, o := range p.sources.allTasks() {
			all = append(all, o.source.Finished(text)...)
		}
		return all
	}
	if text != "" {
		return ask()
	}
	p.tasks.mu.Lock()
	defer p.tasks.mu.Unlock()
	if now := p.now(); now.Sub(p.tasks.doneAt) >= p.config.RefreshInterval {
		p.tasks.done, p.tasks.doneAt = ask(), now
	}
	return p.tasks.done
}

// runsOf returns the runs of a task.
func (p *pages) runsOf(key event.TraceID) []livedata.Run {
	for _, o := range p.sources.allTasks() {
		if runs := o.source.Runs(key); len(runs) > 0 {
			return runs
		}
	}
	return nil
}

// statistics returns the statistics of all components that hold tasks.
func (p *pages) statistics() livedata.Statistics {
	p.tasks.mu.Lock()
	defer p.tasks.mu.Unlock()
	if now := p.now(); now.Sub(p.tasks.statisticsAt) >= p.config.RefreshInterval {
		p.tasks.statistics, p.tasks.statisticsAt = p.askStatistics(now), now
	}
	return p.tasks.statistics
}

func (p *pages) askStatistics(now time.Time) livedata.Statistics {
	var all livedata.Statistics
	for _, o := range p.sources.allTasks() {
		s := o.source.Statistics(now)
		all.Workflows = append(all.Workflows, s.Workflows...)
		all.Failures = append(all.Failures, s.Failures...)
		all.Left += s.Left
	}
	return all
}

// history holds the numbers of open tasks by state over the last 15 minutes.
type history struct {
	mu     sync.Mutex
	points []stateCounts
}

const historyPoints = 90

type stateCounts [assembly.States]int

func (h *history) add(counts stateCounts) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.points) == historyPoints {
		h.points = h.points[1:]
	}
	h.points = append(slices.Clip(h.points), counts)
}

// of returns the history of some states, with the current value last.
func (h *history) of(now stateCounts, states ...assembly.State) []int64 {
	h.mu.Lock()
	points := h.points
	h.mu.Unlock()
	series := make([]int64, 0, len(points)+1)
	for _, p := range append(slices.Clip(points), now) {
		sum := 0
		for _, s := range states {
			sum += p[s]
		}
		series = append(series, int64(sum))
	}
	return series
}

func countStates(tasks []assembly.OpenTask) (counts stateCounts) {
	for i := range tasks {
		counts[tasks[i].State]++
	}
	return counts
}
