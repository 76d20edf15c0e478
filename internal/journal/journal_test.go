// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package journal_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/journal"
	"github.com/tasker-otel/otelcol-tasker/internal/journal/journaltest"
)

var owner = journal.Owner{Kind: component.KindProcessor, ID: component.MustNewID("owner")}

func open(t require.TestingT, s *journaltest.Storage) *journal.Journal {
	j, err := journal.Open(context.Background(), s.Host(), journaltest.ID, owner, zap.NewNop())
	require.NoError(t, err)
	return j
}

// stored returns what a journal replays.
func stored(t require.TestingT, s *journaltest.Storage) []string {
	var list []string
	require.NoError(t, open(t, s).Replay(context.Background(), func(entry []byte) error {
		list = append(list, string(entry))
		return nil
	}))
	return list
}

func TestWhatIsCommittedComesBackInOrder(t *testing.T) {
	s := journaltest.New()
	j := open(t, s)
	for i := range 1000 {
		j.Append(fmt.Appendf(nil, "entry %d", i))
		if i%7 == 0 {
			require.NoError(t, j.Commit(t.Context()))
		}
	}
	require.NoError(t, j.Close(t.Context()))
	list := stored(t, s)
	require.Len(t, list, 1000)
	assert.Equal(t, "entry 0", list[0])
	assert.Equal(t, "entry 999", list[999])
	stats := j.Stats()
	assert.Zero(t, stats.Waiting)
	assert.False(t, stats.LastCommit.IsZero())
}

// TestSnapshotsThatWaitTakeTheRoomOfOne makes snapshots while the storage fails: they replace each other in memory, too.
func TestSnapshotsThatWaitTakeTheRoomOfOne(t *testing.T) {
	s := journaltest.New()
	j := open(t, s)
	j.Append([]byte("durable"))
	require.NoError(t, j.Commit(t.Context()))
	s.Fail(errors.New("no space left"))
	large := strings.Repeat("x", 1000)
	for i := range 100 {
		j.Append(fmt.Appendf(nil, "change %d %s", i, large))
		require.Error(t, j.Commit(t.Context()))
		j.Append([]byte(large))
		j.Checkpoint([][]byte{fmt.Appendf(nil, "state %d", i), []byte(large)})
		j.Append([]byte("and on"))
		require.Error(t, j.Commit(t.Context()))
		require.Less(t, j.Backlog(), 4000)
	}
	require.Equal(t, []string{"durable"}, stored(t, s.Crashed()))
	s.Fail(nil)
	require.NoError(t, j.Commit(t.Context()))
	require.Zero(t, j.Backlog())
	require.Equal(t, []string{"state 99", large, "and on"}, stored(t, s.Crashed()))
	j.Append([]byte("last"))
	require.NoError(t, j.Commit(t.Context()))
	require.Equal(t, []string{"state 99", large, "and on", "last"}, stored(t, s))
}

// TestCommitsShareWrites: everything that concurrent goroutines commit is stored when their Commit returns.
func TestCommitsShareWrites(t *testing.T) {
	s := journaltest.New()
	j := open(t, s)
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			for k := range 20 {
				text := fmt.Sprintf("%d/%d", i, k)
				j.Append([]byte(text))
				assert.NoError(t, j.Commit(context.Background()))
				assert.Contains(t, stored(t, s.Crashed()), text)
			}
		})
	}
	group.Wait()
	assert.Len(t, stored(t, s), 1000)
	assert.LessOrEqual(t, s.Batches(), 1000)
}

