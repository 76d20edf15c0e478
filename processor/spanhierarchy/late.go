// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
)

// Bounds of the late events kept.
const (
	lateTasks  = 1000
	lateNames  = 16 // per task; further names are counted together
	lateLatest = 5
	otherNames = "others"
)

// lateEvents are the late events of the tasks that had the latest, for the pages. They are kept apart from the tasks, because most
// have none and many are already released when they arrive.
type lateEvents struct {
	mu    sync.Mutex
	tasks map[event.TraceID]*late
	order []event.TraceID // a ring once it is full
	next  int             // index of the ring's oldest
}

type late struct {
	count  int
	names  map[string]int
	latest []livedata.LateEvent
}

func newLateEvents() *lateEvents { return &lateEvents{tasks: map[event.TraceID]*late{}} }

// add records an event. Its name is copied, because it is part of a larger string.
func (l *lateEvents) add(e *event.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.tasks[e.TraceID]
	if of == nil {
		of = &late{names: map[string]int{}}
		l.tasks[e.TraceID] = of
		if len(l.order) < lateTasks {
			l.order = append(l.order, e.TraceID)
		} else {
			delete(l.tasks, l.order[l.next])
			l.order[l.next] = e.TraceID
			l.next = (l.next + 1) % lateTasks
		}
	}
	of.count++
	name := strings.Clone(e.Name)
	if of.names[name] == 0 && len(of.names) >= lateNames {
		of.names[otherNames]++
	} else {
		of.names[name]++
	}
	if len(of.latest) == lateLatest {
		of.latest = append(of.latest[:0], of.latest[1:]...)
	}
	of.latest = append(of.latest, livedata.LateEvent{Event: name, At: e.At, Came: time.Now().UnixNano()})
}

// of returns the late events of a task; nil if there are none.
func (l *lateEvents) of(key event.TraceID) *livedata.Late {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := l.tasks[key]
	if kept == nil {
		return nil
	}
	late := &livedata.Late{Count: kept.count, Latest: slices.Clone(kept.latest)}
	for _, name := range slices.Sorted(maps.Keys(kept.names)) {
		late.Names = append(late.Names, livedata.LateName{Event: name, Count: kept.names[name]})
	}
	slices.SortStableFunc(late.Names, func(a, b livedata.LateName) int { return cmp.Compare(b.Count, a.Count) })
	return late
}
