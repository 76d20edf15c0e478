// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/internal/health"
)

// Journal is safe for concurrent use, except for Replay, which comes first, and Close, which comes last.
type Journal struct {
	client storage.Client
	log    *zap.Logger
	now    func() time.Time
	// retryAfter is when a failed write is retried without a commit.
	retryAfter time.Duration

	mu   sync.Mutex
	turn sync.Cond // of mu: a commit has ended
	// waiting are the segments not written yet.
	waiting      []pending
	waitingBytes int
	spare        []byte    // the memory of a written segment, for reuse
	appended     uint64    // entries so far
	committed    uint64    // how many of those are durable
	attempt      uint64    // commits that have begun
	failure      error     // of the latest commit
	committing   bool      // a write is in progress; segments and next change only then
	segments     []segment // durable, in order
	next         uint64    // sequence number of the next segment
	aside        []string  // keys of segments set aside; used by Replay only
	pass         pass
	packed       [][]byte // memory of the segments that a pass rewrites; used like segments
	stats        Stats
	health       *health.Status // nil until ReportTo
	retry        *time.Timer    // of a failed write; nil when none is scheduled
	closed       bool
}

// retryAfter is the default of every journal; tests change it.
const retryAfter = time.Second

// pending is a segment to be written, with its number of entries.
type pending struct {
	data    []byte
	entries uint64
	// snapshot means that all segments before this one are superfluous.
	snapshot bool
}

// segment is a durable segment.
type segment struct {
	seq   uint64
	bytes int
}

// Stats are the internal telemetry of a journal.
type Stats struct {
	Segments   int
	Bytes      int64     // of all durable segments
	Waiting    int       // bytes that are not durable yet
	Commits    uint64    // writes since the start
	Failures   uint64    // writes that failed since the start
	SetAside   uint64    // segments that could not be read
	LastCommit time.Time // zero before the first
	LastError  error     // of the latest write; nil if it succeeded
}

