// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"slices"

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
	// keys are those of all members that have a value, as attributes, each once.
	keys []string
	// places runs parallel to the keys: those of the keys that are left out, or kept.
	places []int16
	// empty are the identity and attributes under the keys that are kept, without values.
	empty  pcommon.Map
	misses int
}

// shapeOf is where the shape of an event's payloads of that size is kept.
func (d *decoding) shapeOf(event string, size uint32) *shape {
	return &d.shapes[(xxh3.HashString(event)+uint64(size))%keptShapes]
}

// payload writes the payload at i as attributes, with room for others. The first attribute is the identity, which is set when
// the rest is known: all that read it find it at once.
func (d *decoding) payload(attrs pcommon.Map, event string, i uint32, others int) {
	d.left.begin()
	size := d.tokens[i].size
	known := d.shapeOf(event, size)
	if known.event == event && d.matches(known, i) {
		known.misses = 0
		attrs.EnsureCapacity(known.empty.Len() + others)
		known.empty.CopyTo(attrs)
		member := d.leaveFrom(known, 0)
		for key, value := range attrs.All() {
			if key == lifecycle.AttrIdentity {
				continue
			}
			d.set(value, d.values[member])
			member = d.leaveFrom(known, member+1)
		}
		return
	}
	attrs.EnsureCapacity(int(size) + 1 + others)
	attrs.PutEmpty(lifecycle.AttrIdentity)
	d.members(attrs, i, true)
	if known.misses++; known.event == "" || known.misses > shapePatience {
		d.learn(known, event, i)
	}
}

// leaveFrom leaves out the members of a payload of a known shape from one on, up to the next that is kept, and returns its index.
func (d *decoding) leaveFrom(known *shape, member int) int {
	for ; member < len(known.places) && known.places[member] != kept; member++ {
		d.leave(int(known.places[member]), d.values[member])
	}
	return member
}

// matches reports whether the object at i has the keys of a shape, and leaves in d.values where its values are.
func (d *decoding) matches(known *shape, i uint32) bool {
	d.values = d.values[:0]
	own := &d.tokens[i]
	for next := i + 1; next < own.next; {
		key, value := next, next+1
		next = d.after(value)
		if d.tokens[value].kind == kindNull { // payloads say null of what does not apply, which is no attribute
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

// learn takes the shape of the payload at i, unless it is too large to be kept or has a key twice.
func (d *decoding) learn(known *shape, event string, i uint32) {
	own := &d.tokens[i]
	if own.size > maxShapeKeys {
		return
	}
	learned := shape{event: event, empty: pcommon.NewMap()}
	learned.empty.PutEmpty(lifecycle.AttrIdentity)
	for next := i + 1; next < own.next; {
		key, value := &d.tokens[next], next+1
		next = d.after(value)
		if d.tokens[value].kind == kindNull {
			continue
		}
		text := d.plain(key)
		if len(text) > maxShared {
			return
		}
		attribute := d.texts.attribute(text)
		if slices.Contains(learned.keys, attribute) {
			return
		}
		place := d.left.placeOf(text)
		learned.keys = append(learned.keys, attribute)
		learned.places = append(learned.places, int16(place))
		if place == kept {
			learned.empty.PutEmpty(attribute)
		}
	}
	*known = learned
}
