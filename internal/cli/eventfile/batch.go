// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventfile

// Batch gathers items into one NDJSON body, an item per line, so that an index of the receiver's report names a line of a
// file again.
type Batch struct {
	Body    []byte
	Origins []Origin
}

// Add appends an item that has no fault. The batch copies it.
func (b *Batch) Add(item Item) {
	b.Body = append(b.Body, item.JSON...)
	b.Body = append(b.Body, '\n')
	b.Origins = append(b.Origins, item.Origin)
}

// Len is the number of items.
func (b *Batch) Len() int { return len(b.Origins) }

// Origin is where the item of an index stands; false when the batch has no such item.
func (b *Batch) Origin(index int) (Origin, bool) {
	if index < 0 || index >= len(b.Origins) {
		return Origin{}, false
	}
	return b.Origins[index], true
}

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() { b.Body, b.Origins = b.Body[:0], b.Origins[:0] }
