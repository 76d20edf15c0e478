// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package shares

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// take takes items of a size for an owner until one is refused.
func take(room *Room, owner *Size, bytes int64) {
	for room.Take(owner, bytes) {
	}
}

func TestGreedyOwnersOneAfterTheOther(t *testing.T) {
	room := New(Size{Items: 1000, Bytes: 1 << 40})
	for _, want := range []int64{200, 160, 128, 103} {
		var owner Size
		take(room, &owner, 10)
		require.Equal(t, want, owner.Items)
	}
}

func TestGreedyOwnersTogether(t *testing.T) {
	const count = 9
	for name, limit := range map[string]Size{"items": {1000, 1 << 40}, "bytes": {1 << 40, 7000}} {
		room := New(limit)
		var owners [count]Size
		for range 1000 {
			for i := range owners {
				room.Take(&owners[i], 7)
			}
		}
		for _, owner := range owners {
			require.InDelta(t, 1000/(count+4), owner.Items, 2, name)
		}
	}
}

// TestNeverBeyondTheLimit takes and removes at random: the limit is never exceeded, an owner that holds nothing can take an
// item, and removed capacity is free again.
func TestNeverBeyondTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := Size{Items: rapid.Int64Range(1, 100).Draw(t, "items"), Bytes: rapid.Int64Range(1, 1000).Draw(t, "bytes")}
		room := New(limit)
		owners := make([]Size, 5)
		held := make([][]int64, len(owners))
		for range rapid.IntRange(0, 300).Draw(t, "changes") {
			i := rapid.IntRange(0, len(owners)-1).Draw(t, "owner")
			if len(held[i]) > 0 && rapid.Bool().Draw(t, "remove") {
				room.Remove(&owners[i], held[i][0])
				held[i] = held[i][1:]
				continue
			}
			bytes := rapid.Int64Range(0, 50).Draw(t, "size")
			before := room.Used()
			if room.Take(&owners[i], bytes) {
				held[i] = append(held[i], bytes)
			} else if len(held[i]) == 0 {
				require.True(t, before.Items == limit.Items || before.Bytes == limit.Bytes || before.Bytes+bytes > limit.Bytes, "an owner with nothing is refused only by the limit")
			}
			require.LessOrEqual(t, room.Used().Items, limit.Items)
			require.LessOrEqual(t, room.Used().Bytes, limit.Bytes)
			require.False(t, room.Over(0))
		}
		for i := range owners {
			for _, bytes := range held[i] {
				room.Remove(&owners[i], bytes)
			}
			require.Zero(t, owners[i])
		}
		require.Zero(t, room.Used())
	})
}

func TestResize(t *testing.T) {
	room := New(Size{Items: 100, Bytes: 100})
	var owner Size
	require.True(t, room.Take(&owner, 10))
	require.True(t, room.Resize(&owner, 12))
	require.False(t, room.Resize(&owner, 1), "it holds a quarter of what is free")
	require.True(t, room.Resize(&owner, -20))
	require.False(t, room.Resize(&owner, 99), "there is not so much")
	require.Equal(t, Size{Items: 1, Bytes: 2}, owner)
	require.Equal(t, owner, room.Used())
}

func TestOver(t *testing.T) {
	room := New(Size{Items: 4, Bytes: 100})
	var owner Size
	for range 3 {
		room.Add(&owner, 10)
	}
	require.False(t, room.Over(0))
	require.True(t, room.Over(0.5))
	require.InDelta(t, 0.75, room.Part(owner), 1e-9)
	room.Add(&owner, 71)
	require.True(t, room.Over(0))
	require.InDelta(t, 1.01, room.Part(owner), 1e-9)
}
