// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Every record is unpacked as it was packed, after any other record, and also from a replaced list.
func TestPackedRecordsComeBack(t *testing.T) {
	records := rapid.SliceOf(rapid.Custom(func(t *rapid.T) record {
		return record{
			at:            rapid.Int64().Draw(t, "at"),
			identity:      rapid.Uint32().Draw(t, "identity"),
			detail:        rapid.Uint16().Draw(t, "detail"),
			step:          rapid.Int16Range(noStep, maxSteps-1).Draw(t, "step"),
			number:        rapid.Int16Range(-1, math.MaxInt16).Draw(t, "number"),
			correlationID: rapid.Uint16().Draw(t, "thread"),
			kind:          kind(rapid.Uint8Range(0, packedKind-1).Draw(t, "kind")),
			arrived:       (rapid.Int64Range(0, 1<<36).Draw(t, "tick")+1)*arrivalTick - 1,
		}
	}))
	rapid.Check(t, func(t *rapid.T) {
		var p packed
		for range 2 {
			kept := records.Draw(t, "records")
			p.pack(kept)
			require.EqualValues(t, len(kept), p.count)
			require.LessOrEqual(t, len(p.bytes), len(kept)*mostPerRecord)
			require.Equal(t, append([]record{{}}, kept...), p.unpack([]record{{}}))
		}
	})
}

func BenchmarkPacked(b *testing.B) {
	records := make([]record, 0, 80)
	for i := range cap(records) {
		records = append(records, record{at: 1.8e18 + int64(i)*3e6, identity: uint32(i) * 2654435761, step: int16(i / 8), number: -1, correlationID: uint16(i / 8 % 2), kind: kind(i % 20)})
	}
	var p packed
	room := make([]record, 0, len(records))
	b.ReportAllocs()
	for b.Loop() {
		p.pack(records)
		room = p.unpack(room[:0])
	}
	b.ReportMetric(float64(len(p.bytes))/float64(len(records)), "bytes/record")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(records)), "ns/record")
}