func TestAFailedCommitIsMadeUpFor(t *testing.T) {
	s := journaltest.New()
	logs, seen := observer.New(zap.InfoLevel)
	j, err := journal.Open(t.Context(), s.Host(), journaltest.ID, owner, zap.New(logs))
	require.NoError(t, err)
	full := errors.New("the disk is full")
	s.Fail(full)
	j.Append([]byte("first"))
	require.ErrorIs(t, j.Commit(t.Context()), full)
	j.Append([]byte("second"))
	require.ErrorIs(t, j.Commit(t.Context()), full)
	assert.Positive(t, j.Backlog())
	assert.Empty(t, stored(t, s.Crashed()))
	assert.EqualValues(t, 2, j.Stats().Failures)
	require.ErrorIs(t, j.Stats().LastError, full)

	s.Fail(nil)
	require.NoError(t, j.Commit(t.Context()), "nothing new, but what was appended before must be durable")
	assert.Equal(t, []string{"first", "second"}, stored(t, s.Crashed()))
	assert.Zero(t, j.Backlog())
	require.NoError(t, j.Stats().LastError)

	j.Append([]byte("third"))
	require.NoError(t, j.Commit(t.Context()))
	said := seen.TakeAll()
	require.Len(t, said, 2, "said when it begins and when it ends")
	assert.Equal(t, []string{"the disk is full", "the state is written to the storage again"},
		[]string{said[0].ContextMap()["error"].(string), said[1].Message})
}

// TestAFailedWriteIsTriedAgainByItself: a failed write is retried without new entries.
func TestAFailedWriteIsTriedAgainByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := journaltest.New()
		j := open(t, s)
		s.Fail(errors.New("the disk is full"))
		j.Append([]byte("a"))
		require.Error(t, j.Commit(t.Context()))
		time.Sleep(5500 * time.Millisecond)
		assert.EqualValues(t, 6, j.Stats().Failures)
		s.Fail(nil)
		time.Sleep(time.Second)
		assert.NoError(t, j.Stats().LastError)
		assert.Zero(t, j.Stats().Waiting)
		assert.Equal(t, []string{"a"}, stored(t, s.Crashed()))
		time.Sleep(time.Minute)
		assert.EqualValues(t, 1, j.Stats().Commits, "and then no more")

		s.Fail(errors.New("the disk is full"))
		j.Append([]byte("b"))
		require.Error(t, j.Commit(t.Context()))
		require.Error(t, j.Close(t.Context()))
		failures := j.Stats().Failures
		time.Sleep(time.Minute)
		assert.Equal(t, failures, j.Stats().Failures, "a closed journal writes nothing")
	})
}

func TestWhatComesDuringAFailedCommitStaysBehindIt(t *testing.T) {
	s := journaltest.New()
	j := open(t, s)
	s.BeforeBatch(func() error {
		s.BeforeBatch(nil)
		j.Append([]byte("second"))
		return errors.New("the disk is full")
	})
	j.Append([]byte("first"))
	require.Error(t, j.Commit(t.Context()))
	require.NoError(t, j.Commit(t.Context()))
	assert.Equal(t, []string{"first", "second"}, stored(t, s))
}

func TestASnapshotTakesThePlaceOfWhatWasBefore(t *testing.T) {
	s := journaltest.New()
	j := open(t, s)
	j.Append([]byte("old"))
	require.NoError(t, j.Commit(t.Context()))
	j.Append([]byte("old and not committed"))
	j.Checkpoint([][]byte{[]byte("snapshot 1"), []byte("snapshot 2")})
	j.Append([]byte("new"))
	assert.Equal(t, []string{"old"}, stored(t, s.Crashed()), "until the snapshot is durable")
	require.NoError(t, j.Commit(t.Context()))
	assert.Equal(t, []string{"snapshot 1", "snapshot 2", "new"}, stored(t, s.Crashed()))
	j.Append([]byte("newer"))
	require.NoError(t, j.Commit(t.Context()))
	assert.Equal(t, []string{"snapshot 1", "snapshot 2", "new", "newer"}, stored(t, s))
}

