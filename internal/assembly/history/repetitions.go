// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"math/bits"
	"math/rand/v2"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
)

// repetitions finds records that were sent again, in the order of arrival, where their times do not make them neighbors. It is a hash
// table of the latest record of each identity, with linear probing; its memory is reused for the next task.
type repetitions struct {
	places []int32 // indexes in the records, counted from 1
	factor uint64  // of the hash; random, so that nobody can choose identities that collide
}

// drop removes repetitions in place and keeps the order.
func (s *repetitions) drop(records []event.Record) []event.Record {
	size := bits.Len(uint(len(records))) + 1 // less than half full
	s.places = zeros(s.places, 1<<size)
	for s.factor == 0 {
		s.factor = rand.Uint64() | 1
	}
	kept := records[:0]
	for i := range records {
		r := &records[i]
		place := s.factor * uint64(r.Identity) >> (64 - size)
		for s.places[place] != 0 && kept[s.places[place]-1].Identity != r.Identity {
			place = (place + 1) & (1<<size - 1)
		}
		if first := s.places[place]; first != 0 && kept[first-1].Same(r) {
			continue
		}
		kept = append(kept, *r)
		s.places[place] = int32(len(kept))
	}
	return kept
}
