// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/treedata"
	"github.com/tasker-otel/otelcol-tasker/internal/origin"
	"github.com/tasker-otel/otelcol-tasker/internal/periodic"
)

const (
	// releaseInterval is how often a shard checks for tasks that are due.
	releaseInterval = 200 * time.Millisecond
	// spansPerBatch is about how many spans are passed on at once.
	spansPerBatch = 2048
	// firstRetry and lastRetry bound the wait after the next component refused.
	firstRetry = 200 * time.Millisecond
	lastRetry  = 10 * time.Second
	// flushTries is how often a flush tries to pass a batch on.
	flushTries = 5
)

// shard is a part of the tasks with its own lock. The outbox and unacknowledged belong to the goroutine of run, and to flush when
// that has ended; everything else is used under the lock only.
type shard struct {
	owner *hierarchy
	log   *zap.Logger

	mu        sync.Mutex
	assembler *assembly.Assembler
	reader    *eventReader
	writer    *treedata.Writer
	written   []batch                   // full batches of the call that holds the lock
	releases  []assembly.Release        // of tasks whose spans are all in written or in the writer
	unsent    map[event.TraceID]*unsent // tasks with releases that are not durable yet

	outbox         []batch
	unacknowledged []unacknowledged // oldest first; made durable when the next component can be assumed to have finished with them
}

// batch has finished spans to be passed on in one call, and the releases to be stored when the next component has accepted them.
type batch struct {
	spans    ptrace.Traces
	releases []assembly.Release
}

// unacknowledged are the releases of a batch that the next component accepted at a time, and that are not stored yet.
type unacknowledged struct {
	at       time.Time
	releases []assembly.Release
}

// unsent are the releases of a task that are not durable yet, and what the durable ones cover: events up to end, and releases
// before the serial number, need not stay stored.
type unsent struct {
	releases    int
	end, serial int64
}

func newShard(owner *hierarchy, limits assembly.Limits) *shard {
	s := &shard{
		owner: owner, log: owner.log, reader: newEventReader(), writer: treedata.NewWriter(), unsent: map[event.TraceID]*unsent{},
	}
	s.assembler = assembly.New(limits, s.write)
	if owner.storage != nil {
		s.assembler.OnRelease(s.release)
	}
	return s
}

// write adds a tree of the assembler to the writer. It requires the lock.
func (s *shard) write(tree *tree.Tree) {
	if s.owner.monitor != nil {
		s.owner.monitor.Inspect(tree)
	}
	s.owner.pages.emitted(tree)
	s.owner.pending.Add(int64(len(tree.Spans)))
	s.writer.Write(tree)
	if s.writer.Spans() >= spansPerBatch {
		s.pack()
	}
}

// pack closes a batch.
func (s *shard) pack() {
	s.written = append(s.written, batch{s.writer.Take(), s.releases})
	s.releases = nil
}

// release adds the assembler's release to those to be stored after the spans written now have been passed on. It requires the lock.
func (s *shard) release(r assembly.Release) {
	r.State = slices.Clone(r.State)
	s.releases = append(s.releases, r)
	waiting := s.unsent[r.Trace]
	if waiting == nil {
		waiting = &unsent{end: r.BeforeEnd, serial: r.BeforeSerial}
		s.unsent[r.Trace] = waiting
	}
	waiting.releases++
}

// holds reports whether events of a task, up to that time, must stay stored.
func (s *shard) holds(trace event.TraceID, last int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if waiting := s.unsent[trace]; waiting != nil {
		return last > waiting.end
	}
	return s.assembler.Holds(trace, last)
}

// remembers reports whether the release of a task must stay stored.
func (s *shard) remembers(trace event.TraceID, serial int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if waiting := s.unsent[trace]; waiting != nil {
		return serial >= waiting.serial
	}
	return s.assembler.Remembers(trace, serial)
}

// observe observes the events of this shard, whose index is given.
func (s *shard) observe(in *intake, place int, now time.Time) error {
	held := false
	for i := range in.parts {
		p := &in.parts[i]
		if len(p.of[place]) == 0 {
			continue
		}
		if !held {
			s.mu.Lock()
			defer s.mu.Unlock()
			held = true
			s.assembler.Advance(now) // tasks that are due before the events arrive
		}
		if err := s.reader.observe(in, p, place, func(e *event.Event) { s.assembler.Observe(e, now) }); err != nil {
			return err
		}
	}
	return nil
}

// recall restores a release of an earlier process.
func (s *shard) recall(release assembly.Release) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.assembler.Recall(release)
}

// observeAgain replays an event that an earlier process had accepted.
func (s *shard) observeAgain(e *event.Event, arrival time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.assembler.Advance(arrival)
	s.assembler.Observe(e, arrival)
}

// resume ends the restoring and returns what was restored.
func (s *shard) resume() assembly.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.assembler.Resume()
	return s.assembler.Stats()
}

// run releases trees until ctx ends.
func (s *shard) run(ctx context.Context) {
	periodic.Run(ctx, releaseInterval, func() {
		s.collect(func() { s.assembler.Advance(s.owner.clock.now()) })
		s.send(ctx)
	})
}

// collect runs a call that releases trees and adds them to the outbox.
func (s *shard) collect(call func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	call()
	if s.writer.Spans() > 0 || len(s.releases) > 0 {
		s.pack()
	}
	s.outbox = append(s.outbox, s.written...)
	clear(s.written)
	s.written = s.written[:0]
}

