// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/journal"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy/internal/records"
)

// state keeps the open tasks on a storage extension. Every event is durable before it is observed, and so before it is
// acknowledged; every release is made durable after the next component has accepted the trees. So a crash loses nothing, and at
// worst a tree is passed on again, under the same ids.
type state struct {
	journal *journal.Journal
	owner   *hierarchy
	writers sync.Pool // of *writer

	// gate is held for reading from the storing of events to their observation. Compaction holds it for writing, so that every
	// stored event is either of an open task or no longer needed.
	gate sync.RWMutex

	mu      sync.Mutex
	logged  int64     // approximate number of events in the journal
	needed  int64     // how many of them the latest compaction left
	lastLog time.Time // when it was last appended to
	written int64     // events and releases since the start
	marks   []mark    // what was written when, oldest first; see recent
}

// writer is what one request needs to store its events.
type writer struct {
	reader  *eventReader
	records *records.Writer
}

// errBacklog is retryable: nothing was accepted.
var errBacklog = errors.New("span_hierarchy: the storage does not accept the events; send again later")

func openState(ctx context.Context, host component.Host, storage, id component.ID, owner *hierarchy) (*state, error) {
	j, err := journal.Open(ctx, host, storage, journal.Owner{Kind: component.KindProcessor, ID: id}, owner.log)
	if err != nil {
		return nil, err
	}
	s := &state{journal: j, owner: owner}
	s.writers.New = func() any { return &writer{newEventReader(), records.NewWriter()} }
	return s, nil
}

// restore restores the shards' state from the journal. Internal telemetry may be read meanwhile.
func (s *state) restore(ctx context.Context) error {
	var (
		reader   = records.NewReader()
		recalled = recalled{done: map[event.TraceID]int{}}
		last     = time.Unix(0, 0) // the latest time in the journal
	)
	err := s.journal.Replay(ctx, func(entry []byte) error {
		at, err := reader.Releases(entry, recalled.add)
		if at.After(last) {
			last = at
		}
		return err
	})
	if err == nil {
		err = recalled.visit(func(release assembly.Release) error {
			return s.owner.shardOf(pcommon.TraceID(release.Trace)).recall(release)
		})
	}
	if err != nil {
		return fmt.Errorf("read the releases: %w", err)
	}
	s.owner.clock.goOn(last)
	s.marks = []mark{{at: s.owner.clock.now()}}
	err = s.journal.Replay(ctx, func(entry []byte) error {
		return reader.Events(entry, func(e *event.Event, arrival time.Time) {
			s.logged++
			if recalled.doneWith(e) {
				return
			}
			s.owner.shardOf(pcommon.TraceID(e.TraceID)).observeAgain(e, arrival)
		})
	})
	if err != nil {
		return fmt.Errorf("read the events: %w", err)
	}
	open, events := int64(0), int64(0)
	for _, shard := range s.owner.shards {
		stats := shard.resume()
		open, events = open+stats.OpenTasks, events+stats.HeldEvents
	}
	s.owner.log.Info("open tasks are kept on the storage; earlier ones are restored",
		zap.Int64("tasks", open), zap.Int64("events", events), zap.Int("released", len(recalled.done)))
	return nil
}

// record makes the events durable.
func (s *state) record(ctx context.Context, in *intake, now time.Time) error {
	if s.journal.Backlog() > journal.MaxBacklog {
		return errBacklog
	}
	w := s.writers.Get().(*writer)
	defer s.writers.Put(w)
	w.records.Begin(now)
	for i := range in.parts {
		for shard := range in.parts[i].of {
			if err := w.reader.decode(in, &in.parts[i], shard, w.records.Event); err != nil {
				return err
			}
		}
	}
	return s.store(ctx, w, now)
}

// released makes releases durable. Without any it only writes the time.
func (s *state) released(ctx context.Context, releases []assembly.Release, now time.Time) error {
	w := s.writers.Get().(*writer)
	defer s.writers.Put(w)
	w.records.Begin(now)
	for i := range releases {
		w.records.Release(&releases[i])
	}
	return s.store(ctx, w, now)
}

// recalled are the latest releases of tasks in a journal, in its order.
type recalled struct {
	releases []assembly.Release
	done     map[event.TraceID]int // indexes of the latest, by task
}

func (r *recalled) add(release assembly.Release) error {
	release.State = slices.Clone(release.State) // it belongs to the entry
	if place, known := r.done[release.Trace]; known {
		r.releases[place].State = nil
	}
	r.done[release.Trace] = len(r.releases)
	r.releases = append(r.releases, release)
	return nil
}

// visit visits the latest release of each task, and releases its state.
func (r *recalled) visit(visit func(release assembly.Release) error) error {
	for i := range r.releases {
		of := &r.releases[i]
		if r.done[of.Trace] != i {
			continue
		}
		if err := visit(*of); err != nil {
			return err
		}
		of.State = nil
	}
	return nil
}

// doneWith reports whether an event is covered by a release and no longer needed.
func (r *recalled) doneWith(e *event.Event) bool {
	place, known := r.done[e.TraceID]
	return known && e.At <= r.releases[place].End
}

func (s *state) store(ctx context.Context, w *writer, now time.Time) error {
	s.journal.Append(w.records.End())
	s.mu.Lock()
	stored := int64(w.records.Events() + w.records.Releases())
	s.logged += stored
	s.written += stored
	s.lastLog = now
	s.mu.Unlock()
	return s.journal.Commit(ctx)
}

func (s *state) close(ctx context.Context) error {
	if err := s.journal.Close(ctx); err != nil {
		return fmt.Errorf("span_hierarchy: close the storage: %w", err)
	}
	return nil
}
