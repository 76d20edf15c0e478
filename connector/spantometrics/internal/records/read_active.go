// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tasker-otel/otelcol-tasker/internal/journal/fields"
)

// active applies a change of an active task or step.
func (r *reader) active(f *fields.Field) error {
	if f.Number == changeForgetTask {
		var trace [16]byte
		if err := id(trace[:], f.Data); err != nil {
			return err
		}
		r.to.ForgetTask(trace)
		return nil
	}
	a, err := r.readActive(f.Data)
	if err != nil {
		return err
	}
	switch f.Number {
	case changeActiveTask:
		r.to.ActiveTask(a.ActiveTask)
	case changeActiveStep:
		r.to.ActiveStep(ActiveStep{Active: a.Active, Step: a.step})
	case changeForgetStep:
		r.to.ForgetStep(a.Trace, a.step)
	}
	return nil
}

// active is a task, or a step, whose state is zero.
type active struct {
	ActiveTask
	step uint64
}

func (r *reader) readActive(data []byte) (a active, err error) {
	err = fields.Read(data, func(f *fields.Field) error {
		switch f.Number {
		case activeTrace:
			return id(a.Trace[:], f.Data)
		case activeStep:
			a.step = f.Bits
		case activeHeard:
			a.Heard = f.Int()
		case activeState:
			a.State = uint8(min(f.Bits, math.MaxUint8))
		case activeComplete:
			a.Complete = f.Int() != 0
		case activeGauge:
			a.Gauge = f.Bits
		case activeAge:
			a.Age = f.Bits
		default:
			if i := f.Number - activeTimes; i >= 0 && i < protowire.Number(len(a.Times)) {
				a.Times[i] = r.now.Wall + f.Int()
			}
		}
		return nil
	})
	return a, err
}
