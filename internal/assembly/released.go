// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/journal/fields"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Fields of a released task in its stored form.
const (
	releasedRuns protowire.Number = iota + 1
	releasedEnd
	releasedStatus
	releasedSpan
	releasedName
	releasedParent
	releasedStep
	releasedAttempt
	releasedOpen // a run that is still open, see stored.go
)

const (
	stepID protowire.Number = iota + 1
	stepInteger
	stepName
	stepDependency
)

const (
	attemptStep protowire.Number = iota + 1
	attemptNumber
	attemptSpan
)

// appendTo appends the stored form.
func (n *releasedTask) appendTo(b []byte) []byte {
	b = fields.Int(b, releasedRuns, int64(n.runs))
	b = fields.Int(b, releasedEnd, n.end)
	b = fields.Text(b, releasedStatus, string(n.status))
	b = fields.Message(b, releasedSpan, n.task[:])
	b = fields.Text(b, releasedName, n.name)
	b = fields.Text(b, releasedParent, n.parent)
	var inner []byte
	for i := range n.steps {
		s := &n.steps[i]
		inner = fields.Text(inner[:0], stepID, s.ID.Text)
		inner = fields.Bool(inner, stepInteger, s.ID.Integer)
		inner = fields.Text(inner, stepName, s.Name)
		for _, name := range s.Deps {
			inner = fields.Element(inner, stepDependency, name)
		}
		b = fields.Message(b, releasedStep, inner)
	}
	for i := range n.attempts {
		a := &n.attempts[i]
		inner = fields.Int(inner[:0], attemptStep, int64(a.step))
		inner = fields.Int(inner, attemptNumber, int64(a.number))
		inner = fields.Message(inner, attemptSpan, a.span[:])
		b = fields.Message(b, releasedAttempt, inner)
	}
	return b
}

// parseReleased reads a stored released task, and returns the open run stored after it, if there is one. It does not retain b.
func (a *Assembler) parseReleased(b []byte) (n *releasedTask, open []byte, err error) {
	n = new(releasedTask)
	err = fields.Read(b, func(f *fields.Field) error {
		switch f.Number {
		case releasedRuns:
			n.runs = int(f.Int())
		case releasedEnd:
			n.end = f.Int()
		case releasedStatus:
			n.status = lifecycle.Status(f.Data)
		case releasedSpan:
			copy(n.task[:], f.Data)
		case releasedName:
			n.name = string(f.Data)
		case releasedParent:
			n.parent = string(f.Data)
		case releasedStep:
			var (
				id   event.ID
				name string
				deps []string
			)
			err := fields.Read(f.Data, func(f *fields.Field) error {
				switch f.Number {
				case stepID:
					id.Text = string(f.Data)
				case stepInteger:
					id.Integer = f.Int() != 0
				case stepName:
					name = string(f.Data)
				case stepDependency:
					deps = append(deps, string(f.Data))
				}
				return nil
			})
			n.steps = append(n.steps, event.Step{ID: id, Shape: a.shared.Shape(name, deps)})
			return err
		case releasedAttempt:
			var last lastAttempt
			err := fields.Read(f.Data, func(f *fields.Field) error {
				switch f.Number {
				case attemptStep:
					last.step = int16(f.Int())
				case attemptNumber:
					last.number = int32(f.Int())
				case attemptSpan:
					copy(last.span[:], f.Data)
				}
				return nil
			})
			n.attempts = append(n.attempts, last)
			return err
		case releasedOpen:
			open = f.Data
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	for _, a := range n.attempts {
		if a.step < 0 || int(a.step) >= len(n.steps) {
			return nil, nil, fmt.Errorf("an attempt of step %d, of which there are %d", a.step, len(n.steps))
		}
	}
	return n, open, nil
}