// send passes the outbox on. It waits while the next component refuses; meanwhile tasks stay open and hold their events. When ctx
// ends first, the rest stays in the outbox.
func (s *shard) send(ctx context.Context) {
	wait := firstRetry
	for len(s.outbox) > 0 {
		err := s.hand(s.owner.handing)
		if err == nil {
			s.owner.health.Set(s, nil)
			wait = firstRetry
			s.acknowledge(ctx, time.Now().Add(-s.owner.emitAgain)) // a crash while the next batches wait repeats only those
			continue
		}
		s.owner.health.Set(s, fmt.Errorf("the next component refuses finished spans: %w", err))
		s.acknowledge(ctx, time.Now().Add(-s.owner.emitAgain))
		s.owner.telemetry.ProcessorSpanHierarchySendRetries.Add(ctx, 1)
		s.log.Warn("the next component refused finished spans; they are kept and offered again", zap.Error(err), zap.Duration("wait", wait))
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = min(2*wait, lastRetry)
	}
	s.acknowledge(ctx, time.Now().Add(-s.owner.emitAgain))
}

// acknowledge makes the releases of batches accepted up to a time durable. Until then the events stay stored.
func (s *shard) acknowledge(ctx context.Context, until time.Time) {
	var acknowledged []assembly.Release
	batches := 0
	for ; batches < len(s.unacknowledged) && !s.unacknowledged[batches].at.After(until); batches++ {
		acknowledged = append(acknowledged, s.unacknowledged[batches].releases...)
	}
	if batches == 0 {
		return
	}
	if err := s.owner.state.released(ctx, latest(acknowledged), s.owner.clock.now()); err != nil {
		s.log.Warn("the release of emitted tasks could not be stored; it is retried, and after a crash before that they are emitted again",
			zap.Error(err), zap.Int("tasks", len(acknowledged)))
		return
	}
	clear(s.unacknowledged[:batches])
	s.unacknowledged = s.unacknowledged[batches:]
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range acknowledged {
		waiting := s.unsent[acknowledged[i].Trace]
		waiting.end, waiting.serial = acknowledged[i].End, acknowledged[i].Serial
		if waiting.releases--; waiting.releases == 0 {
			delete(s.unsent, acknowledged[i].Trace)
		}
	}
}

// latest returns the last release of each task.
func latest(releases []assembly.Release) []assembly.Release {
	last := make(map[event.TraceID]int64, len(releases))
	for i := range releases {
		last[releases[i].Trace] = releases[i].Serial
	}
	return slices.DeleteFunc(slices.Clone(releases), func(r assembly.Release) bool { return last[r.Trace] != r.Serial })
}

// hand offers the first batch of the outbox. The error is retryable and the batch stays; a permanently rejected one is dropped.
func (s *shard) hand(ctx context.Context) error {
	if err := s.offer(ctx, s.outbox[0].spans); err != nil {
		return err
	}
	if releases := s.outbox[0].releases; len(releases) > 0 {
		s.unacknowledged = append(s.unacknowledged, unacknowledged{time.Now(), releases})
	}
	s.outbox[0] = batch{}
	s.outbox = s.outbox[1:]
	return nil
}

func (s *shard) offer(ctx context.Context, batch ptrace.Traces) error {
	spans := int64(batch.SpanCount())
	if spans == 0 {
		return nil
	}
	offered := batch
	if s.owner.next.Capabilities().MutatesData {
		offered = ptrace.NewTraces() // the original must stay unchanged until it has been accepted
		batch.CopyTo(offered)
	} else {
		batch.MarkReadOnly()
	}
	if err := s.owner.next.ConsumeTraces(origin.Mark(ctx, origin.Hierarchy), offered); err != nil {
		if !consumererror.IsPermanent(err) {
			return err
		}
		s.owner.telemetry.ProcessorSpanHierarchySpansLost.Add(ctx, spans)
		s.log.Error("the next component permanently rejected finished spans; they are lost", zap.Error(err), zap.Int64("spans", spans))
	} else {
		s.owner.telemetry.ProcessorSpanHierarchySpans.Add(ctx, spans)
	}
	s.owner.pending.Add(-spans)
	return nil
}

// flush passes on finished spans and, without storage, open tasks, until offering ends. run must have returned.
func (s *shard) flush(ctx, offering context.Context) error {
	if s.owner.state == nil {
		s.collect(s.assembler.Flush)
	} else {
		// The next components stop after this one, and lose what they hold in memory if a backend refuses it until then. So the
		// releases of recently passed-on spans are not stored: the next start emits those spans again.
		defer func() { s.acknowledge(ctx, time.Now().Add(-s.owner.emitAgain)) }()
	}
	wait := firstRetry
	for tries := 0; len(s.outbox) > 0; {
		err := s.hand(offering)
		if err == nil {
			tries = 0
			continue
		}
		if tries++; tries >= flushTries || offering.Err() != nil {
			lost := int64(0)
			for _, p := range s.outbox {
				lost += int64(p.spans.SpanCount())
			}
			s.outbox = nil
			if s.owner.state != nil {
				s.log.Info("the next component still refused finished spans; they stay stored for the next start", zap.Error(err), zap.Int64("spans", lost))
				return nil
			}
			s.owner.telemetry.ProcessorSpanHierarchySpansLost.Add(context.WithoutCancel(ctx), lost)
			return fmt.Errorf("span_hierarchy: %d finished spans were still refused at shutdown and are lost: %w", lost, err)
		}
		select {
		case <-offering.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, lastRetry)
	}
	return nil
}

func (s *shard) stats() assembly.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.assembler.Stats()
}
