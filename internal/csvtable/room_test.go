// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package csvtable

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func ownedBy(application string) *Owner {
	return NewOwner(application, []string{application}, "service.name", application)
}

// TestOneApplicationCannotFillTheTable observes more series of one application than fit.
func TestOneApplicationCannotFillTheTable(t *testing.T) {
	for name, limits := range map[string]Limits{
		"series": {Series: 100, Bytes: 1 << 30, Columns: 1}, "bytes": {Series: 1 << 30, Bytes: 1 << 20, Columns: 1},
	} {
		table := New(testLayout(), limits)
		long := strings.Repeat("x", 3000)
		for _, test := range []struct {
			application string
			least       int
		}{{"greedy", 15}, {"second", 10}, {"late", 5}} {
			kept := 0
			for i := range 1000 {
				point := gauge("g", 1, 0, Label{Key: "label", Value: fmt.Sprint(i, long)})
				point.Owner = ownedBy(test.application)
				if table.Observe(point, noon()) == Kept {
					kept++
				}
			}
			assert.GreaterOrEqual(t, kept, test.least, "%s %s", name, test.application)
		}
		assert.LessOrEqual(t, table.room.Used().Items, int64(limits.Series))
		assert.LessOrEqual(t, table.room.Used().Bytes, limits.Bytes)
	}
}

func TestASeriesCannotGrowBeyondTheRoom(t *testing.T) {
	table := New(testLayout(), Limits{Series: 100, Bytes: 10_000, Columns: 1})
	point := gauge("g", 1, 0)
	require.Equal(t, Kept, table.Observe(point, noon()))
	point.Kind, point.Value = Histogram, Explicit{Bounds: make([]float64, 4000), Counts: make([]uint64, 4001)}
	require.Equal(t, SeriesLimit, table.Observe(point, noon()))
	require.Equal(t, []string{"1"}, column(t, read(t, table), "value"), "it stays as it was")
}

// TestTheRoomIsCountedRightly observes, ends, expires and undoes series at random.
func TestTheRoomIsCountedRightly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := New(testLayout(), Limits{Series: 12, Bytes: 20_000, Columns: 2})
		now := noon()
		for range rapid.IntRange(0, 40).Draw(t, "length") {
			now = now.Add(time.Second)
			switch rapid.IntRange(0, 6).Draw(t, "action") {
			case 0:
				table.Begin()
			case 1:
				table.Undo()
			case 2:
				table.Expire(now, 20*time.Second)
			default:
				point := gauge(fmt.Sprint(rapid.IntRange(0, 9).Draw(t, "name")), 1, 0, Label{Key: fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "label")), Value: "x"})
				point.Owner = ownedBy(fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "application")))
				point.Gone = rapid.IntRange(0, 4).Draw(t, "gone") == 0
				point.Value = Explicit{Counts: make([]uint64, rapid.IntRange(0, 300).Draw(t, "buckets"))}
				table.Observe(point, now)
			}
			items, bytes, applications := 0, int64(0), map[string]bool{}
			for _, s := range table.series {
				items++
				bytes += s.size(s.value)
				applications[s.owner.application] = true
			}
			require.EqualValues(t, items, table.room.Used().Items)
			require.Equal(t, bytes, table.room.Used().Bytes)
			require.Len(t, table.held, len(applications))
			require.LessOrEqual(t, items, 12)
			require.LessOrEqual(t, bytes, int64(20_000))
		}
	})
}

// TestClockThatIsSetBack observes points whose clock is an hour behind that of earlier points.
func TestClockThatIsSetBack(t *testing.T) {
	table := New(testLayout(), Limits{Series: 100, Bytes: 1 << 20, Columns: 1})
	hour := time.Hour.Nanoseconds()
	point := delta("c", Int(1), 5*hour)
	require.Equal(t, Kept, table.Observe(point, noon()))
	table.SetBack(time.Hour)
	require.Equal(t, OutOfOrder, table.Observe(point, noon()), "the same delta again")
	require.Equal(t, OutOfOrder, table.Observe(delta("c", Int(1), 4*hour-1), noon()))
	require.Equal(t, Kept, table.Observe(delta("c", Int(2), 4*hour+1), noon()))
	require.Equal(t, OutOfOrder, table.Observe(delta("c", Int(2), 4*hour), noon()))
	require.Equal(t, []string{"3"}, column(t, read(t, table), "value"))
}
