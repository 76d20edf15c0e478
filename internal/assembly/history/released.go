// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Released is what is kept of the released runs of a task, for late events and later runs.
type Released struct {
	Runs     int
	Serial   int64            // of its release
	End      int64            // of the last run; events up to here are too late
	Status   lifecycle.Status // of the last run; empty when it had not ended
	Task     event.SpanID
	Attempts []LastAttempt
	Steps    []event.Step
	Name     string // of the task
	Parent   string // traceparent of its caller
}

// Clone returns a copy that a composer may change; nil for nil.
func (n *Released) Clone() *Released {
	if n == nil {
		return nil
	}
	c := *n
	c.Attempts = slices.Clone(n.Attempts)
	return &c
}

// LastAttempt is the last attempt of a step.
type LastAttempt struct {
	Step   int16
	Number int32
	Span   event.SpanID
}

// IsLate reports whether an event belongs to what was released.
func (n *Released) IsLate(e *event.Event) bool { return e.At <= n.End || e.Kind() == event.Created }

// FollowedBy reports whether an event after the run shows that the task is still open. What repeats its end does not.
func (n *Released) FollowedBy(k event.Kind, at int64) bool {
	if n.Status == "" {
		return k.Progress()
	}
	return k.Activity() && (!k.EndsTask() || k.Status() != n.Status || at-n.End > followUp)
}
