// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import "github.com/tasker-otel/otelcol-tasker/internal/assembly/event"

// Of many open tasks most wait for hours: in a queue, for a backoff, for an operator. What has been emitted of them is then kept
// encoded, in about a third of the memory, until an event comes or the task is due.

// sleep encodes what has been emitted of the task and releases memory that its lists do not use.
func (a *Assembler) sleep(t *task) {
	if t.asleep != "" || t.Checkpoint == nil {
		return
	}
	a.keepRecords(t, a.reader.Unpack(&t.Source))
	t.asleep = string(t.AppendEmission(a.stored[:0], a.texts))
	t.DropEmission()
	t.Events.Reallocate()
	a.resize(t)
}

// wake decodes what sleep encoded.
func (a *Assembler) wake(t *task) {
	if t.asleep == "" {
		return
	}
	encoded := t.asleep
	t.asleep = ""
	_ = t.ParseEmission([]byte(encoded), a.texts, a.shared) // it was encoded here
	a.resize(t)
}

// resize updates the count of the task's memory.
func (a *Assembler) resize(t *task) {
	held := t.Events.Held
	t.Events.Held = t.size()
	a.stats.HeldBytes += t.Events.Held - held
}

// keepRecords keeps only some of the task's records, and of its lists what they and its checkpoint refer to.
func (a *Assembler) keepRecords(t *task, kept []event.Record) {
	count := t.Events.Count()
	to := t.Events.Compact()
	if t.Checkpoint != nil {
		t.Checkpoint.Remap(to)
	}
	if t.watch != nil {
		t.watch.correlationID = to.CorrelationID(t.watch.correlationID)
	}
	to.KeepRecords(kept)
	a.stats.HeldEvents += int64(t.Events.Count() - count)
	a.resize(t)
}
