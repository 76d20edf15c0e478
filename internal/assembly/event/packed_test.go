// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Every record is unpacked as it was packed, after any other record, and also from a replaced list.
func TestPackedRecordsComeBack(t *testing.T) {
	records := rapid.SliceOf(rapid.Custom(func(t *rapid.T) Record {
		return Record{
			At:            rapid.Int64().Draw(t, "at"),
			Identity:      rapid.Uint32().Draw(t, "identity"),
			Detail:        rapid.Uint16().Draw(t, "detail"),
			Step:          rapid.Int16Range(NoStep, maxSteps-1).Draw(t, "step"),
			Number:        rapid.Int16Range(-1, math.MaxInt16).Draw(t, "number"),
			CorrelationID: rapid.Uint16().Draw(t, "thread"),
			Kind:          Kind(rapid.Uint8Range(0, packedKind-1).Draw(t, "kind")),
			Arrived:       (rapid.Int64Range(0, 1<<36).Draw(t, "tick")+1)*arrivalTick - 1,
		}
	}))
	rapid.Check(t, func(t *rapid.T) {
		var p packed
		for range 2 {
			kept := records.Draw(t, "records")
			p.pack(kept)
			require.EqualValues(t, len(kept), p.count)
			require.LessOrEqual(t, len(p.bytes), len(kept)*mostPerRecord)
			require.Equal(t, append([]Record{{}}, kept...), p.unpack([]Record{{}}))
		}
	})
}

func BenchmarkPacked(b *testing.B) {
	records := make([]Record, 0, 80)
	for i := range cap(records) {
		records = append(records, Record{At: 1.8e18 + int64(i)*3e6, Identity: uint32(i) * 2654435761, Step: int16(i / 8), Number: -1, CorrelationID: uint16(i / 8 % 2), Kind: Kind(i % 20)})
	}
	var p packed
	room := make([]Record, 0, len(records))
	b.ReportAllocs()
	for b.Loop() {
		p.pack(records)
		room = p.unpack(room[:0])
	}
	b.ReportMetric(float64(len(p.bytes))/float64(len(records)), "bytes/record")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(records)), "ns/record")
}
