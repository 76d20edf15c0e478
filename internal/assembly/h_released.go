// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// releasedTask is what is kept of the released runs of a task, for late events and later runs.
type releasedTask struct {
	runs     int
	serial   int64            // of its release
	end      int64            // of the last run; events up to here are too late
	status   lifecycle.Status // of the last run; empty when it had not ended
	task     event.SpanID
	attempts []lastAttempt
	steps    []event.Step
	name     string // of the task
	parent   string // traceparent of its caller
}

// clone returns a copy that a composer may change; nil for nil.
func (n *releasedTask) clone() *releasedTask {
	if n == nil {
		return nil
	}
	c := *n
	c.attempts = slices.Clone(n.attempts)
	return &c
}

// lastAttempt is the last attempt of a step.
type lastAttempt struct {
	step   int16
	number int32
	span   event.SpanID
}

// isLate reports whether an event belongs to what was released.
func (n *releasedTask) isLate(e *event.Event) bool { return e.At <= n.end || e.Kind() == event.Created }

// followedBy reports whether an event after the run shows that the task is still open. What repeats its end does not.
func (n *releasedTask) followedBy(k event.Kind, at int64) bool {
	if n.status == "" {
		return k.Progress()
	}
	return k.Activity() && (!k.EndsTask() || k.Status() != n.status || at-n.end > followUp)
}
