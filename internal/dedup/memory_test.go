// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package dedup

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/tasker-otel/otelcol-tasker/internal/journal"
	"github.com/tasker-otel/otelcol-tasker/internal/journal/fields"
	"github.com/tasker-otel/otelcol-tasker/internal/journal/journaltest"
)

var owner = journal.Owner{Kind: component.KindProcessor, ID: component.MustNewID("some")}

func open(t testing.TB, storage *journaltest.Storage, set *Set) *Memory {
	t.Helper()
	m, err := Open(context.Background(), storage.Host(), journaltest.ID, owner, zap.NewNop(), set, nil)
	require.NoError(t, err)
	return m
}

// claimed claims keys that no other batch holds, and ends the claim.
func claimed(t testing.TB, set *Set, keys ...uint64) Claim {
	t.Helper()
	claim, outcome := set.TryClaim(keys)
	require.Nil(t, outcome)
	claim.Commit()
	return claim
}

func TestKeysSurviveACrash(t *testing.T) {
	storage, set := journaltest.New(), New(1000)
	m := open(t, storage, set)
	require.NoError(t, m.Keep(t.Context(), claimed(t, set, 1, 2, 3), nil))
	require.NoError(t, m.Keep(t.Context(), claimed(t, set, 3), nil), "nothing new")

	after := New(1000)
	open(t, storage.Crashed(), after)
	require.Equal(t, 3, after.Len())
	claim := claimed(t, after, 2, 4)
	assert.Equal(t, []uint64{0, 4}, claim.keys)
}

// The journal holds no more than the set, plus the overhead of a segment, however many keys pass.
func TestTheJournalIsBounded(t *testing.T) {
	const entries, batch = 2000, 100
	storage, set := journaltest.New(), New(entries)
	m := open(t, storage, set)
	next := uint64(0)
	for range 20 * entries / batch {
		keys := make([]uint64, batch)
		for j := range keys {
			next++
			keys[j] = next
		}
		require.NoError(t, m.Keep(t.Context(), claimed(t, set, keys...), nil))
	}
	assert.Less(t, m.Journal().Stats().Bytes, int64(4*entries*keyBytes), "of the last generations only")

	after := New(entries)
	open(t, storage.Crashed(), after)
	assert.GreaterOrEqual(t, after.Len(), entries/2)
	assert.LessOrEqual(t, after.Len(), entries)
	assert.GreaterOrEqual(t, after.Turns(), uint64(35), "entries differ from those of the previous process")
}

// A component's own data is restored with the keys, also without any keys.
func TestWhatIsKeptBeside(t *testing.T) {
	storage, set := journaltest.New(), New(1000)
	m := open(t, storage, set)
	require.NoError(t, m.Keep(t.Context(), claimed(t, set, 1), []byte("first")))
	require.NoError(t, m.Keep(t.Context(), claimed(t, set, 1), []byte("second")))
	var kept []string
	_, err := Open(t.Context(), storage.Crashed().Host(), journaltest.ID, owner, zap.NewNop(), New(1000), func(data []byte) error {
		kept = append(kept, string(data))
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"first", "second"}, kept)
}

// Unknown fields of a later version are skipped.
func TestUnknownFieldsArePassedOver(t *testing.T) {
	entry := fields.Text(nil, 15, "of a later version")
	entry = fields.Int(entry, batchTurns, 7)
	entry = fields.Message(entry, batchKeys, []byte("12345678abcdefgh"))
	entry = fields.Fixed(entry, 99, 1)
	set := New(10)
	require.NoError(t, set.restoreEntry(entry, nil))
	assert.Equal(t, 2, set.Len())
	assert.EqualValues(t, 7, set.Turns())
}

func FuzzRestore(f *testing.F) {
	f.Add(fields.Message(fields.Int(nil, batchTurns, 3), batchKeys, []byte("12345678abcdefgh")))
	f.Add(fields.Message(nil, batchKeys, []byte("123")))
	f.Add(fields.Message(nil, batchOwn, []byte("123")))
	f.Add([]byte{2})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, entry []byte) {
		set := New(10)
		if err := set.restoreEntry(entry, nil); err != nil {
			require.Zero(t, set.Len())
			return
		}
		require.LessOrEqual(t, set.Len(), 10)
	})
}

func BenchmarkKeep(b *testing.B) {
	set := New(1_000_000)
	m := open(b, journaltest.New(), set)
	b.ReportAllocs()
	next := uint64(0)
	for b.Loop() {
		keys := make([]uint64, 512)
		for i := range keys {
			next++
			keys[i] = next
		}
		if err := m.Keep(context.Background(), claimed(b, set, keys...), nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*512/b.Elapsed().Seconds(), "keys/s")
}
