package spanhierarchy

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/treedata"
)

const (
	// releaseInterval is how often a shard looks whose time has come.
	releaseInterval = 200 * time.Millisecond
	// spansPerBatch is about how many spans are handed on at once.
	spansPerBatch = 2048
	// firstRetry and lastRetry bound the wait after a next component refused.
	firstRetry = 200 * time.Millisecond
	lastRetry  = 10 * time.Second
	// flushTries is how often a flush tries to hand a batch on.
	flushTries = 5
)

// shard is a part of the state with its own lock. The assembler, the reader and the writer are used under the lock only;
// the outbox belongs to the goroutine of run, and to flush when that has ended.
type shard struct {
	owner *hierarchy
	log   *zap.Logger

	mu        sync.Mutex
	assembler *assembly.Assembler
	reader    *treedata.Reader
	writer    *treedata.Writer
	written   []ptrace.Traces // full batches of the call that holds the lock

	outbox []ptrace.Traces
}

func newShard(owner *hierarchy, limits assembly.Limits, log *zap.Logger) *shard {
	s := &shard{owner: owner, log: log, reader: treedata.NewReader(), writer: treedata.NewWriter()}
	s.assembler = assembly.New(limits, s.write)
	return s
}

// write takes a tree from the assembler; the lock is held.
func (s *shard) write(tree *assembly.Tree) {
	if s.owner.monitor != nil {
		s.owner.monitor.Inspect(tree)
	}
	s.owner.pending.Add(int64(len(tree.Spans)))
	s.writer.Write(tree)
	if s.writer.Spans() >= spansPerBatch {
		s.written = append(s.written, s.writer.Take())
	}
}

// observe takes in those of the event spans that are of this shard.
func (s *shard) observe(resource pcommon.Map, spans ptrace.SpanSlice, now time.Time) {
	var (
		held   bool
		shared *assembly.Resource
	)
	for _, span := range spans.All() {
		trace := span.TraceID()
		if trace.IsEmpty() || s.owner.shardOf(trace) != s {
			continue
		}
		if !held {
			s.mu.Lock()
			held, shared = true, s.reader.Resource(resource)
		}
		id := span.SpanID()
		s.assembler.Observe(s.reader.Event(span.Name(), trace, binary.BigEndian.Uint64(id[:]), span.StartTimestamp(), shared, span.Attributes()), now)
	}
	if held {
		s.mu.Unlock()
	}
}

// run releases trees until ctx ends.
func (s *shard) run(ctx context.Context) {
	ticker := time.NewTicker(releaseInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			s.collect(func() { s.assembler.Advance(now) })
			if !s.send(ctx) {
				return
			}
		}
	}
}

// collect runs a call that releases trees and puts them in the outbox.
func (s *shard) collect(call func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	call()
	s.outbox = append(s.outbox, s.written...)
	clear(s.written)
	s.written = s.written[:0]
	if s.writer.Spans() > 0 {
		s.outbox = append(s.outbox, s.writer.Take())
	}
}

// send hands the outbox on. It waits while the next component refuses; meanwhile tasks stay open and hold their events.
// It returns false when ctx ended first: what is left stays in the outbox.
func (s *shard) send(ctx context.Context) bool {
	wait := firstRetry
	for len(s.outbox) > 0 {
		err := s.hand(ctx)
		if err == nil {
			wait = firstRetry
			continue
		}
		s.owner.telemetry.ProcessorSpanHierarchySendRetries.Add(ctx, 1)
		s.log.Warn("the next component refused finished spans; they are kept and offered again", zap.Error(err), zap.Duration("wait", wait))
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
		}
		wait = min(2*wait, lastRetry)
	}
	return true
}

// hand offers the first batch of the outbox. The error is retryable and the batch stays; one refused for good is dropped.
func (s *shard) hand(ctx context.Context) error {
	batch := s.outbox[0]
	spans := int64(batch.SpanCount())
	offered := batch
	if s.owner.next.Capabilities().MutatesData {
		offered = ptrace.NewTraces() // the batch must stay as it is until it has been taken
		batch.CopyTo(offered)
	} else {
		batch.MarkReadOnly()
	}
	if err := s.owner.next.ConsumeTraces(ctx, offered); err != nil {
		if !consumererror.IsPermanent(err) {
			return err
		}
		s.owner.telemetry.ProcessorSpanHierarchySpansLost.Add(ctx, spans)
		s.log.Error("the next component refused finished spans for good; they are lost", zap.Error(err), zap.Int64("spans", spans))
	} else {
		s.owner.telemetry.ProcessorSpanHierarchySpans.Add(ctx, spans)
	}
	s.owner.pending.Add(-spans)
	s.outbox[0] = ptrace.Traces{}
	s.outbox = s.outbox[1:]
	return nil
}

// flush releases everything and hands it on; run must have ended.
func (s *shard) flush(ctx context.Context) error {
	s.collect(s.assembler.Flush)
	wait := firstRetry
	for tries := 0; len(s.outbox) > 0; {
		err := s.hand(ctx)
		if err == nil {
			tries = 0
			continue
		}
		if tries++; tries >= flushTries || ctx.Err() != nil {
			lost := int64(0)
			for _, batch := range s.outbox {
				lost += int64(batch.SpanCount())
			}
			s.owner.telemetry.ProcessorSpanHierarchySpansLost.Add(context.WithoutCancel(ctx), lost)
			s.outbox = nil
			return fmt.Errorf("span_hierarchy: %d finished spans were still refused at shutdown and are lost: %w", lost, err)
		}
		select {
		case <-ctx.Done():
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
