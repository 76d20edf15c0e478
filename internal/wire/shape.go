// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"slices"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

const (
	// shapeSets is a power of two, and each set has shapeWays shapes. There are about sixty events, a few of them with two or three
	// shapes.
	shapeSets, shapeWays = 64, 4
	// maxShapeKeys bounds the memory of a shape.
	maxShapeKeys = 32
	// shapePatience is how many payloads in a row must differ from a shape until it is replaced.
	shapePatience = 4
)

// shape is the list of keys of an event's payload. The next payload of that event nearly always has the same keys in the same
// order: then its attributes are allocated at once, without a search for duplicate keys, and hashed while they are decoded.
type shape struct {
	event string
	// untimed is true for items without a time of their own, which keep the values that nothing uses of the others.
	untimed bool
	// chosen are the keys that are left out of this event only, as in leftOut.
	chosen []int
	// members are the payload's members with a value. Each key occurs once.
	members []shapeMember
	// empty has the identity and the kept attributes, without values.
	empty  pcommon.Map
	misses int
	// defined is true for an event of Tasker's, which has this severity.
	defined  bool
	severity lifecycle.Severity
	// task and correlation are the indexes of the kept members with these ids, or nowhere.
	task, correlation int
	// batched are the shapes of the events in a batch.
	batched [allBesides]*eventbatch.Shape
	// structured is true after a payload with values that a batch cannot have: then it is not tried again.
	structured bool
}

// shapeMember is a member of the payloads of a shape.
type shapeMember struct {
	key  string
	seed eventrecord.Seed
	kind leftOutKind
}

// shapes caches the shapes of payloads.
type shapes [shapeSets][shapeWays]shape

// of returns the shape of an event's payloads with so many values, or one to be replaced.
func (s *shapes) of(event string, values int, untimed bool) *shape {
	set := &s[(xxh3.HashString(event)+uint64(values))%shapeSets]
	replaced := &set[values%shapeWays]
	for i := range set {
		switch known := &set[i]; {
		case known.is(event, untimed) && len(known.members) == values:
			return known
		case known.event == "" && replaced.event != "":
			replaced = known
		}
	}
	return replaced
}

// is reports whether a shape is one of an event's payloads.
func (s *shape) is(event string, untimed bool) bool { return s.event == event && s.untimed == untimed }

func newShape(event string, untimed bool, chosen []int) shape {
	s := shape{
		event: event, untimed: untimed, chosen: chosen, empty: pcommon.NewMap(), task: nowhere, correlation: nowhere,
		defined: lifecycle.Defines(event), severity: lifecycle.SeverityOf(event),
	}
	s.empty.PutEmpty(lifecycle.AttrIdentity)
	return s
}

// add adds a member. It returns false for a key that the shape has already, and for one that may be changed, or may change the
// event's identity, after the payload is decoded.
func (s *shape) add(key string, kind leftOutKind) bool {
	switch key {
	case lifecycle.AttrEventID, lifecycle.AttrClock, lifecycle.AttrImpossibleTime, lifecycle.AttrTraceparent, eventrecord.AttrEventName:
		return false
	}
	if slices.ContainsFunc(s.members, func(m shapeMember) bool { return m.key == key }) {
		return false
	}
	if kind == kept {
		s.empty.PutEmpty(key)
		switch key {
		case lifecycle.AttrTaskID:
			s.task = len(s.members)
		case lifecycle.AttrCorrelationID:
			s.correlation = len(s.members)
		}
	}
	s.members = append(s.members, shapeMember{key: key, seed: eventrecord.SeedOf(key), kind: kind})
	return true
}

// missed counts a payload of another shape. It returns true when that one is to be cached instead.
func (s *shape) missed() bool {
	s.misses++
	return s.event == "" || s.misses > shapePatience
}

// payload writes the payload at i as attributes, with capacity for others. The first attribute is the identity, so that readers
// find it at once; it is set when the rest is known. What is hashed of the attributes is valid unless one of them is changed.
func (d *decoding) payload(attrs pcommon.Map, e *envelope, i uint32, others int) (hashed eventrecord.Hashed) {
	event, untimed := e.event, e.occurred == 0
	d.left.begin()
	known := d.shapes.of(event, len(d.values), untimed)
	if known.is(event, untimed) && d.matches(known) {
		known.misses, d.left.chosen = 0, known.chosen
		attrs.EnsureCapacity(known.empty.Len() + others)
		known.empty.CopyTo(attrs)
		member := d.leaveFrom(known, 0, &hashed)
		for key, value := range attrs.All() {
			if key == lifecycle.AttrIdentity {
				continue
			}
			hashed.Sum += d.setHashed(value, known.members[member].seed, d.values[member])
			member = d.leaveFrom(known, member+1, &hashed)
		}
		hashed.First = attrs.Len()
		return hashed
	}
	d.left.choose(event, untimed)
	attrs.EnsureCapacity(len(d.values) + 1 + others)
	attrs.PutEmpty(lifecycle.AttrIdentity)
	d.members(attrs, i, true)
	if known.missed() {
		d.learn(known, event, untimed)
	}
	return eventrecord.Hashed{LeftOut: d.left.sum}
}

// leaveFrom hashes the members of a payload of a known shape that are left out, from one on up to the next kept one, and returns
// its index.
func (d *decoding) leaveFrom(known *shape, member int, hashed *eventrecord.Hashed) int {
	for ; member < len(known.members) && known.members[member].kind != kept; member++ {
		if m := &known.members[member]; !d.report.leave(m.kind) {
			hashed.LeftOut += d.hash(m.seed, d.values[member])
		}
	}
	return member
}

// collect sets d.values to the values of the object at i, but for null: payloads have null for what does not apply, which is not an
// attribute. A key precedes its value.
func (d *decoding) collect(i uint32) {
	d.values = d.values[:0]
	own := &d.tokens[i]
	for next := i + 1; next < own.next; {
		value := next + 1
		next = d.after(value)
		if d.tokens[value].kind != kindNull {
			d.values = append(d.values, value)
		}
	}
}

// matches reports whether the payload has the keys of a shape.
func (d *decoding) matches(known *shape) bool {
	if len(d.values) != len(known.members) {
		return false
	}
	for n, value := range d.values {
		if known.members[n].key[len(lifecycle.AttributePrefix):] != string(d.plain(&d.tokens[value-1])) {
			return false
		}
	}
	return true
}

// learn caches the shape of the payload, unless it is too large or has a duplicate key.
func (d *decoding) learn(known *shape, event string, untimed bool) {
	if len(d.values) > maxShapeKeys {
		return
	}
	learned := newShape(event, untimed, d.left.chosen)
	for _, value := range d.values {
		text := d.plain(&d.tokens[value-1])
		if len(text) > maxShared || !learned.add(d.texts.attribute(text), d.left.kindOf(text)) {
			return
		}
	}
	*known = learned
}
