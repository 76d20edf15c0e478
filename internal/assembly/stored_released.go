// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
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

// appendReleased appends the stored form of a released task.
func appendReleased(b []byte, n *history.Released) []byte {
	b = fields.Int(b, releasedRuns, int64(n.Runs))
	b = fields.Int(b, releasedEnd, n.End)
	b = fields.Text(b, releasedStatus, string(n.Status))
	b = fields.Message(b, releasedSpan, n.Task[:])
	b = fields.Text(b, releasedName, n.Name)
	b = fields.Text(b, releasedParent, n.Parent)
	var inner []byte
	for i := range n.Steps {
		s := &n.Steps[i]
		inner = fields.Text(inner[:0], stepID, s.ID.Text)
		inner = fields.Bool(inner, stepInteger, s.ID.Integer)
		inner = fields.Text(inner, stepName, s.Name)
		for _, name := range s.Deps {
			inner = fields.Element(inner, stepDependency, name)
		}
		b = fields.Message(b, releasedStep, inner)
	}
	for i := range n.Attempts {
		a := &n.Attempts[i]
		inner = fields.Int(inner[:0], attemptStep, int64(a.Step))
		inner = fields.Int(inner, attemptNumber, int64(a.Number))
		inner = fields.Message(inner, attemptSpan, a.Span[:])
		b = fields.Message(b, releasedAttempt, inner)
	}
	return b
}

// parseReleased reads a stored released task, and returns the open run stored after it, if there is one. It does not retain b.
func (a *Assembler) parseReleased(b []byte) (n *history.Released, open []byte, err error) {
	n = new(history.Released)
	err = fields.Read(b, func(f *fields.Field) error {
		switch f.Number {
		case releasedRuns:
			n.Runs = int(f.Int())
		case releasedEnd:
			n.End = f.Int()
		case releasedStatus:
			n.Status = lifecycle.Status(f.Data)
		case releasedSpan:
			copy(n.Task[:], f.Data)
		case releasedName:
			n.Name = string(f.Data)
		case releasedParent:
			n.Parent = string(f.Data)
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
			n.Steps = append(n.Steps, event.Step{ID: id, Shape: a.shared.Shape(name, deps)})
			return err
		case releasedAttempt:
			var last history.LastAttempt
			err := fields.Read(f.Data, func(f *fields.Field) error {
				switch f.Number {
				case attemptStep:
					last.Step = int16(f.Int())
				case attemptNumber:
					last.Number = int32(f.Int())
				case attemptSpan:
					copy(last.Span[:], f.Data)
				}
				return nil
			})
			n.Attempts = append(n.Attempts, last)
			return err
		case releasedOpen:
			open = f.Data
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	for _, a := range n.Attempts {
		if a.Step < 0 || int(a.Step) >= len(n.Steps) {
			return nil, nil, fmt.Errorf("an attempt of step %d, of which there are %d", a.Step, len(n.Steps))
		}
	}
	return n, open, nil
}
