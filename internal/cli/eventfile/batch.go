// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventfile

// Batch is an NDJSON body with one item per line. It keeps the origins of the items, so that an index in the receiver's answer
// can be reported as a line of a file.
type Batch struct {
	Body    []byte
	Origins []Origin
}

// Add copies an item without a fault into the batch.
func (b *Batch) Add(item Item) {
	b.Body = append(b.Body, item.JSON...)
	b.Body = append(b.Body, '\n')
	b.Origins = append(b.Origins, item.Origin)
}

// Len returns the number of items.
func (b *Batch) Len() int { return len(b.Origins) }

// Origin returns the origin of the item at an index; false if there is none.
func (b *Batch) Origin(index int) (Origin, bool) {
	if index < 0 || index >= len(b.Origins) {
		return Origin{}, false
	}
	return b.Origins[index], true
}

// Reset empties the batch but keeps its memory.
func (b *Batch) Reset() { b.Body, b.Origins = b.Body[:0], b.Origins[:0] }
