// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
)

// replayer ignores changes that do not belong to the registry.
type replayer struct{ *Replay }

func (replayer) ActiveTask(records.ActiveTask) {}
func (replayer) ActiveStep(records.ActiveStep) {}
func (replayer) ForgetTask([16]byte)           {}
func (replayer) ForgetStep([16]byte, uint64)   {}
func (replayer) Seen(records.Things, uint64)   {}
func (replayer) Identity(records.Identity)     {}

// entriesInto returns a log that appends to a list.
func entriesInto(entries *[][]byte) *records.Log {
	return records.New(func(entry []byte) { *entries = append(*entries, slices.Clone(entry)) })
}

// restarted returns a registry restored from another one's entries.
func restarted(t *testing.T, entries [][]byte) fixture {
	f := newFixture(t, testOptions())
	p := f.Replay()
	for _, entry := range entries {
		require.NoError(t, records.Read(entry, replayer{p}))
	}
	p.End()
	return f
}

// Expiration is not logged: a series that expired and recurred replaces the earlier one in the log.
func TestASeriesThatExpiredAndCameAgainIsOneAfterAStart(t *testing.T) {
	var entries [][]byte
	f := newFixture(t, testOptions())
	f.SetLog(entriesInto(&entries))
	f.count(5, "shop", "a")
	require.Len(t, points(f.accept(6), requests), 1)
	require.Empty(t, points(f.accept(500), requests))
	f.count(501, "shop", "a")

	f = restarted(t, entries)
	require.Len(t, points(f.accept(502), requests), 1)
	f.count(503, "shop", "a")
	again := points(f.accept(504), requests)
	require.Len(t, again, 1)
	require.EqualValues(t, 2, again[0].Value.Count)
}

// Values in a snapshot that were not reported yet do not expire after a restart.
func TestWhatWasNotReportedOutlivesAStart(t *testing.T) {
	var entries [][]byte
	f := newFixture(t, testOptions())
	f.count(5, "shop", "a")
	snapshot := entriesInto(&entries)
	snapshot.Begin(at(6))
	w := f.Begin(6)
	w.Write(snapshot)
	w.End()
	snapshot.End()

	f = restarted(t, entries)
	require.Len(t, points(f.accept(500), requests), 1)
	require.Empty(t, points(f.accept(501), requests))
}

// A batch that waited for the lock may have a later time than the flush that first reports its series. The reported start
// remains, in the process and after a restart, whether from changes or a snapshot.
func TestTheStartThatWasReportedStays(t *testing.T) {
	var entries [][]byte
	f := newFixture(t, testOptions())
	f.SetLog(entriesInto(&entries))
	f.count(12, "shop", "a")
	starts := func(f fixture, at int64) (starts []int64) {
		for _, point := range points(f.accept(at), requests) {
			starts = append(starts, point.Started)
		}
		return starts
	}
	require.Equal(t, []int64{10}, starts(f, 10))
	f.count(13, "shop", "a")
	require.Equal(t, []int64{10}, starts(f, 20))

	var snapshot [][]byte
	log := entriesInto(&snapshot)
	w := f.Begin(21)
	log.Begin(at(21))
	w.Write(log)
	log.End()
	w.End()
	require.Equal(t, []int64{10}, starts(restarted(t, entries), 30))
	require.Equal(t, []int64{10}, starts(restarted(t, snapshot), 30))
}
