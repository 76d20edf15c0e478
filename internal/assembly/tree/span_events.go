// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"math"
	"slices"
	"strings"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// attach adds every event that defines no span to the innermost span it belongs to, and makes spans of queries.
func (c *Composer) attach() {
	var shown [event.Kinds]*event.Record // announcements that the engine repeats are shown once per pass or batch
	var shownIn [event.Kinds]*history.Pass
	c.findPasses()
	c.around.begin()
	for i := range c.run.Records {
		r := &c.run.Records[i]
		switch r.Kind {
		case event.Query:
			if !c.noting {
				c.query(r)
			}
		case event.BatchEnded, event.BatchBegan:
			shown[event.Discovered], shown[event.NothingViable] = nil, nil
		case event.Discovered, event.NothingViable, event.TaskPending:
			p := c.passAt(r.At)
			if shown[r.Kind] != nil && shownIn[r.Kind] == p {
				continue
			}
			shown[r.Kind], shownIn[r.Kind] = r, p
			c.attachSpanEvent(r)
		case event.SpanEvent, event.StepReset, event.TaskCancelled, event.TaskResolved, event.StepCancelled, event.StepResolved:
			c.attachSpanEvent(r)
		}
	}
}

func (c *Composer) attachSpanEvent(r *event.Record) {
	name := lifecycle.WorkflowViableStepsDiscovered
	if r.Kind != event.Discovered {
		name = c.task.Events.Detail(r).SpanEventName()
	}
	target := c.spanAt(r, name)
	place, here := c.index[target]
	if !here {
		if (c.noting || c.going == nil) && c.task.out().spans.EmittedBefore(target, r.Arrived) {
			c.Late++
		}
		return
	}
	s := &c.tree.Spans[place]
	shown := SpanEvent{Name: name, At: r.At}
	if r.Kind == event.Discovered {
		shown.Attributes = c.discovered(r)
	} else {
		shown.Attributes = c.task.Events.Detail(r).Attributes
	}
	c.addEvent(s, shown, r.Cut)
}

// discovered returns the attributes of a discovery.
func (c *Composer) discovered(r *event.Record) []attribute.KeyValue {
	steps := c.task.Events.List(r)
	var (
		names []string
		attrs []attribute.KeyValue
	)
	if c.noting { // a checkpoint keeps them
		names, attrs = make([]string, 0, len(steps)), make([]attribute.KeyValue, 0, 2)
	} else {
		names, attrs = room(&c.texts, len(steps)), room(&c.attrs, 2)
	}
	for _, step := range steps {
		names = append(names, c.task.Events.Steps[step].Name)
	}
	return append(attrs, attribute.Int(lifecycle.AttrStepCount, int64(len(names))), attribute.Strings(lifecycle.AttrStepNames, names))
}

// spanAt returns the innermost span that the event belongs to and that contains its time. The span may be in an earlier part, or
// not yet settled.
func (c *Composer) spanAt(r *event.Record, name string) event.SpanID {
	target := c.root
	if p := c.passAt(r.At); p != nil {
		target = p.Span
		if !aboutTask(name) {
			for _, b := range p.Batches {
				if r.Step == event.NoStep && b.Start <= r.At && r.At <= b.End && (!b.Cut || len(b.Attempts) > 0) {
					target = b.Span
				}
			}
		}
	}
	if !aboutTask(name) {
		if a := c.attemptAt(r); a != nil {
			target = a.Span
			if start, end := a.Handling(); start <= r.At && r.At <= end {
				target = a.Work
			}
		}
	}
	return target
}

// aboutTask reports whether the event concerns the task as a whole, even if a step is running.
func aboutTask(name string) bool {
	return strings.HasPrefix(name, "task.") || strings.HasPrefix(name, "workflow.") || strings.HasPrefix(name, "observability.task.")
}

// goesOn reports whether the pass has not ended yet.
func (c *Composer) goesOn(p *history.Pass) bool { return c.going != nil && p.Ends == 0 && !p.Closed }

// findPasses prepares passAt: a task can have thousands of passes and as many queries.
func (c *Composer) findPasses() {
	c.until = c.until[:0]
	latest := int64(math.MinInt64)
	for _, p := range c.run.Passes {
		if latest = max(latest, p.End); c.goesOn(p) {
			latest = math.MaxInt64
		}
		c.until = append(c.until, latest)
	}
}

// passAt finds the first pass that was running at a time. Passes are in the order of their starts, so it is the first one by which
// any pass lasted until then, or none.
func (c *Composer) passAt(at int64) *history.Pass {
	place, _ := slices.BinarySearch(c.until, at)
	if place == len(c.until) || c.run.Passes[place].Start > at {
		return nil
	}
	return c.run.Passes[place]
}

// attemptAt finds the attempt in which the event happened: that of its step; for an event without a step, such as a custom one,
// that of its correlation id, or the only one at that time.
func (c *Composer) attemptAt(r *event.Record) *history.Attempt {
	var only, ofThread *history.Attempt
	open, sameThread := 0, 0
	for _, a := range c.around.at(c, r.At) {
		if r.At > a.End && (c.going == nil || c.going.IsSettled(a.Settled)) {
			continue
		}
		if r.Step != event.NoStep {
			if a.Step == r.Step {
				return a
			}
			continue
		}
		only = a
		open++
		if r.CorrelationID != 0 && a.CorrelationID == r.CorrelationID {
			ofThread = a
			sameThread++
		}
		if open > 1 && (r.CorrelationID == 0 || sameThread > 1) {
			return nil
		}
	}
	if sameThread == 1 {
		return ofThread
	}
	if open == 1 {
		return only
	}
	return nil
}
