// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

const (
	// keptShapes is a power of two. There are some sixty events, a few of them in two or three shapes.
	keptShapes = 128
	// maxShapeKeys bounds what a shape takes in memory.
	maxShapeKeys = 32
	// shapePatience is how many payloads must differ from a shape, with none like it between them, until it is replaced.
	shapePatience = 4
)

// shape is the keys that the payload of an event had. The next of its kind nearly always has the same in the same order:
// then its attributes are laid out at once, and no key is looked for among those before it.
type shape struct {
	event string
	// keys of the attributes, each once.
	keys []string
	// empty are attributes under these keys, without values.
	empty  pcommon.Map
	misses int
}

// shapeOf is where the shape of an event's payloads of that size is kept.
func (d *decoding) shapeOf(event string, size uint32) *shape {
	return &d.shapes[(xxh3.HashString(event)+uint64(size))%keptShapes]
}

// payload writes the payload at i as attributes, with room for others.
func (d *decoding) payload(attrs pcommon.Map, event string, i uint32, others int) {
	size := d.tokens[i].size
	known := d.shapeOf(event, size)
	if known.event == event && d.matches(known, i) {
		known.misses = 0
		attrs.EnsureCapacity(len(known.keys) + others) // payloads say null of what does not apply, which is no attribute
		known.empty.CopyTo(attrs)
		member := 0
		for _, value := range attrs.All() {
			d.set(value, d.values[member])
			member++
		}
		return
	}
	attrs.EnsureCapacity(int(size) + others)
	d.members(attrs, i, true)
	if known.misses++; known.event == "" || known.misses > shapePatience {
		known.learn(event, attrs)
	}
}

// matches tells whether the object at i has the keys of a shape, and leaves in d.values where its values are.
func (d *decoding) matches(known *shape, i uint32) bool {
	d.values = d.values[:0]
	own := &d.tokens[i]
	for next := i + 1; next < own.next; {
		key, value := next, next+1
		next = d.after(value)
		if d.tokens[value].kind == kindNull {
			continue
		}
		n := len(d.values)
		if n == len(known.keys) || known.keys[n][len(lifecycle.AttributePrefix):] != string(d.plain(&d.tokens[key])) {
			return false
		}
		d.values = append(d.values, value)
	}
	return len(d.values) == len(known.keys)
}

// learn takes the shape of a payload that was written, unless it is too large to be kept.
func (s *shape) learn(event string, attrs pcommon.Map) {
	if attrs.Len() > maxShapeKeys {
		return
	}
	for key := range attrs.All() {
		if len(key) > len(lifecycle.AttributePrefix)+maxShared {
			return
		}
	}
	learned := shape{event: event, keys: make([]string, 0, attrs.Len()), empty: pcommon.NewMap()}
	learned.empty.EnsureCapacity(attrs.Len())
	for key := range attrs.All() {
		learned.keys = append(learned.keys, key)
		learned.empty.PutEmpty(key)
	}
	*s = learned
}
