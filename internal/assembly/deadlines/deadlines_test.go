// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package deadlines_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/deadlines"
)

type value struct {
	name     int
	idle     deadlines.Place[*value]
	deadline deadlines.Entry[*value]
}

func (v *value) Place() *deadlines.Place[*value]    { return &v.idle }
func (v *value) Deadline() *deadlines.Entry[*value] { return &v.deadline }

func values(n int) []*value {
	all := make([]*value, n)
	for i := range all {
		all[i] = &value{name: i}
	}
	return all
}

// TestWheel: whatever is scheduled, moved and removed, a value is found once, not before its tick, and at the latest at the first turn
// after it that is later than all turns before.
func TestWheel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var wheel deadlines.Wheel[*value]
		all := values(6)
		due := map[*value]int64{}
		now := rapid.Int64Range(0, 1e12).Draw(t, "start")
		latest := int64(-1) // tick of a turn
		for range rapid.IntRange(1, 60).Draw(t, "operations") {
			v := all[rapid.IntRange(0, len(all)-1).Draw(t, "value")]
			switch rapid.SampledFrom([]string{"schedule", "schedule", "remove", "turn"}).Draw(t, "operation") {
			case "schedule":
				due[v] = now + rapid.Int64Range(-2e9, 120e9).Draw(t, "in")
				wheel.Schedule(v, due[v])
				require.Equal(t, due[v], v.deadline.Due())
			case "remove":
				wheel.Remove(v)
				delete(due, v)
			case "turn":
				now += rapid.Int64Range(-1e9, 70e9).Draw(t, "later")
				tick := now / deadlines.TickLength
				for _, found := range wheel.Turn(now, nil) {
					require.Contains(t, due, found)
					require.LessOrEqual(t, deadlines.Tick(due[found]), tick)
					delete(due, found)
				}
				if tick <= latest {
					continue
				}
				latest = tick
				for v, at := range due {
					require.Greater(t, deadlines.Tick(at), tick, "value %d was not found", v.name)
				}
			}
		}
	})
}

func TestTick(t *testing.T) {
	assert.Equal(t, int64(0), deadlines.Tick(0))
	assert.Equal(t, int64(1), deadlines.Tick(1))
	assert.Equal(t, int64(1), deadlines.Tick(deadlines.TickLength))
	assert.Equal(t, int64(2), deadlines.Tick(deadlines.TickLength+1))
	assert.Equal(t, int64(0), deadlines.Tick(-1))
}

func TestLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var line deadlines.Line[*value]
		var want []*value
		all := values(5)
		for range rapid.IntRange(1, 40).Draw(t, "operations") {
			v := all[rapid.IntRange(0, len(all)-1).Draw(t, "value")]
			in := slices.Contains(want, v)
			want = slices.DeleteFunc(want, func(other *value) bool { return other == v })
			switch {
			case !in:
				line.Join(v)
				want = append(want, v)
			case rapid.Bool().Draw(t, "again"):
				line.Rejoin(v)
				want = append(want, v)
			default:
				line.Leave(v)
			}
			if len(want) == 0 {
				assert.Nil(t, line.First())
			} else {
				assert.Same(t, want[0], line.First())
			}
		}
		for _, v := range want {
			assert.Same(t, v, line.First())
			line.Leave(v)
		}
		assert.Nil(t, line.First())
	})
}
