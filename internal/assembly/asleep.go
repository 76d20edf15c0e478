// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/values"
)

// Of many open tasks most wait for hours: in a queue, for a backoff, for an operator. What has been emitted of them is then kept
// encoded, in about a third of the memory, until an event comes or the task is due.

// sleep encodes what has been emitted of the task and releases memory that its lists do not use.
func (a *Assembler) sleep(t *task) {
	if t.asleep != "" || t.out().checkpoint == nil {
		return
	}
	a.keepRecords(t, t.packed.unpack(a.records[:0]))
	t.asleep = string(t.emission.appendTo(a.stored[:0], &encoder{values.Encoder{Texts: a.texts}, t}))
	t.emission = nil
	t.packed.bytes = slices.Clone(t.packed.bytes)
	t.steps = slices.Clone(t.steps)
	a.resize(t)
}

// wake decodes what sleep encoded.
func (a *Assembler) wake(t *task) {
	if t.asleep == "" {
		return
	}
	encoded := t.asleep
	t.asleep = ""
	_ = a.parseEmission([]byte(encoded), t, a.texts) // it was encoded here
	a.resize(t)
}

// resize updates the count of the task's memory.
func (a *Assembler) resize(t *task) {
	held := t.held
	t.held = t.size()
	a.stats.HeldBytes += t.held - held
}
