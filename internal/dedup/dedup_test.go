// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package dedup_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/dedup"
)

func take(t *testing.T, s *dedup.Set, keys ...uint64) (dedup.Claim, []uint64) {
	t.Helper()
	claim, outcome := s.TryClaim(keys)
	require.Nil(t, outcome)
	return claim, keys
}

func TestDuplicatesAreZeroed(t *testing.T) {
	s := dedup.New(100)
	claim, keys := take(t, s, 1, 2, 1, 0, 3)
	assert.Equal(t, []uint64{1, 2, 0, 0, 3}, keys, "a repeat within the batch")
	claim.Commit()

	claim, keys = take(t, s, 3, 4)
	assert.Equal(t, []uint64{0, 4}, keys, "a repeat of an earlier batch")
	claim.Commit()
	assert.Equal(t, 4, s.Len())
}

func TestReleaseForgetsOnlyItsOwn(t *testing.T) {
	s := dedup.New(100)
	first, _ := take(t, s, 1)
	first.Commit()

	second, keys := take(t, s, 1, 2)
	assert.Equal(t, []uint64{0, 2}, keys)
	second.Release()

	_, keys = take(t, s, 1, 2)
	assert.Equal(t, []uint64{0, 2}, keys, "1 is known, 2 was forgotten")
}

func TestKeysOfAnOpenBatchAreNotTaken(t *testing.T) {
	s := dedup.New(100)
	first, _ := take(t, s, 1, 2)

	keys := []uint64{3, 3, 2}
	_, outcome := s.TryClaim(keys)
	require.NotNil(t, outcome)
	assert.Equal(t, 2, s.Len(), "3 was not taken")
	_, again := s.TryClaim(keys)
	assert.Equal(t, outcome, again, "all wait for the same")

	first.Release()
	<-outcome
	_, outcome = s.TryClaim(keys)
	assert.Nil(t, outcome)
	assert.Equal(t, []uint64{3, 0, 2}, keys)
}

func TestClaimWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := dedup.New(100)
		first, _ := take(t, s, 1)
		keys := []uint64{1, 2}
		waited := make(chan error)
		go func() {
			claim, err := s.Claim(t.Context(), keys)
			claim.Commit()
			waited <- err
		}()
		synctest.Wait()
		first.Commit()
		require.NoError(t, <-waited)
		assert.Equal(t, []uint64{0, 2}, keys)

		take(t, s, 3)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.Claim(ctx, []uint64{4, 3})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 3, s.Len(), "4 was not taken")
	})
}

func TestZeroClaim(*testing.T) {
	dedup.Claim{}.Commit()
	dedup.Claim{}.Release()
}

// A zero key is ignored, also among those of an earlier process.
func TestZeroIsNotRestored(t *testing.T) {
	s := dedup.New(10)
	s.Restore([]uint64{0, 7}, 0)
	require.Equal(t, 1, s.Len())
}

// The set never holds more than its limit, and always knows the latest half of it.
func TestBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(2, 20).Draw(t, "limit")
		s := dedup.New(limit)
		var accepted []uint64
		for _, key := range rapid.SliceOfN(rapid.Uint64Range(1, 60), 0, 200).Draw(t, "keys") {
			keys := []uint64{key}
			claim, outcome := s.TryClaim(keys)
			if outcome != nil {
				t.Fatal("refused, but no batch is open")
			}
			claim.Commit()
			recent := accepted[max(0, len(accepted)-limit/2):]
			for _, known := range recent {
				if known == key && keys[0] != 0 {
					t.Fatalf("%d was forgotten", key)
				}
			}
			if keys[0] != 0 {
				accepted = append(accepted, key)
			}
			if s.Len() > limit {
				t.Fatalf("%d keys", s.Len())
			}
		}
	})
}

func BenchmarkClaim(b *testing.B) {
	s := dedup.New(1_000_000)
	const batch = 512
	keys := make([]uint64, batch)
	next := uint64(1)
	b.ReportAllocs()
	for b.Loop() {
		for i := range keys {
			next++
			keys[i] = next * 0x9e3779b97f4a7c15
		}
		claim, _ := s.TryClaim(keys)
		claim.Commit()
	}
	b.ReportMetric(float64(b.N)*batch/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkDuplicates claims a batch of which all keys are known, while other batches are open: their number must not matter.
func BenchmarkDuplicates(b *testing.B) {
	for _, open := range []int{0, 8, 1000} {
		b.Run(fmt.Sprintf("open=%d", open), func(b *testing.B) {
			const size = 500
			s, last := dedup.New(4_000_000), uint64(0)
			next := func() []uint64 {
				keys := make([]uint64, size)
				for i := range keys {
					last += 0x9e3779b97f4a7c15
					keys[i] = last
				}
				return keys
			}
			known := next()
			claim, _ := s.TryClaim(slices.Clone(known))
			claim.Commit()
			for range open {
				s.TryClaim(next())
			}
			for b.Loop() {
				claim, _ := s.TryClaim(slices.Clone(known))
				claim.Commit()
			}
			b.ReportMetric(float64(b.N)*size/b.Elapsed().Seconds(), "events/s")
		})
	}
}
