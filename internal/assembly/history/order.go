// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
)

// sort puts the records in the order in which they happened and drops repetitions of one item.
func (t *Source) sort(repeated *repetitions) {
	if !t.Events.Fixed {
		t.Coarse = t.fullSeconds()
	}
	if t.Coarse {
		t.refine(repeated)
		return
	}
	slices.SortFunc(t.Records, compareRecords)
	t.Records = slices.CompactFunc(t.Records, func(a, b event.Record) bool {
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
func (t *Source) fullSeconds() bool {
	full, last := 0, uint32(0)
	for i := range t.Records {
		if r := &t.Records[i]; r.At%int64(time.Second) == 0 && (full == 0 || r.Identity != last) { // a repetition is no evidence
			full++
			last = r.Identity
		}
	}
	return full > 1 && full > len(t.Records)/16
}

// createFirst puts the creation, and the enqueuing that follows it, before the work of the job. Where the creator's clock is ahead
// of the worker's, they are sorted later.
func (t *Source) createFirst() {
	if t.Released != nil || t.Checkpoint != nil {
		return
	}
	created := slices.IndexFunc(t.Records, func(r event.Record) bool { return r.Kind == event.Created })
	if created < 0 {
		return
	}
	worked := slices.IndexFunc(t.Records[:created], func(r event.Record) bool { return r.Kind == event.JobBegan || r.Kind == event.PassBegan })
	if worked < 0 {
		return
	}
	begin := t.Records[worked].At
	t.Records[created].At = begin
	queued := slices.IndexFunc(t.Records, func(r event.Record) bool { return r.Kind == event.Enqueued })
	if queued > created {
		t.Records[queued].At = begin
	}
	slices.SortFunc(t.Records, compareRecords)
}

// refine sorts records some of which have times in whole seconds, within which several batches begin and end. Such a record gets
// the time of the one that arrived before it, if its clock permits, and equal times are sorted by arrival. It is the only place
// where arrival counts.
func (t *Source) refine(repeated *repetitions) {
	t.Records = repeated.drop(t.Records)
	last := int64(math.MinInt64)
	for i := range t.Records {
		r := &t.Records[i]
		if r.At <= last && last < r.At+resolution(r.At) {
			r.At = last
		}
		last = r.At
	}
	slices.SortStableFunc(t.Records, func(a, b event.Record) int { return cmp.Compare(a.At, b.At) })
}
