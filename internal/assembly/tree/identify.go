// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// begins are the earliest times for the next span ids: of the levels without a step, and of each step. Where a coarse clock lets
// two spans of one kind begin at once, the later one gets the next nanosecond.
type begins struct {
	pass, batch, search, finalization, queued int64
	steps                                     []stepBegins
}

// stepBegins are those of the spans of one step.
type stepBegins struct{ attempt, handler, backoff int64 }

// reset forgets all times; its memory is reused.
func (b *begins) reset(steps int) {
	room := slices.Grow(b.steps[:0], steps)[:steps]
	clear(room)
	*b = begins{steps: room}
}

// unused returns the time, or the next one that no id was made with.
func unused(next *int64, begin int64) int64 {
	begin = max(begin, *next)
	*next = begin + 1
	return begin
}

// spanID returns the id of a span of a level that begins at a time; id is the engine's id of a step, if any.
func (c *Composer) spanID(level, id string, begin int64) event.SpanID {
	if c.task.emission == nil {
		return spanIDOf(&c.ids, c.task.Events.Trace, level, id, begin)
	}
	return c.task.emission.ids.get(&c.ids, c.task.Events.Trace, level, id, begin)
}

// knownIDs are ids of spans of a run that is still open. The run is read several times a second, and hashing the ids dominated.
// Lookups go round the list, because each reading asks for the ids in the same order.
type knownIDs struct {
	list []knownID
	next int
}

type knownID struct {
	level, id string
	begin     int64
	span      event.SpanID
}

// mostKnownIDs bounds how many ids of a task are kept.
const mostKnownIDs = 64

func (k *knownIDs) get(unknown *lifecycle.SpanIDs, trace event.TraceID, level, id string, begin int64) event.SpanID {
	for range k.list {
		if k.next++; k.next >= len(k.list) {
			k.next = 0
		}
		if known := &k.list[k.next]; known.begin == begin && known.level == level && known.id == id {
			return known.span
		}
	}
	span := spanIDOf(unknown, trace, level, id, begin)
	if len(k.list) < mostKnownIDs {
		k.list = append(k.list, knownID{level, id, begin, span})
		k.next = len(k.list) - 1
	}
	return span
}

func spanIDOf(ids *lifecycle.SpanIDs, trace event.TraceID, level, id string, begin int64) event.SpanID {
	return event.SpanID(ids.Of(pcommon.TraceID(trace), level, id, begin))
}

// identify gives the run's passes, batches and attempts their ids, in the order in which they were read.
func (c *Composer) identify() {
	c.begins.reset(len(c.task.Events.Steps))
	if c.forgotten != nil {
		c.begins.queued = c.forgotten.queued
	}
	for _, a := range c.run.Forgotten {
		c.last[a.Step] = history.LastAttempt{Step: a.Step, Number: a.Number, Span: a.Span}
	}
	if c.task.Disturbed {
		c.emitted = c.task.out().spans.ByStep(len(c.task.Events.Steps))
	}
	for _, p := range c.run.Passes {
		if begin := unused(&c.begins.pass, p.Start); p.Span == (event.SpanID{}) {
			p.Span = c.spanID(lifecycle.SpanOrchestration, "", begin)
		}
		for _, b := range p.Batches {
			b.Span = c.spanID(lifecycle.SpanBatch, "", unused(&c.begins.batch, b.Start))
			for _, a := range b.Attempts {
				c.identifyAttempt(a)
			}
		}
	}
}

func (c *Composer) identifyAttempt(a *history.Attempt) {
	id, next := c.task.Events.Steps[a.Step].ID.Text, &c.begins.steps[a.Step]
	a.Span = c.spanID(lifecycle.SpanStep, id, unused(&next.attempt, a.Start))
	if c.task.Disturbed {
		if out := c.emitted[a.Step].Attempt(a.Step, a.Start, a.End); out != nil {
			a.Span = out.ID
		}
	}
	start, _ := a.Handling()
	a.Work = c.spanID(lifecycle.SpanHandler, id, unused(&next.handler, start))
	if c.task.Disturbed && c.task.out().spans.Has(a.Span) && !c.task.out().spans.Has(a.Work) {
		a.Work = a.Span // its handler has been emitted under another id
	}
	for c.task.Disturbed && c.task.out().spans.Has(a.Work) && !c.task.out().spans.Has(a.Span) {
		start++ // late events made another attempt of the same handler
		a.Work = c.spanID(lifecycle.SpanHandler, id, start)
	}
	a.Previous = c.last[a.Step].Span
	c.last[a.Step] = history.LastAttempt{Step: a.Step, Number: a.Number, Span: a.Span}
}