// TestAnyUseIsAList: appending, committing, failing, checkpointing, compacting and restarting equal the same operations on a list
// of the committed entries.
func TestAnyUseIsAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := journaltest.New()
		open := func(t require.TestingT, s *journaltest.Storage) *journal.Journal {
			j := open(t, s)
			j.NeverRetry() // the model does not know its time
			return j
		}
		j := open(t, s)
		var durable, waiting []uint64 // the model
		snapshot := -1                // index in waiting of the latest one
		next := uint64(1)
		dropped := map[uint64]bool{}
		entry := func() []byte {
			data := make([]byte, 8+rapid.SampledFrom([]int{0, 100, 60_000, 300_000}).Draw(t, "size"))
			binary.BigEndian.PutUint64(data, next)
			waiting = append(waiting, next)
			next++
			return data
		}
		commit := func() {
			if snapshot >= 0 {
				durable, waiting, snapshot = nil, waiting[snapshot:], -1
			}
			durable, waiting = append(durable, waiting...), nil
		}
		read := func(s *journaltest.Storage) []uint64 {
			var list []uint64
			require.NoError(t, open(t, s).Replay(context.Background(), func(entry []byte) error {
				list = append(list, binary.BigEndian.Uint64(entry))
				return nil
			}))
			return list
		}
		alive := func(list []uint64) []uint64 {
			return slices.DeleteFunc(append([]uint64{}, list...), func(n uint64) bool { return dropped[n] })
		}
		t.Repeat(map[string]func(*rapid.T){
			"append": func(*rapid.T) { j.Append(entry()) },
			"commit": func(*rapid.T) { require.NoError(t, j.Commit(context.Background())); commit() },
			"fail": func(*rapid.T) {
				s.Fail(errors.New("full"))
				if len(waiting) > 0 {
					require.Error(t, j.Commit(context.Background()))
				}
				s.Fail(nil)
			},
			"supersede": func(*rapid.T) {
				snapshot = len(waiting)
				j.Checkpoint([][]byte{entry(), entry()})
			},
			"drop": func(t *rapid.T) {
				for _, n := range durable {
					if rapid.IntRange(0, 2).Draw(t, "drop") > 0 {
						dropped[n] = true
					}
				}
			},
			"compact": func(t *rapid.T) {
				for done, calls := false, 0; !done; calls++ {
					var err error
					done, err = j.Compact(context.Background(), func(entry []byte) []byte {
						if dropped[binary.BigEndian.Uint64(entry)] {
							return nil
						}
						return entry
					})
					require.NoError(t, err)
					require.Less(t, calls, 1000, "a pass ends")
				}
			},
			"restart": func(*rapid.T) {
				s = s.Crashed()
				j = open(t, s)
				waiting, snapshot = nil, -1
			},
			"": func(*rapid.T) {
				list := read(s.Crashed())
				require.True(t, slices.IsSorted(list))
				require.Equal(t, alive(durable), alive(list), "all that is needed is there")
				for _, n := range list {
					require.Contains(t, durable, n, "and nothing else")
				}
			},
		})
	})
}

func TestDamagedSegmentsAreSetAside(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"a flipped bit":   func(b []byte) []byte { b[len(b)-1] ^= 4; return b },
		"cut":             func(b []byte) []byte { return b[:len(b)-3] },
		"empty":           func([]byte) []byte { return nil },
		"foreign":         func([]byte) []byte { return []byte("what is this?") },
		"a later version": func(b []byte) []byte { b[1] = 99; return b },
	} {
		t.Run(name, func(t *testing.T) {
			s := journaltest.New()
			j := open(t, s)
			for i := range 5 {
				j.Append(fmt.Appendf(nil, "entry %d", i))
				require.NoError(t, j.Commit(t.Context()))
			}
			keys := s.Keys()
			s.Change(func(key string, value []byte) []byte {
				if key == keys[2] {
					return damage(value)
				}
				return value
			})
			logs, seen := observer.New(zap.InfoLevel)
			j, err := journal.Open(t.Context(), s.Host(), journaltest.ID, owner, zap.New(logs))
			require.NoError(t, err)
			var list []string
			read := func(entry []byte) error { list = append(list, string(entry)); return nil }
			require.NoError(t, j.Replay(t.Context(), read))
			assert.Equal(t, []string{"entry 0", "entry 1", "entry 3", "entry 4"}, list)
			assert.EqualValues(t, 1, j.Stats().SetAside)
			assert.Equal(t, 1, seen.FilterMessageSnippet("set aside").Len())
			assert.Contains(t, s.Keys(), "aside/"+keys[2])
			j.Append([]byte("entry 5"))
			require.NoError(t, j.Commit(t.Context()))
			assert.Equal(t, []string{"entry 0", "entry 1", "entry 3", "entry 4", "entry 5"}, stored(t, s))
		})
	}
}

