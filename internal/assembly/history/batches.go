// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// openBatch begins a batch at the event, which announces it or, where the announcement is missing, is its first sign.
func (rd *Reader) openBatch(r *event.Record, synthesized bool) {
	b := rd.arena.batches.next()
	*b = Batch{Start: r.At, End: r.At, size: -1, listed: rd.pass.discoveredSteps, Synthesized: synthesized, Attempts: b.Attempts}
	if synthesized {
		rd.run.gaps++
		b.beginning.show(r, GapBatchBeginning)
	} else {
		b.size, b.Mode = r.Number, rd.task.Events.Detail(r).BatchMode()
	}
	if len(b.listed) > 0 && b.size >= 0 && int(b.size) != len(b.listed) {
		b.beginning.show(r, GapBatchBeginning) // the discovery was for another batch
	}
	if rd.pass.Searching != 0 && !synthesized {
		rd.run.gaps++ // its discovery is missing
		rd.pass.missing.show(r, GapDiscovery)
	}
	b.Cut = !rd.roomFor(1, bytesPerSpan)
	rd.pass.Searching = 0
	rd.pass.Batches = append(rd.pass.Batches, b)
	rd.batch = b
}

// closeBatch ends a batch whose end was not announced: with the last event of its steps.
func (rd *Reader) closeBatch(now int64) {
	if rd.batch == nil {
		return
	}
	rd.run.gaps++
	rd.show(&rd.batch.missing, GapBatchEnd)
	rd.pass.Searching, rd.pass.searchGap = now, gap{}
	rd.show(&rd.pass.searchGap, GapBatchEnd)
	rd.leaveBatch()
}

// leaveBatch ends the current batch: no more events of its attempts are expected.
func (rd *Reader) leaveBatch() {
	rd.batch.closed = true
	for _, a := range rd.batch.Attempts {
		rd.show(&a.over, GapAttempt)
	}
	rd.batch = nil
}

func (rd *Reader) batchEnded(r *event.Record) {
	if rd.batch == nil {
		rd.openBatch(r, true)
	}
	b := rd.batch
	b.End, b.Announced, b.EndedAt = max(b.End, r.At), true, rd.position+1
	b.spun = len(b.Attempts) == 0 && rd.allFailed(b.listed)
	if rd.lacksAttempts(b) {
		b.missing.show(r, GapBatchAttempts)
	}
	rd.pass.Searching, rd.pass.searchGap = r.At, gap{}
	rd.pass.discoveredSteps = nil
	rd.leaveBatch()
}

// allFailed reports whether each of the steps has failed and was not reset: a pass that finds nothing else spins through empty
// batches (docs/tasker-events.md, "The order in one task, and what repeats").
func (rd *Reader) allFailed(steps []int16) bool {
	for _, step := range steps {
		if a := rd.current[step]; a == nil || a.Status != lifecycle.StatusFailure || rd.resets[step] {
			return false
		}
	}
	return len(steps) > 0
}
