// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"cmp"
	"slices"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
)

// Exemplar is one measured value and where it was measured. A span id of zeros means the trace as a whole.
type Exemplar = records.Exemplar

// place finds the exemplar that gives way to a candidate: one that was kept before a time, or else the smallest one if it
// is smaller. So the largest values stay, which are the ones that somebody looks for, but none for ever. While there is
// room the place is behind the last one. It is negative if the candidate is not kept.
func place(kept []Exemplar, limit int, candidate *Exemplar, before int64) int {
	if len(kept) < limit {
		return len(kept)
	}
	for i := range kept {
		if kept[i].Kept < before {
			return i
		}
	}
	if kept[0].Value < candidate.Value {
		return 0
	}
	return -1
}

// put puts an exemplar at a place, or behind the last one, and moves it to where the values ascend.
func put(kept []Exemplar, at int, exemplar *Exemplar) []Exemplar {
	if at == len(kept) {
		kept = append(kept, *exemplar)
	}
	for ; at+1 < len(kept) && kept[at+1].Value <= exemplar.Value; at++ {
		kept[at] = kept[at+1]
	}
	for ; at > 0 && kept[at-1].Value > exemplar.Value; at-- {
		kept[at] = kept[at-1]
	}
	kept[at] = *exemplar
	return kept
}

// stored are exemplars that come from the storage, the slowest ones up to a limit, as if kept at a time.
func stored(kept []Exemplar, limit int, at int64) []Exemplar {
	slices.SortStableFunc(kept, func(a, b Exemplar) int { return cmp.Compare(a.Value, b.Value) })
	kept = kept[max(0, len(kept)-limit):]
	for i := range kept {
		kept[i].Kept = at
	}
	return kept
}