// attach lists the segments of a client.
func attach(ctx context.Context, client storage.Client, log *zap.Logger) (*Journal, error) {
	walker, ok := client.(storage.Walker)
	if !ok {
		return nil, errors.New("the storage extension cannot list its keys; use file_storage")
	}
	j := &Journal{client: client, log: log, now: time.Now, retryAfter: retryAfter, next: 1}
	j.turn.L = &j.mu
	err := walker.Walk(ctx, func(key string, value []byte) ([]*storage.Operation, error) {
		if segment, is := strings.CutPrefix(key, setAsidePrefix); is {
			j.aside = append(j.aside, key)
			if seq, is := parseSegmentKey(segment); is {
				j.next = max(j.next, seq+1) // or another segment set aside later would overwrite it
			}
		}
		if seq, is := parseSegmentKey(key); is {
			j.segments = append(j.segments, segment{seq, len(value)})
			j.stats.Bytes += int64(len(value))
			j.next = max(j.next, seq+1)
		}
		return nil, nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the stored segments: %w", err)
	}
	slices.SortFunc(j.segments, func(a, b segment) int { return int(int64(a.seq - b.seq)) })
	return j, nil
}

// Replay reads every entry in the order in which it was appended. The entry is valid until read returns. A segment that is damaged,
// or of which read returns an error, is reported and set aside, and reading continues. The returned error is one of the storage
// itself.
//
// It may be called several times, but not concurrently with other methods.
func (j *Journal) Replay(ctx context.Context, read func(entry []byte) error) error {
	for from := 0; from < len(j.segments); {
		to := min(from+segmentsAtOnce, len(j.segments))
		data, err := j.load(ctx, j.segments[from:to])
		if err != nil {
			return err
		}
		var damaged []int
		for i, d := range data {
			if err := entries(d, read); err != nil {
				j.log.Error("a segment of the stored state cannot be read; it is set aside, and its content is lost",
					zap.String("segment", segmentKey(j.segments[from+i].seq)), zap.Int("bytes", len(d)), zap.Error(err))
				damaged = append(damaged, i)
			}
		}
		j.setAside(ctx, from, damaged, data)
		from = to - len(damaged)
	}
	return nil
}

// segmentsAtOnce is how many segments one call to the storage reads.
const segmentsAtOnce = 64

func (j *Journal) load(ctx context.Context, segments []segment) ([][]byte, error) {
	ops := make([]*storage.Operation, len(segments))
	for i, s := range segments {
		ops[i] = storage.GetOperation(segmentKey(s.seq))
	}
	if err := j.client.Batch(ctx, ops...); err != nil {
		return nil, fmt.Errorf("read %d segments of the stored state: %w", len(ops), err)
	}
	data := make([][]byte, len(ops))
	for i, op := range ops {
		data[i] = op.Value
	}
	return data, nil
}

// mostAside is how many segments that were set aside are kept.
const mostAside = 100

// setAside moves segments, given by their index from from on, to keys that are not read, and removes the oldest of those when there
// are too many. If that cannot be written, as on a full disk, they stay in place until the next start.
func (j *Journal) setAside(ctx context.Context, from int, places []int, data [][]byte) {
	var ops []*storage.Operation
	j.mu.Lock()
	for _, place := range slices.Backward(places) {
		s := j.segments[from+place]
		key := setAsidePrefix + segmentKey(s.seq)
		ops = append(ops, storage.SetOperation(key, data[place]), storage.DeleteOperation(segmentKey(s.seq)))
		j.aside = append(j.aside, key)
		j.segments = slices.Delete(j.segments, from+place, from+place+1)
		j.stats.Bytes -= int64(s.bytes)
		j.stats.SetAside++
	}
	j.mu.Unlock()
	if len(ops) == 0 {
		return
	}
	slices.Sort(j.aside) // by their sequence numbers
	for len(j.aside) > mostAside {
		ops = append(ops, storage.DeleteOperation(j.aside[0]))
		j.aside = j.aside[1:]
	}
	if err := j.client.Batch(ctx, ops...); err != nil {
		j.log.Warn("the damaged segments could not be moved out of the way; the next start will find them again", zap.Error(err))
	}
}

// Append adds an entry at the end. It copies the entry and does not wait: the entry is durable when a later Commit has returned
// nil. Components that must apply entries in the order of the journal append them under their own lock.
func (j *Journal) Append(entry []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.append(entry, false)
}

func (j *Journal) append(entry []byte, snapshot bool) {
	last := len(j.waiting) - 1
	if last < 0 || snapshot || len(j.waiting[last].data) >= segmentBytes {
		j.waiting = append(j.waiting, pending{data: newSegment(j.spare, len(entry)), snapshot: snapshot})
		j.spare = nil
		last++
	}
	p := &j.waiting[last]
	before := len(p.data)
	p.data = appendEntry(p.data, entry)
	p.entries++
	j.waitingBytes += len(p.data) - before
	j.appended++
}

// Checkpoint appends a snapshot: entries that replace all those appended before. These are deleted in the same write. It does not
// wait; see Append.
func (j *Journal) Checkpoint(snapshot [][]byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i, entry := range snapshot {
		j.append(entry, i == 0)
	}
	j.dropSuperseded()
}

// dropSuperseded drops the waiting segments before a snapshot, so that snapshots do not accumulate while the storage fails. It
// requires j.mu.
func (j *Journal) dropSuperseded() {
	for i := len(j.waiting) - 1; i > 0; i-- {
		if !j.waiting[i].snapshot {
			continue
		}
		for _, p := range j.waiting[:i] {
			j.waiting[i].entries += p.entries // they are durable with the snapshot
			j.waitingBytes -= len(p.data) - headerSize
		}
		j.waiting = slices.Delete(j.waiting, 0, i)
		return
	}
}

// Backlog returns how many bytes are not durable yet. It grows only while the storage fails; a component refuses new data above a
// bound, such as [MaxBacklog].
func (j *Journal) Backlog() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.waitingBytes
}

// MaxBacklog is a bound of Backlog suitable for most components.
const MaxBacklog = 64 << 20

