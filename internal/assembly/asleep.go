// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import "github.com/tasker-otel/otelcol-tasker/internal/journal/fields"

// Of many open tasks most wait for hours: in a queue, for a backoff, for an operator. What is known of them besides their
// events is then kept as it is stored, in about a third of the memory, until something comes or is to be done.

// sleep packs what is out of the task, and its checkpoint.
func (a *Assembler) sleep(t *task) {
	if t.asleep != nil || t.checkpoint == nil {
		return
	}
	b := fields.Message(nil, openEmitted, t.appendEmitted(nil))
	b = fields.Message(b, openParents, t.appendParents(nil))
	b = fields.Message(b, openCheckpoint, t.checkpoint.appendTo(nil, t))
	t.asleep = append(make([]byte, 0, len(b)), b...)
	t.emitted, t.parents, t.checkpoint = nil, nil, nil
	a.keepRecords(t, t.packed.unpack(a.records[:0]))
}

// wake unpacks them.
func (a *Assembler) wake(t *task) {
	if t.asleep == nil {
		return
	}
	b, held := t.asleep, t.held
	t.asleep = nil
	_ = a.parseOpen(b, t) // it was packed here
	t.held = t.size()
	a.stats.HeldBytes += t.held - held
}
