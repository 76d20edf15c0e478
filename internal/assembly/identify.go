// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
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
func (c *composer) spanID(level, id string, begin int64) event.SpanID {
	if c.task.emission == nil {
		return spanIDOf(c.task.Events.Trace, level, id, begin)
	}
	return c.task.emission.ids.get(c.task.Events.Trace, level, id, begin)
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

func (k *knownIDs) get(trace event.TraceID, level, id string, begin int64) event.SpanID {
	for range k.list {
		if k.next++; k.next >= len(k.list) {
			k.next = 0
		}
		if known := &k.list[k.next]; known.begin == begin && known.level == level && known.id == id {
			return known.span
		}
	}
	span := spanIDOf(trace, level, id, begin)
	if len(k.list) < mostKnownIDs {
		k.list = append(k.list, knownID{level, id, begin, span})
		k.next = len(k.list) - 1
	}
	return span
}

func spanIDOf(trace event.TraceID, level, id string, begin int64) event.SpanID {
	return event.SpanID(lifecycle.SpanID(pcommon.TraceID(trace), level, id, begin))
}

// identify gives the run's passes, batches and attempts their ids, in the order in which they were read.
func (c *composer) identify() {
	c.begins.reset(len(c.task.Events.Steps))
	if c.forgotten != nil {
		c.begins.queued = c.forgotten.queued
	}
	for _, a := range c.run.forgotten {
		c.last[a.step] = lastAttempt{a.step, a.number, a.span}
	}
	if c.task.disturbed {
		c.emitted = c.task.out().spans.ByStep(len(c.task.Events.Steps))
	}
	for _, p := range c.run.passes {
		if begin := unused(&c.begins.pass, p.start); p.span == (event.SpanID{}) {
			p.span = c.spanID(lifecycle.SpanOrchestration, "", begin)
		}
		for _, b := range p.batches {
			b.span = c.spanID(lifecycle.SpanBatch, "", unused(&c.begins.batch, b.start))
			for _, a := range b.attempts {
				c.identifyAttempt(a)
			}
		}
	}
}

func (c *composer) identifyAttempt(a *attempt) {
	id, next := c.task.Events.Steps[a.step].ID.Text, &c.begins.steps[a.step]
	a.span = c.spanID(lifecycle.SpanStep, id, unused(&next.attempt, a.start))
	if c.task.disturbed {
		if out := c.emitted[a.step].Attempt(a.step, a.start, a.end); out != nil {
			a.span = out.ID
		}
	}
	start, _ := a.handling()
	a.work = c.spanID(lifecycle.SpanHandler, id, unused(&next.handler, start))
	if c.task.disturbed && c.task.out().spans.Has(a.span) && !c.task.out().spans.Has(a.work) {
		a.work = a.span // its handler has been emitted under another id
	}
	for c.task.disturbed && c.task.out().spans.Has(a.work) && !c.task.out().spans.Has(a.span) {
		start++ // late events made another attempt of the same handler
		a.work = c.spanID(lifecycle.SpanHandler, id, start)
	}
	a.previous = c.last[a.step].span
	c.last[a.step] = lastAttempt{a.step, a.number, a.span}
}
