// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"encoding/binary"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/values"
	"github.com/tasker-otel/otelcol-tasker/internal/journal/fields"
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
	b = fields.Text(b, openID, t.Events.ID.Text)
	b = fields.Bool(b, openIDInteger, t.Events.ID.Integer)
	var inner []byte
	if t.Events.Resource != nil {
		for i := range t.Events.Resource.Attributes {
			inner = attribute.Append(inner[:0], &t.Events.Resource.Attributes[i])
			b = fields.Message(b, openAttribute, inner)
		}
	}
	b = fields.Text(b, openCaller, t.Events.Parent)
	b = fields.Int(b, openFlags, values.Flag(t.Coarse, flagCoarse)|values.Flag(t.Disturbed, flagDisturbed)|values.Flag(t.unsettled, flagUnsettled)|
		values.Flag(t.Cut, flagCut)|values.Flag(t.active, flagActive)|values.Flag(t.Events.Refused, flagRefused))
	clock := &values.Encoder{Base: t.looked}
	clock.Times(t.lastArrival, t.lookAt)
	b = fields.Message(b, openClock, append(binary.AppendVarint(inner[:0], t.looked), clock.Data...))
	return fields.Message(b, openEmission, t.AppendEmission(nil, nil))
}

// parseOpen reads a stored open run into a task that has the steps of its earlier runs. It does not retain b.
func (a *Assembler) parseOpen(b []byte, t *task) error {
	var attributes []attribute.KeyValue
	err := fields.Read(b, func(f *fields.Field) error {
		switch f.Number {
		case openID:
			t.Events.ID.Text = string(f.Data)
		case openIDInteger:
			t.Events.ID.Integer = f.Int() != 0
		case openAttribute:
			kv, err := attribute.Read(f.Data)
			attributes = append(attributes, kv)
			return err
		case openCaller:
			t.Events.Parent = string(f.Data)
		case openFlags:
			flags := f.Int()
			t.Coarse, t.Disturbed, t.unsettled = flags&flagCoarse != 0, flags&flagDisturbed != 0, flags&flagUnsettled != 0
			t.Cut, t.active, t.Events.Refused = flags&flagCut != 0, flags&flagActive != 0, flags&flagRefused != 0
		case openClock:
			looked, size := binary.Varint(f.Data)
			if size <= 0 {
				return values.ErrCut
			}
			clock := &values.Decoder{Data: f.Data[size:], Base: looked}
			t.looked, t.lastArrival, t.lookAt = looked, clock.Time(), clock.Time()
			return clock.Err
		case openEmission:
			err := t.ParseEmission(f.Data, nil, a.shared)
			if t.Checkpoint != nil {
				t.doneAt = t.Checkpoint.At
			}
			return err
		}
		return nil
	})
	t.Events.Resource = a.shared.Resource(attributes)
	return err
}
