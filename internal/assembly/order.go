// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// sortRecords puts the records in the order in which they happened and drops repetitions of one item.
func (t *historyTask) sortRecords() {
	if !t.fixed {
		t.coarse = t.fullSeconds()
	}
	if t.coarse {
		t.refine()
		return
	}
	slices.SortFunc(t.records, compareRecords)
	t.records = slices.CompactFunc(t.records, func(a, b record) bool {
		return a.at == b.at && a.same(&b)
	})
	t.createFirst()
}

// compareRecords compares the times first: nearly always they differ.
func compareRecords(a, b record) int {
	if a.at != b.at {
		return cmp.Compare(a.at, b.at)
	}
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.identity, b.identity), cmp.Compare(a.step, b.step), cmp.Compare(a.arrived, b.arrived))
}

// fullSeconds reports whether some clock of the task has a resolution of a second only. A time of millisecond resolution can be a
// full second by chance.
func (t *historyTask) fullSeconds() bool {
	full, last := 0, uint32(0)
	for i := range t.records {
		if r := &t.records[i]; r.at%int64(time.Second) == 0 && (full == 0 || r.identity != last) { // a repetition is no evidence
			full++
			last = r.identity
		}
	}
	return full > 1 && full > len(t.records)/16
}

// createFirst puts the creation, and the enqueuing that follows it, before the work of the job. Where the creator's clock is ahead
// of the worker's, they are sorted later.
func (t *historyTask) createFirst() {
	if t.released != nil || t.checkpoint != nil {
		return
	}
	created := slices.IndexFunc(t.records, func(r record) bool { return r.kind == kindCreated })
	if created < 0 {
		return
	}
	worked := slices.IndexFunc(t.records[:created], func(r record) bool { return r.kind == kindJobBegan || r.kind == kindPassBegan })
	if worked < 0 {
		return
	}
	begin := t.records[worked].at
	t.records[created].at = begin
	queued := slices.IndexFunc(t.records, func(r record) bool { return r.kind == kindEnqueued })
	if queued > created {
		t.records[queued].at = begin
	}
	slices.SortFunc(t.records, compareRecords)
}

// refine sorts records some of which have times in whole seconds, within which several batches begin and end. Such a record gets
// the time of the one that arrived before it, if its clock permits, and equal times are sorted by arrival. It is the only place
// where arrival counts.
func (t *historyTask) refine() {
	last := int64(math.MinInt64)
	seen := make(map[uint32]int, len(t.records))
	kept := t.records[:0]
	for _, r := range t.records {
		if first, again := seen[r.identity]; again && kept[first].same(&r) {
			continue
		}
		seen[r.identity] = len(kept)
		if r.at <= last && last < r.at+resolution(r.at) {
			r.at = last
		}
		last = r.at
		kept = append(kept, r)
	}
	t.records = kept
	slices.SortStableFunc(t.records, func(a, b record) int { return cmp.Compare(a.at, b.at) })
}

// same reports whether two records of one time are the same item sent twice.
func (r *record) same(other *record) bool {
	return r.kind == other.kind && r.step == other.step && r.identity == other.identity
}
