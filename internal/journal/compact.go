// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// pass is one compaction of the segments that existed when it began.
type pass struct {
	under     bool
	from, end uint64 // sequence numbers: where it continues and where it ends
}

const (
	// compactBytes is about how much one call of Compact reads.
	compactBytes = 1 << 20
	// worthwhile is the part of a stretch, in percent, that must be superfluous for the stretch to be rewritten.
	worthwhile = 25
	// smallSegment is the mean size below which segments are joined even where nothing is superfluous.
	smallSegment = segmentBytes / 8
)

// Compact removes from the oldest segments what the state no longer needs: every entry is replaced by the result of keep, which may
// be the entry itself, a part in memory of its own, or nil. Entries keep their order. keep must not call the journal.
//
// One call reads about a megabyte and continues where the previous one stopped; commits wait meanwhile. It returns true when it has
// reached the segment that was the newest when the pass began; the next call then begins a new pass. After an error nothing has
// changed.
func (j *Journal) Compact(ctx context.Context, keep func(entry []byte) []byte) (done bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.committing {
		j.turn.Wait()
	}
	if len(j.segments) == 0 {
		j.endPass()
		return true, nil
	}
	if !j.pass.under {
		j.pass = pass{under: true, end: j.segments[len(j.segments)-1].seq}
	}
	from, _ := slices.BinarySearchFunc(j.segments, j.pass.from, func(s segment, seq uint64) int { return int(int64(s.seq - seq)) })
	to, bytes := from, 0
	for to < len(j.segments) && bytes < compactBytes && j.segments[to].seq <= j.pass.end {
		bytes += j.segments[to].bytes
		to++
	}
	if from == to {
		j.endPass()
		return true, nil
	}
	stretch := slices.Clone(j.segments[from:to])
	j.committing = true
	j.mu.Unlock()
	rest, err := j.compact(ctx, stretch, bytes, keep)
	j.mu.Lock()
	j.committing = false
	j.turn.Broadcast()
	if err != nil {
		return false, err
	}
	j.pass.from = stretch[len(stretch)-1].seq + 1
	for _, s := range rest {
		j.stats.Bytes += int64(s.bytes)
	}
	j.stats.Bytes -= int64(bytes)
	j.segments = slices.Replace(j.segments, from, to, rest...)
	if j.pass.from > j.pass.end {
		j.endPass()
		return true, nil
	}
	return false, nil
}

// endPass requires j.mu.
func (j *Journal) endPass() {
	j.pass, j.packed = pass{}, nil
}

// compact rewrites a stretch of segments and returns the new ones.
func (j *Journal) compact(ctx context.Context, stretch []segment, bytes int, keep func(entry []byte) []byte) ([]segment, error) {
	data, err := j.load(ctx, stretch)
	if err != nil {
		return nil, err
	}
	packed, kept := j.packed[:0], 0
	for i, d := range data {
		err := entries(d, func(entry []byte) error {
			rest := keep(entry)
			if len(rest) == 0 {
				return nil
			}
			if len(packed) == 0 || len(packed[len(packed)-1]) >= segmentBytes {
				packed = appendSegment(packed, max(len(rest), min(bytes, segmentBytes)))
			}
			last := &packed[len(packed)-1]
			before := len(*last)
			*last = appendEntry(*last, rest)
			kept += len(*last) - before
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read %s of the stored state: %w", segmentKey(stretch[i].seq), err)
		}
	}
	j.packed = packed
	if len(packed) > len(stretch) || kept*100 > bytes*(100-worthwhile) && (len(stretch) == 1 || bytes/len(stretch) >= smallSegment) {
		return stretch, nil
	}
	rest := slices.Clone(stretch[len(stretch)-len(packed):])
	ops := make([]*storage.Operation, 0, len(stretch))
	for _, s := range stretch[:len(stretch)-len(packed)] {
		ops = append(ops, storage.DeleteOperation(segmentKey(s.seq)))
	}
	for i := range rest {
		rest[i].bytes = len(packed[i])
		ops = append(ops, storage.SetOperation(segmentKey(rest[i].seq), seal(packed[i])))
	}
	if err := j.client.Batch(ctx, ops...); err != nil {
		return nil, fmt.Errorf("write %d compacted segments of the stored state: %w", len(packed), err)
	}
	return rest, nil
}

// appendSegment appends an empty segment with capacity for some bytes of entries, in the memory of the one that was there before if
// that is large enough.
func appendSegment(packed [][]byte, bytes int) [][]byte {
	var earlier []byte
	if n := len(packed); n < cap(packed) {
		earlier = packed[:n+1][n]
	}
	return append(packed, newSegment(earlier, bytes))
}
