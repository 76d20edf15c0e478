// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
)

// sortRecords puts the records in the order in which they happened and drops repetitions of one item.
func (t *historyTask) sortRecords() {
	if !t.Events.Fixed {
		t.coarse = t.fullSeconds()
	}
	if t.coarse {
		t.refine()
		return
	}
	slices.SortFunc(t.records, compareRecords)
	t.records = slices.CompactFunc(t.records, func(a, b event.Record) bool {
		return a.At == b.At && a.Same(&b)
	})
	t.createFirst()
}

// compareRecords compares the times first: nearly always they differ.
func compareRecords(a, b event.Record) int {
	if a.At != b.At {
		return cmp.Compare(a.At, b.At)
	}
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Identity, b.Identity), cmp.Compare(a.Step, b.Step), cmp.Compare(a.Arrived, b.Arrived))
}

// fullSeconds reports whether some clock of the task has a resolution of a second only. A time of millisecond resolution can be a
// full second by chance.
func (t *historyTask) fullSeconds() bool {
	full, last := 0, uint32(0)
	for i := range t.records {
		if r := &t.records[i]; r.At%int64(time.Second) == 0 && (full == 0 || r.Identity != last) { // a repetition is no evidence
			full++
			last = r.Identity
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
	created := slices.IndexFunc(t.records, func(r event.Record) bool { return r.Kind == event.Created })
	if created < 0 {
		return
	}
	worked := slices.IndexFunc(t.records[:created], func(r event.Record) bool { return r.Kind == event.JobBegan || r.Kind == event.PassBegan })
	if worked < 0 {
		return
	}
	begin := t.records[worked].At
	t.records[created].At = begin
	queued := slices.IndexFunc(t.records, func(r event.Record) bool { return r.Kind == event.Enqueued })
	if queued > created {
		t.records[queued].At = begin
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
		if first, again := seen[r.Identity]; again && kept[first].Same(&r) {
			continue
		}
		seen[r.Identity] = len(kept)
		if r.At <= last && last < r.At+resolution(r.At) {
			r.At = last
		}
		last = r.At
		kept = append(kept, r)
	}
	t.records = kept
	slices.SortStableFunc(t.records, func(a, b event.Record) int { return cmp.Compare(a.At, b.At) })
}