// TestNothingIsSkippedBehindDamage: many segments are read in several calls, and some of them are damaged.
func TestNothingIsSkippedBehindDamage(t *testing.T) {
	s := journaltest.New()
	j := open(t, s)
	var want []string
	for i := range 200 {
		j.Append(fmt.Appendf(nil, "entry %d", i))
		require.NoError(t, j.Commit(t.Context()))
		if i%50 != 3 {
			want = append(want, fmt.Sprintf("entry %d", i))
		}
	}
	damaged := map[string]bool{}
	for i, key := range s.Keys() {
		damaged[key] = i%50 == 3
	}
	s.Change(func(key string, value []byte) []byte {
		if damaged[key] {
			return nil
		}
		return value
	})
	assert.Equal(t, want, stored(t, s))
}

// TestSegmentsSetAsideAreBounded: the newest are kept.
func TestSegmentsSetAsideAreBounded(t *testing.T) {
	s := journaltest.New()
	for range 3 {
		j := open(t, s)
		for i := range 60 {
			j.Append(fmt.Appendf(nil, "entry %d", i))
			require.NoError(t, j.Commit(t.Context()))
		}
		s.Change(func(string, []byte) []byte { return nil })
		require.Empty(t, stored(t, s))
	}
	keys := s.Keys()
	require.Len(t, keys, 100)
	assert.Equal(t, "aside/segment/0000000000000051", keys[0]) // 81: of 180 in all, the last 100
}

// TestDamageOnAFullDisk: damage that cannot be moved is still reported and skipped.
func TestDamageOnAFullDisk(t *testing.T) {
	s := journaltest.New()
	j := open(t, s)
	for i := range 3 {
		j.Append(fmt.Appendf(nil, "entry %d", i))
		require.NoError(t, j.Commit(t.Context()))
	}
	first := s.Keys()[0]
	s.Change(func(key string, value []byte) []byte {
		if key == first {
			return nil
		}
		return value
	})
	s.Fail(errors.New("the disk is full"))
	assert.Equal(t, []string{"entry 1", "entry 2"}, stored(t, s))
	s.Fail(nil)
	assert.Equal(t, []string{"entry 1", "entry 2"}, stored(t, s), "and the next start moves it")
	assert.Contains(t, s.Keys(), "aside/"+first)
}

func TestOpenNamesTheMistake(t *testing.T) {
	_, err := journal.Open(t.Context(), componenttest.NewNopHost(), journaltest.ID, owner, zap.NewNop())
	require.ErrorContains(t, err, `storage: "memory_storage" is not an extension that is running`)

	s := journaltest.New()
	s.Opening(func(string) error { return errors.New("no such directory") })
	_, err = journal.Open(t.Context(), s.Host(), journaltest.ID, owner, zap.NewNop())
	require.ErrorContains(t, err, "no such directory", "not damage: the operator can repair it")
}

// FuzzReplay: whatever is in the storage, with and without a valid head, reading it ends without an error or a panic.
func FuzzReplay(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("J\x01\x00\x00\x00\x00"))
	f.Add([]byte("J\x01\x00\x00\x00\x00\x05hello"))
	f.Add([]byte("\x05hell"))
	f.Fuzz(func(t *testing.T, value []byte) {
		s := journaltest.New()
		j := open(t, s)
		j.Append([]byte("entry"))
		require.NoError(t, j.Commit(t.Context()))
		for _, value := range [][]byte{value, headed(value)} {
			s.Change(func(string, []byte) []byte { return value })
			_ = stored(t, s.Crashed())
		}
	})
}

// headed returns a segment with these entries.
func headed(entries []byte) []byte {
	segment := binary.LittleEndian.AppendUint32([]byte{'J', 1}, crc32.Checksum(entries, crc32.MakeTable(crc32.Castagnoli)))
	return append(segment, entries...)
}
