// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/periodic"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy/internal/records"
)

const (
	// upkeepInterval is how often the need for compaction is checked.
	upkeepInterval = time.Second
	// clockInterval is how long the journal may stay silent: the clock continues from its latest time at the next start.
	clockInterval = time.Minute
	// growth is by how many events the journal grows, beyond twice those that must stay, before it is compacted. So a compaction
	// removes about half of what it reads.
	growth = 100_000
)

// mark is the number of events and releases written before a time.
type mark struct {
	at      time.Time
	written int64
}

// recent returns how many events and releases were written so recently that no compaction can remove them: a release is stored
// emit_again_within after its spans were passed on, and until then its events stay stored. It requires s.mu.
func (s *state) recent(now time.Time) int64 {
	s.marks = append(s.marks, mark{now, s.written})
	until := now.Add(-s.owner.emitAgain)
	old := 0
	for old+1 < len(s.marks) && !s.marks[old+1].at.After(until) {
		old++
	}
	s.marks = slices.Delete(s.marks, 0, old)
	return s.written - s.marks[0].written
}

// upkeep keeps the journal small until ctx ends.
func (s *state) upkeep(ctx context.Context) {
	periodic.Run(ctx, upkeepInterval, func() {
		if err := s.tick(ctx, s.owner.clock.now()); err != nil {
			s.owner.log.Warn("the stored state could not be updated; it is retried", zap.Error(err))
		}
	})
}

func (s *state) tick(ctx context.Context, now time.Time) error {
	s.mu.Lock()
	silent, grown := now.Sub(s.lastLog) >= clockInterval, s.logged > 2*max(s.needed, s.recent(now))+growth
	s.mu.Unlock()
	if silent {
		if err := s.released(ctx, nil, now); err != nil {
			return err
		}
	}
	if !grown {
		return nil
	}
	return s.compact(ctx)
}

// compact removes from the journal what belongs to no open task. An unreadable entry stays; the next start reports it.
func (s *state) compact(ctx context.Context) error {
	s.mu.Lock()
	before := s.logged
	s.mu.Unlock()
	filter := records.Filter{
		Events: func(trace event.TraceID, last int64) bool {
			return s.owner.shardOf(pcommon.TraceID(trace)).holds(trace, last)
		},
		Release: func(trace event.TraceID, serial int64) bool {
			return s.owner.shardOf(pcommon.TraceID(trace)).remembers(trace, serial)
		},
	}
	for done := false; !done; {
		if ctx.Err() != nil {
			return nil // the stop has priority
		}
		var err error
		s.gate.Lock()
		done, err = s.journal.Compact(ctx, filter.Keep)
		s.gate.Unlock()
		if err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.needed = filter.Kept()
	s.logged += s.needed - before // events since the compaction began are still there
	s.mu.Unlock()
	return s.released(ctx, nil, s.owner.clock.now()) // the entry with the latest time may have been removed
}
