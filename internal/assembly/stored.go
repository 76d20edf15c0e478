// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"encoding/binary"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tasker-otel/otelcol-tasker/internal/journal/fields"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Fields of an open run in the journal, after those of its earlier runs.
const (
	openID protowire.Number = iota + 1
	openIDInteger
	openAttribute // of the resource
	openCaller
	openFlags
	openEmission
	openClock
)

const (
	flagCoarse = 1 << iota
	flagDisturbed
	flagUnsettled
	flagCut
	flagActive
	flagRefused
)

// appendOpen appends the task's open run: its identity, and what has been emitted of it.
func (t *task) appendOpen(b []byte) []byte {
	b = fields.Text(b, openID, t.id.Text)
	b = fields.Bool(b, openIDInteger, t.id.Integer)
	var inner []byte
	if t.resource != nil {
		for i := range t.resource.Attributes {
			inner = AppendAttribute(inner[:0], &t.resource.Attributes[i])
			b = fields.Message(b, openAttribute, inner)
		}
	}
	b = fields.Text(b, openCaller, t.parent)
	b = fields.Int(b, openFlags, flag(t.coarse, flagCoarse)|flag(t.disturbed, flagDisturbed)|flag(t.unsettled, flagUnsettled)|
		flag(t.cut, flagCut)|flag(t.active, flagActive)|flag(t.refused, flagRefused))
	clock := &encoder{base: t.looked}
	clock.times(t.lastArrival, t.lookAt)
	b = fields.Message(b, openClock, append(binary.AppendVarint(inner[:0], t.looked), clock.data...))
	return fields.Message(b, openEmission, t.out().appendTo(nil, &encoder{task: t}))
}

// parseOpen reads a stored open run into a task that has the steps of its earlier runs. It does not retain b.
func (a *Assembler) parseOpen(b []byte, t *task) error {
	var attributes []Attribute
	err := fields.Read(b, func(f *fields.Field) error {
		switch f.Number {
		case openID:
			t.id.Text = string(f.Data)
		case openIDInteger:
			t.id.Integer = f.Int() != 0
		case openAttribute:
			attribute, err := ReadAttribute(f.Data)
			attributes = append(attributes, attribute)
			return err
		case openCaller:
			t.parent = string(f.Data)
		case openFlags:
			flags := f.Int()
			t.coarse, t.disturbed, t.unsettled = flags&flagCoarse != 0, flags&flagDisturbed != 0, flags&flagUnsettled != 0
			t.cut, t.active, t.refused = flags&flagCut != 0, flags&flagActive != 0, flags&flagRefused != 0
		case openClock:
			looked, size := binary.Varint(f.Data)
			if size <= 0 {
				return errCut
			}
			clock := &decoder{data: f.Data[size:], base: looked}
			t.looked, t.lastArrival, t.lookAt = looked, clock.time(), clock.time()
			return clock.err
		case openEmission:
			return a.parseEmission(f.Data, t, nil)
		}
		return nil
	})
	t.resource = a.resource(attributes)
	return err
}

// sharedResources bounds how many restored resources are shared.
const sharedResources = 4096

// resource returns the shared resource with the attributes.
func (a *Assembler) resource(attributes []Attribute) *Resource {
	a.key = a.key[:0]
	for i := range attributes {
		a.key = AppendAttribute(a.key, &attributes[i])
	}
	if known, ok := a.resources[string(a.key)]; ok {
		return known
	}
	r := &Resource{Attributes: attributes}
	makeRoom(a.resources, sharedResources)
	a.resources[string(a.key)] = r
	return r
}

// Fields of an emission. The frontier comes first, because times are stored relative to it.
const (
	emissionFrontier protowire.Number = iota + 1
	emissionRoot
	emissionSpans
	emissionParents
	emissionCheckpoint
)

// appendTo appends the emission of an open run, with the task and texts of the encoder.
func (e *emission) appendTo(b []byte, with *encoder) []byte {
	with.base = e.frontier
	b = fields.Int(b, emissionFrontier, e.frontier)
	root := with.begin()
	root.id(e.root)
	root.times(e.rootNext, e.extent.start, e.extent.end)
	b = fields.Message(b, emissionRoot, root.data)
	if len(e.spans) > 0 {
		b = fields.Message(b, emissionSpans, e.spans.appendTo(with.begin()))
	}
	if len(e.parents) > 0 {
		b = fields.Message(b, emissionParents, appendParents(with.begin(), e.parents))
	}
	if e.checkpoint != nil {
		b = fields.Message(b, emissionCheckpoint, e.checkpoint.appendTo(nil, with))
	}
	return b
}

func (s emittedSpans) appendTo(to *encoder) []byte {
	last := int64(0)
	for i := range s {
		e := &s[i]
		to.id(e.id)
		to.times(e.start)
		to.ints(e.end-e.start, int64(e.step), flag(e.cut, 1), e.at-last)
		last = e.at
	}
	return to.data
}

func appendParents(to *encoder, parents []openParent) []byte {
	for i := range parents {
		p := &parents[i]
		to.id(p.id)
		to.id(p.parent)
		to.ints(flag(p.name == lifecycle.SpanBatch, 1))
		to.times(p.start)
		to.ints(p.end - p.start)
	}
	return to.data
}

// parseEmission reads the emission of an open run. It does not retain the data.
func (a *Assembler) parseEmission(data []byte, t *task, shared *texts) error {
	e := t.beginEmission()
	from := &decoder{texts: shared, task: t, owner: a}
	return fields.Read(data, func(f *fields.Field) error {
		d := from.of(f.Data)
		switch f.Number {
		case emissionFrontier:
			e.frontier = f.Int()
			from.base = e.frontier
		case emissionRoot:
			e.root, e.rootNext = d.id(), d.time()
			e.extent = extent{d.time(), d.time()}
		case emissionSpans:
			for at := int64(0); d.more(); {
				s := emittedSpan{id: d.id(), start: d.time()}
				s.end = s.start + d.int()
				s.step, s.cut = int16(d.int()), d.int() != 0
				at += d.int()
				s.at = at
				if d.err == nil {
					e.spans.add(s)
				}
			}
		case emissionParents:
			for d.more() {
				p := openParent{id: d.id(), parent: d.id(), name: lifecycle.SpanOrchestration}
				if d.int() != 0 {
					p.name = lifecycle.SpanBatch
				}
				p.start = d.time()
				p.end = p.start + d.int()
				if d.err == nil {
					e.parents = append(e.parents, p)
				}
			}
		case emissionCheckpoint:
			cp, err := parseCheckpoint(d)
			if err != nil {
				return err
			}
			e.checkpoint, t.doneAt = cp, cp.at
		}
		return d.err
	})
}
