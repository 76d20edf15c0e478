package eventrouter

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
	"github.com/tasker-otel/otelcol-tasker/processor/eventrouter/internal/dedup"
)

// memory keeps the set of events seen on a storage extension. An entry of its journal is one batch, by the encoding of
// protocol buffers; fields that are not known are passed over:
//
//	message Batch {
//	  sint64 turns = 1;         // how often the set had turned when the batch was taken
//	  repeated fixed64 key = 2; // packed
//	}
//
// Entries of generations that the set has forgotten are taken out. A batch is written after what is behind the router took
// it, and before its sender gets the answer: a crash in between brings the batch again, and never loses it.
type memory struct {
	set     *dedup.Set
	journal *journal.Journal
	log     *zap.Logger

	// compacting is held by the one request that tidies the journal.
	compacting sync.Mutex
	// turns and segments are those after the last complete pass; under is true while one goes on.
	turns    uint64
	segments int
	under    bool
}

// Fields of a batch.
const (
	batchTurns protowire.Number = iota + 1
	batchKeys
)

const (
	keyBytes = 8
	// manySegments is how many segments may come, one per write, until they are joined.
	manySegments = 1000
)

// openMemory reads what an earlier process has seen.
func openMemory(ctx context.Context, host component.Host, storage, router component.ID, set *dedup.Set, log *zap.Logger) (*memory, error) {
	owner := journal.Owner{Kind: component.KindProcessor, ID: router}
	j, err := journal.Open(ctx, host, storage, owner, log)
	if err != nil {
		return nil, err
	}
	if err := j.Replay(ctx, func(entry []byte) error { return restore(set, entry) }); err != nil {
		return nil, errors.Join(err, j.Close(ctx))
	}
	return &memory{set: set, journal: j, log: log, turns: set.Turns()}, nil
}

// keep writes what a batch brought. An error means that the batch may be taken for new after a crash.
func (m *memory) keep(ctx context.Context, claim dedup.Claim) error {
	var keys []byte
	for key := range claim.Keys {
		keys = binary.LittleEndian.AppendUint64(keys, key)
	}
	if len(keys) == 0 {
		return nil // nothing but duplicates
	}
	entry := fields.Int(nil, batchTurns, int64(m.set.Turns()))
	entry = fields.Message(entry, batchKeys, keys)
	if m.journal.Backlog() > journal.MaxBacklog {
		return errors.New("the storage has failed for so long that no more is kept for it")
	}
	m.journal.Append(entry)
	if err := m.journal.Commit(ctx); err != nil {
		return err
	}
	return m.tidy(ctx)
}

// tidy takes a step of the journal's compaction when there is something to gain: after a turn of the set, and when many
// small writes have come.
func (m *memory) tidy(ctx context.Context) error {
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
		if _, at, err := splitEntry(entry); err != nil || at+1 < turns {
			return nil
		}
		return entry
	})
	if done {
		m.under, m.turns, m.segments = false, turns, m.journal.Stats().Segments
	}
	return err
}

func (m *memory) close(ctx context.Context) error { return m.journal.Close(ctx) }

func restore(set *dedup.Set, entry []byte) error {
	data, turns, err := splitEntry(entry)
	if err != nil {
		return err
	}
	keys := make([]uint64, 0, len(data)/keyBytes)
	for ; len(data) > 0; data = data[keyBytes:] {
		keys = append(keys, binary.LittleEndian.Uint64(data))
	}
	set.Restore(keys, turns)
	return nil
}

// splitEntry returns the keys of an entry and the turns of the set at that time.
func splitEntry(entry []byte) (keys []byte, turns uint64, err error) {
	err = fields.Read(entry, func(f *fields.Field) error {
		switch f.Number {
		case batchTurns:
			turns = uint64(f.Int())
		case batchKeys:
			if len(f.Data) == 0 || len(f.Data)%keyBytes != 0 {
				return fmt.Errorf("the keys of a batch have %d bytes", len(f.Data))
			}
			keys = f.Data
		}
		return nil
	})
	if err == nil && keys == nil {
		err = errors.New("the entry has no keys")
	}
	return keys, turns, err
}