// Commit waits until everything that was appended before the call is durable. After an error it is not, and is written by the next
// Commit, in the same order: the caller returns a retryable error. Concurrent calls share one write.
func (j *Journal) Commit(ctx context.Context) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	target, called := j.appended, j.attempt
	for j.committed < target {
		if j.committing {
			j.turn.Wait()
			continue
		}
		// A write that began after the call has failed, and it included everything appended before it.
		if j.failure != nil && j.attempt > called {
			return j.failure
		}
		j.write(ctx)
	}
	return nil
}

// write makes the waiting segments durable. It requires mu, which it releases during the call to the storage.
func (j *Journal) write(ctx context.Context) {
	taken := j.waiting
	snapshot := len(taken) > 0 && taken[0].snapshot
	ops := make([]*storage.Operation, 0, len(taken))
	written := make([]segment, 0, len(taken))
	total := uint64(0)
	for i := range taken {
		total += taken[i].entries
		seq := j.next + uint64(len(written))
		ops = append(ops, storage.SetOperation(segmentKey(seq), seal(taken[i].data)))
		written = append(written, segment{seq, len(taken[i].data)})
	}
	superseded := 0
	if snapshot {
		superseded = len(j.segments)
		for _, s := range j.segments {
			ops = append(ops, storage.DeleteOperation(segmentKey(s.seq)))
		}
	}
	j.waiting = nil // entries appended meanwhile go into new segments
	j.committing = true
	j.attempt++
	j.mu.Unlock()
	err := j.client.Batch(context.WithoutCancel(ctx), ops...)
	j.mu.Lock()
	j.committing = false
	j.failure = err
	j.logTransition(err)
	j.stats.LastError = err
	if err != nil {
		j.failure = fmt.Errorf("write the state to the storage: %w", err)
		j.stats.Failures++
		j.waiting = append(taken, j.waiting...)
		j.dropSuperseded()
		if j.retry == nil && !j.closed {
			j.retry = time.AfterFunc(j.retryAfter, j.writeAgain)
		}
		j.turn.Broadcast()
		return
	}
	j.committed += total
	j.next += uint64(len(written))
	for i := range taken {
		j.waitingBytes -= len(taken[i].data) - headerSize
		if size := cap(taken[i].data); size > cap(j.spare) && size <= segmentBytes {
			j.spare = taken[i].data
		}
	}
	for _, s := range j.segments[:superseded] {
		j.stats.Bytes -= int64(s.bytes)
	}
	j.segments = append(j.segments[superseded:], written...)
	for _, s := range written {
		j.stats.Bytes += int64(s.bytes)
	}
	j.stats.Commits++
	j.stats.LastCommit = j.now()
	j.turn.Broadcast()
}

// writeAgain retries a failed write, because without new entries no commit would.
func (j *Journal) writeAgain() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.retry = nil
	for j.committing {
		j.turn.Wait()
	}
	if j.failure != nil && !j.closed {
		j.write(context.Background())
	}
}

// Stats returns the counts so far.
func (j *Journal) Stats() Stats {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.stats
	s.Segments, s.Waiting = len(j.segments), j.waitingBytes
	return s
}

// Close makes waiting entries durable and releases the storage.
func (j *Journal) Close(ctx context.Context) error {
	err := j.Commit(ctx)
	j.mu.Lock()
	j.closed = true
	if j.retry != nil {
		j.retry.Stop()
	}
	for j.committing {
		j.turn.Wait()
	}
	j.mu.Unlock()
	return errors.Join(err, j.client.Close(ctx))
}

// ReportTo reports a failing storage in the component's status.
func (j *Journal) ReportTo(status *health.Status) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.health = status
}

// logTransition logs when writes begin to fail and when they succeed again, not each attempt. It requires j.mu.
func (j *Journal) logTransition(err error) {
	if err != nil {
		j.health.Set(j, fmt.Errorf("the state can't be written to the storage: %w", err))
	} else {
		j.health.Set(j, nil)
	}
	switch failed := j.stats.LastError != nil; {
	case err != nil && !failed:
		j.log.Error("the state can't be written to the storage; it waits in memory until that works again", zap.Error(err))
	case err == nil && failed:
		j.log.Info("the state is written to the storage again", zap.Uint64("failed_writes", j.stats.Failures))
	}
}
