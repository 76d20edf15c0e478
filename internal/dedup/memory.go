// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package dedup

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tasker-otel/otelcol-tasker/internal/journal"
	"github.com/tasker-otel/otelcol-tasker/internal/journal/fields"
)

// Memory keeps a set on a storage extension. An entry of its journal is one batch, in protocol buffers encoding;
// unknown fields are skipped:
//
//	message Batch {
//	  sint64 turns = 1;         // how often the set had turned when the batch was accepted
//	  repeated fixed64 key = 2; // packed
//	  bytes own = 3;            // the component's own data of the batch
//	}
//
// Entries of generations that the set has forgotten are removed. A batch is written after the next component has accepted it and
// before its sender gets the answer: a crash in between repeats the batch, and never loses it.
type Memory struct {
	set     *Set
	journal *journal.Journal

	// compacting is held by the request that compacts the journal.
	compacting sync.Mutex
	// turns and segments are those after the last complete pass; under is true during a pass.
	turns    uint64
	segments int
	under    bool
}

// Fields of a batch.
const (
	batchTurns protowire.Number = iota + 1
	batchKeys
	batchOwn
)

const (
	keyBytes = 8
	// manySegments is how many segments are written, one per commit, before they are joined.
	manySegments = 4000
)

// Open restores the set from an earlier process. own gets the component's own data of each batch, in the same order; nil if there
// is none.
func Open(ctx context.Context, host component.Host, storage component.ID, owner journal.Owner, log *zap.Logger, set *Set,
	own func(data []byte) error,
) (*Memory, error) {
	j, err := journal.Open(ctx, host, storage, owner, log)
	if err != nil {
		return nil, err
	}
	if err := j.Replay(ctx, func(entry []byte) error { return set.restoreEntry(entry, own) }); err != nil {
		return nil, errors.Join(err, j.Close(ctx))
	}
	return &Memory{set: set, journal: j, turns: set.Turns()}, nil
}

// Journal returns the underlying journal, for the component's metrics and health.
func (m *Memory) Journal() *journal.Journal { return m.journal }

// Keep makes durable the keys that a batch has first, and the component's own data of the batch. After an error the batch may count
// as new after a crash; its keys are written with the next one.
func (m *Memory) Keep(ctx context.Context, claim Claim, own []byte) error {
	count := 0
	for range claim.Keys {
		count++
	}
	if count == 0 && len(own) == 0 {
		return nil // only duplicates
	}
	const most = 32 // more than the heads of the fields take
	entry := fields.Int(make([]byte, 0, most+count*keyBytes+len(own)), batchTurns, int64(m.set.Turns()))
	if count > 0 {
		entry = protowire.AppendVarint(protowire.AppendTag(entry, batchKeys, protowire.BytesType), uint64(count*keyBytes))
	}
	for key := range claim.Keys {
		entry = binary.LittleEndian.AppendUint64(entry, key)
	}
	if len(own) > 0 {
		entry = fields.Message(entry, batchOwn, own)
	}
	if m.journal.Backlog() > journal.MaxBacklog {
		return errors.New("the storage has failed for too long: its backlog is full")
	}
	m.journal.Append(entry)
	if err := m.journal.Commit(ctx); err != nil {
		return err
	}
	return m.tidy(ctx)
}

// tidy does a step of the journal's compaction when worthwhile: after a turn of the set, and after many small writes.
func (m *Memory) tidy(ctx context.Context) error {
	if !m.compacting.TryLock() {
		return nil
	}
	defer m.compacting.Unlock()
	turns := m.set.Turns()
	if !m.under && turns == m.turns && m.journal.Stats().Segments < m.segments+manySegments {
		return nil
	}
	m.under = true
	done, err := m.journal.Compact(ctx, func(entry []byte) []byte {
		if b, err := readBatch(entry); err != nil || b.turns+1 < turns {
			return nil
		}
		return entry
	})
	if done {
		m.under, m.turns, m.segments = false, turns, m.journal.Stats().Segments
	}
	return err
}

// Close releases the storage.
func (m *Memory) Close(ctx context.Context) error { return m.journal.Close(ctx) }

// restoreEntry changes nothing if the entry is damaged.
func (s *Set) restoreEntry(entry []byte, own func(data []byte) error) error {
	b, err := readBatch(entry)
	if err != nil {
		return err
	}
	if own != nil && len(b.own) > 0 {
		if err := own(b.own); err != nil {
			return err
		}
	}
	keys := make([]uint64, 0, len(b.keys)/keyBytes)
	for data := b.keys; len(data) > 0; data = data[keyBytes:] {
		keys = append(keys, binary.LittleEndian.Uint64(data))
	}
	s.Restore(keys, b.turns)
	return nil
}

// batch is a decoded entry. Its data belongs to the entry.
type batch struct {
	turns     uint64
	keys, own []byte
}

func readBatch(entry []byte) (b batch, err error) {
	err = fields.Read(entry, func(f *fields.Field) error {
		switch f.Number {
		case batchTurns:
			b.turns = uint64(f.Int())
		case batchKeys:
			if len(f.Data) == 0 || len(f.Data)%keyBytes != 0 {
				return fmt.Errorf("the keys of a batch have %d bytes", len(f.Data))
			}
			b.keys = f.Data
		case batchOwn:
			b.own = f.Data
		}
		return nil
	})
	if err == nil && len(b.keys) == 0 && len(b.own) == 0 {
		err = errors.New("the entry has no keys")
	}
	return b, err
}
