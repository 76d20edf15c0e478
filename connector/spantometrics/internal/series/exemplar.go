// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"cmp"
	"slices"

	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
)

// Exemplar is a measured value and its context. A zero span ID refers to the whole trace.
type Exemplar = records.Exemplar

// place returns the index of the exemplar that one with a value replaces: one added before the given time, or else the smallest
// one if it is smaller than the value. So the largest values are preferred but not forever. Below the limit it is the
// index behind the last one. It is negative if the candidate is not kept.
func place(kept []Exemplar, limit int, value, before int64) int {
	if len(kept) < limit {
		return len(kept)
	}
	for i := range kept {
		if kept[i].Kept < before {
			return i
		}
	}
	if kept[0].Value < value {
		return 0
	}
	return -1
}

// put stores an exemplar at an index, or appends it, and restores the ascending order of values.
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

// stored returns exemplars from the storage, the slowest ones up to a limit, as added at a time.
func stored(kept []Exemplar, limit int, at int64) []Exemplar {
	slices.SortStableFunc(kept, func(a, b Exemplar) int { return cmp.Compare(a.Value, b.Value) })
	kept = kept[max(0, len(kept)-limit):]
	for i := range kept {
		kept[i].Kept = at
	}
	return kept
}
