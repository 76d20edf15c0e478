// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package spanhierarchy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy/internal/records"
	"github.com/tasker-otel/otelcol-tasker/tests/streamtest"
)

// BenchmarkRecords measures an event on its way into the journal, without the write: reading it from its span and encoding it.
func BenchmarkRecords(b *testing.B) {
	lines, _ := streamtest.Generate(streamtest.Options{Tasks: 20, Seed: 3, Failures: true, SpacingMS: 5})
	td := eventSpansOf(b, lines[:500])
	w := &writer{newEventReader(), records.NewWriter()}
	h := &hierarchy{shards: make([]*shard, 1)}
	in := newIntake()
	now := time.Unix(1780315200, 0)
	size := 0
	b.ReportAllocs()
	for b.Loop() {
		w.records.Begin(now)
		require.NoError(b, in.sort(h, td))
		for i := range in.parts {
			require.NoError(b, w.reader.read(&in.parts[i], 0, w.records.Event))
		}
		in.forget()
		size = len(w.records.End())
	}
	require.NotZero(b, size)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*500), "ns/event")
	b.ReportMetric(float64(size)/500, "bytes/event")
}
