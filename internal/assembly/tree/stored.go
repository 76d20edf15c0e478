// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree/emitted"
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
	set *event.Set
}

// begin begins another message with the base, task and texts of this one.
func (e *encoder) begin() *encoder {
	return &encoder{values.Encoder{Base: e.Base, Texts: e.Texts}, e.set}
}

// inJournal reports whether the state is for the journal.
func (e *encoder) inJournal() bool { return e.Texts == nil }

// correlationID appends a correlation id by its index in the task.
func (e *encoder) correlationID(place uint16) {
	if e.inJournal() {
		e.OwnText(e.set.CorrelationID(place))
	} else {
		e.Ints(int64(place))
	}
}

// decoder reads what an encoder appended.
type decoder struct {
	values.Decoder
	set    *event.Set
	shared *event.Shared
}

// of returns a decoder for another message with the same base, task and texts.
func (d *decoder) of(data []byte) *decoder {
	return &decoder{values.Decoder{Data: data, Base: d.Base, Texts: d.Texts, Intern: d.Intern}, d.set, d.shared}
}

// inJournal reports whether the state is from the journal.
func (d *decoder) inJournal() bool { return d.Texts == nil }

// correlationID reads a correlation id and returns its index in the task.
func (d *decoder) correlationID() uint16 {
	if d.inJournal() {
		return d.set.KeepCorrelationID(d.shared, d.OwnText())
	}
	place := d.Int()
	if place < 0 || place > int64(len(d.set.CorrelationIDs)) {
		d.Fail()
		return 0
	}
	return uint16(place)
}

// Fields of an emission. The frontier comes first, because times are stored relative to it.
const (
	emissionFrontier protowire.Number = iota + 1
	emissionRoot
	emissionSpans
	emissionParents
	emissionCheckpoint
)

// AppendEmission appends what has been emitted of the open run, with its checkpoint. With the numbers of shared texts it is for the
// memory of this process, without for the journal.
func (t *Task) AppendEmission(b []byte, texts *values.Texts) []byte {
	e := t.out()
	with := &encoder{values.Encoder{Base: e.frontier, Texts: texts}, &t.Events}
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
	if t.Checkpoint != nil {
		b = fields.Message(b, emissionCheckpoint, appendCheckpoint(nil, t.Checkpoint, e.forgotten, with))
	}
	return b
}

func appendSpans(to *encoder, spans emitted.Spans) []byte {
	last := int64(0)
	for i := range spans {
		s := &spans[i]
		to.ID(s.ID)
		to.Times(s.Start)
		to.Ints(s.End-s.Start, int64(s.Step), values.Flag(s.Cut, 1), s.At-last)
		last = s.At
	}
	return to.Data
}

func appendParents(to *encoder, parents []openParent) []byte {
	for i := range parents {
		p := &parents[i]
		to.ID(p.id)
		to.ID(p.parent)
		to.Ints(values.Flag(p.name == lifecycle.SpanBatch, 1))
		to.Times(p.start)
		to.Ints(p.end - p.start)
	}
	return to.Data
}

// ParseEmission reads what appendEmission appended. It does not retain the data.
func (t *Task) ParseEmission(data []byte, texts *values.Texts, shared *event.Shared) error {
	e := t.beginEmission()
	from := &decoder{values.Decoder{Texts: texts, Intern: shared.Intern}, &t.Events, shared}
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
			cp, sum, err := parseCheckpoint(d)
			if err != nil {
				return err
			}
			t.Checkpoint, e.forgotten = cp, sum
		}
		return d.Err
	})
}
