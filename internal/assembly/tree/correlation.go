// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// inside makes the spans added next belong to the pass: they have its correlation id, not that of the thread that ran a step (trap
// 6). A pass without one has a generated id. A nil pass is the same as outside.
func (c *Composer) inside(p *history.Pass) {
	switch {
	case p == nil:
		c.outside()
	case p != c.pass:
		c.pass = p
		if c.correlation = c.task.Events.CorrelationID(p.CorrelationID); c.correlation == "" {
			c.correlation = c.generated(p.Start)
		}
	}
}

// outside makes the spans added next belong to the task as a whole.
func (c *Composer) outside() { c.pass, c.correlation = nil, c.own }

// taskCorrelation returns the correlation id of the task's span: that of the first pass, or of the event with which the run began; else the one
// generated for its first pass, or for the run.
func (c *Composer) taskCorrelation() string {
	n := c.run
	if c.forgotten != nil {
		return c.forgotten.own
	}
	if len(n.Passes) > 0 {
		if given := c.task.Events.CorrelationID(n.Passes[0].CorrelationID); given != "" {
			return given
		}
	}
	if len(n.Records) > 0 {
		if given := c.task.Events.CorrelationID(n.Records[0].CorrelationID); given != "" {
			return given
		}
	}
	if len(n.Passes) > 0 {
		return c.generated(n.Passes[0].Start)
	}
	return c.generated(n.Start)
}

func (c *Composer) generated(begin int64) string {
	return lifecycle.CorrelationSuffixOf(pcommon.TraceID(c.task.Events.Trace)).At(begin)
}
