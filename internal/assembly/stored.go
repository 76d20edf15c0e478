// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"encoding/binary"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/emitted"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/values"
	"github.com/tasker-otel/otelcol-tasker/internal/journal/fields"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// The state of an open run has one encoding for the journal and for the memory of a sleeping task. In memory a text that many tasks
// share is a number, and correlation ids and details are indexes into the lists of their task; the journal has all values in full,
// because another process reads it.

// encoder appends values of a task.
type encoder struct {
	values.Encoder
	task *task
}

// begin begins another message with the base, task and texts of this one.
func (e *encoder) begin() *encoder {
	return &encoder{values.Encoder{Base: e.Base, Texts: e.Texts}, e.task}
}

// inJournal reports whether the state is for the journal.
func (e *encoder) inJournal() bool { return e.Texts == nil }

// correlationID appends a correlation id by its index in the task.
func (e *encoder) correlationID(place uint16) {
	if e.inJournal() {
		e.OwnText(e.task.correlationID(place))
	} else {
		e.Ints(int64(place))
	}
}

// decoder reads what an encoder appended.
type decoder struct {
	values.Decoder
	task  *task
	owner *Assembler
}

// of returns a decoder for another message with the same base, task and texts.
func (d *decoder) of(data []byte) *decoder {
	return &decoder{values.Decoder{Data: data, Base: d.Base, Texts: d.Texts, Intern: d.Intern}, d.task, d.owner}
}

// inJournal reports whether the state is from the journal.
func (d *decoder) inJournal() bool { return d.Texts == nil }

// correlationID reads a correlation id and returns its index in the task.
func (d *decoder) correlationID() uint16 {
	if d.inJournal() {
		return d.task.correlationIndex(d.owner, d.OwnText())
	}
	place := d.Int()
	if place < 0 || place > int64(len(d.task.correlationIDs)) {
		d.Fail()
		return 0
	}
	return uint16(place)
}

func flag(on bool, bit int64) int64 {
	if on {
		return bit
	}
	return 0
}

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
	clock := &values.Encoder{Base: t.looked}
	clock.Times(t.lastArrival, t.lookAt)
	b = fields.Message(b, openClock, append(binary.AppendVarint(inner[:0], t.looked), clock.Data...))
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
				return values.ErrCut
			}
			clock := &values.Decoder{Data: f.Data[size:], Base: looked}
			t.looked, t.lastArrival, t.lookAt = looked, clock.Time(), clock.Time()
			return clock.Err
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
	with.Base = e.frontier
	b = fields.Int(b, emissionFrontier, e.frontier)
	root := with.begin()
	root.ID(e.root)
	root.Times(e.rootNext, e.extent.start, e.extent.end)
	b = fields.Message(b, emissionRoot, root.Data)
	if len(e.spans) > 0 {
		b = fields.Message(b, emissionSpans, appendSpans(with.begin(), e.spans))
	}
	if len(e.parents) > 0 {
		b = fields.Message(b, emissionParents, appendParents(with.begin(), e.parents))
	}
	if e.checkpoint != nil {
		b = fields.Message(b, emissionCheckpoint, e.checkpoint.appendTo(nil, with))
	}
	return b
}

func appendSpans(to *encoder, spans emitted.Spans) []byte {
	last := int64(0)
	for i := range spans {
		s := &spans[i]
		to.ID(s.ID)
		to.Times(s.Start)
		to.Ints(s.End-s.Start, int64(s.Step), flag(s.Cut, 1), s.At-last)
		last = s.At
	}
	return to.Data
}

func appendParents(to *encoder, parents []openParent) []byte {
	for i := range parents {
		p := &parents[i]
		to.ID(p.id)
		to.ID(p.parent)
		to.Ints(flag(p.name == lifecycle.SpanBatch, 1))
		to.Times(p.start)
		to.Ints(p.end - p.start)
	}
	return to.Data
}

// parseEmission reads the emission of an open run. It does not retain the data.
func (a *Assembler) parseEmission(data []byte, t *task, shared *values.Texts) error {
	e := t.beginEmission()
	from := &decoder{values.Decoder{Texts: shared, Intern: a.intern}, t, a}
	return fields.Read(data, func(f *fields.Field) error {
		d := from.of(f.Data)
		switch f.Number {
		case emissionFrontier:
			e.frontier = f.Int()
			from.Base = e.frontier
		case emissionRoot:
			e.root, e.rootNext = d.ID(), d.Time()
			e.extent = extent{d.Time(), d.Time()}
		case emissionSpans:
			for at := int64(0); d.More(); {
				s := emitted.Span{ID: d.ID(), Start: d.Time()}
				s.End = s.Start + d.Int()
				s.Step, s.Cut = int16(d.Int()), d.Int() != 0
				at += d.Int()
				s.At = at
				if d.Err == nil {
					e.spans.Add(s)
				}
			}
		case emissionParents:
			for d.More() {
				p := openParent{id: d.ID(), parent: d.ID(), name: lifecycle.SpanOrchestration}
				if d.Int() != 0 {
					p.name = lifecycle.SpanBatch
				}
				p.start = d.Time()
				p.end = p.start + d.Int()
				if d.Err == nil {
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
		return d.Err
	})
}
