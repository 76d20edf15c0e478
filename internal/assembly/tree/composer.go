// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree/emitted"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Composer turns a run into spans. Its memory is reused for the next tree.
type Composer struct {
	// Late counts the events of the latest tree that arrived after their span was emitted.
	Late int64
	// Unsettled counts the spans of the latest part that are emitted with something missing, by what is missing; GaveUp is set if
	// there are any.
	Unsettled [history.Gaps]int64
	GaveUp    bool

	tree      Tree
	attrs     []attribute.KeyValue // buffer for the attributes of all spans of the tree, and of most of its span events
	texts     []string             // buffer for the lists in attributes of span events
	task      *Task
	run       *history.Run
	forgotten *summary          // of the run's records before; nil when they are complete
	going     *history.Settling // set for an open run, of which only settled spans are composed

	root     event.SpanID
	runIndex int
	// correlation is the correlation id of added spans: that of the current pass or, outside passes, the task's own.
	correlation string
	pass        *history.Pass
	own         string                // the task's correlation id
	last        []history.LastAttempt // by step: the previous attempt
	begins      begins
	ids         lifecycle.SpanIDs
	index       map[event.SpanID]int // indexes of the tree's spans
	until       []int64              // by pass: the latest end of it and of those before
	emitted     []emitted.Spans      // by step: its emitted attempts
	around      around               // attempts at the time of the current event
	steps       []int16              // by span: the step of an attempt; else NoStep
	sought      event.Key            // a late event, whose span is searched
	found       int                  // the index of that span, or -1
	noting      bool                 // only span events are wanted
}

// Compose makes the tree of one run: of an ended run, everything not yet emitted, the task's span first; of an open one, the
// settled spans not yet emitted. before is what is kept of earlier runs.
func (c *Composer) Compose(t *Task, n *history.Run, before *history.Released, reason Reason, going *history.Settling) *Tree {
	caller := c.begin(t, n, before, reason, going)
	c.identify()
	c.own = c.taskCorrelation()
	c.outside()
	if going == nil {
		c.taskSpan(before, caller, c.criticalRun().Path())
	}
	for i, p := range n.Passes {
		c.inside(p)
		c.queued(i, p)
		c.passSpans(p)
	}
	c.outside()
	if going == nil {
		c.queuedWithoutPass()
	}
	c.backoffs()
	c.attach()
	if going == nil {
		c.standIns(t.standInsUntil(n))
		c.tree.Spans[0].mark(lifecycle.AttrTruncated, c.tree.Cut+c.tree.SpanEventsCut > 0 || t.Cut || t.Dropped > 0)
		c.follow(before)
	}
	return &c.tree
}

// ComposeLate makes a tree of the one span of a late event with a key, which is nil if the run has no such span. The run has the given
// place among those of the task, which has been released.
func (c *Composer) ComposeLate(t *Task, place int, n *history.Run, before *history.Released, key event.Key) *Tree {
	if roots := t.out().roots; place < len(roots) {
		t.emission.root = roots[place]
	}
	c.sought = key
	defer func() { c.sought = event.Key{} }()
	tree := c.Compose(t, n, before, ReasonEnded, nil)
	if c.found < 0 {
		return nil
	}
	tree.Spans = tree.Spans[c.found : c.found+1]
	return tree
}

// begin prepares the composer for a run, and returns the span of its caller.
func (c *Composer) begin(t *Task, n *history.Run, before *history.Released, reason Reason, going *history.Settling) (caller event.SpanID) {
	*c = Composer{
		tree: Tree{
			Trace: t.Events.Trace, Key: t.Events.Trace, steps: t.Events.Steps, Resource: t.Events.Resource, Reason: reason, Part: going != nil, Spans: c.tree.Spans[:0],
		},
		attrs: c.attrs[:0],
		task:  t, run: n, going: going, last: c.last[:0], begins: c.begins, index: c.index, steps: c.steps[:0], sought: c.sought, found: -1,
		ids: c.ids, until: c.until[:0], around: around{attempts: c.around.attempts[:0]}, texts: c.texts[:0],
	}
	if c.index == nil {
		c.index = map[event.SpanID]int{}
	}
	clear(c.index)
	if n.Before != nil {
		c.forgotten = t.out().forgotten
	}
	c.runIndex = before.Runs + 1
	for i := range t.Events.Steps {
		c.last = append(c.last, history.LastAttempt{Step: int16(i)})
	}
	for _, a := range before.Attempts {
		c.last[a.Step] = a
	}
	c.root = t.rootOf(&c.ids, n, c.runIndex)
	if trace, span, ok := lifecycle.ParseTraceparent(t.callerOf(n)); ok {
		c.tree.Trace, caller = event.TraceID(trace), event.SpanID(span)
	}
	return caller
}

// follow adds this run to what is kept of the runs before.
func (c *Composer) follow(before *history.Released) {
	before.Runs = c.runIndex
	before.End = c.run.End
	before.Status = c.run.Status
	before.Task = c.root
	before.Parent = c.task.callerOf(c.run)
	before.Attempts = before.Attempts[:0]
	for _, a := range c.last {
		if a.Number > 0 {
			before.Attempts = append(before.Attempts, a)
		}
	}
}

// takes reports whether a span is settled and has not been emitted before.
func (c *Composer) takes(s history.Settled, id event.SpanID) bool {
	if c.going != nil && !c.going.IsSettled(s) || c.task.out().spans.Has(id) {
		return false
	}
	if c.going != nil && s.Until > 0 {
		c.Unsettled[s.Missing]++
		c.GaveUp = true
	}
	return true
}

// cuts reports whether a span is left out because of a limit. It counts as emitted then.
func (c *Composer) cuts(cut bool, id event.SpanID, end int64) bool {
	if cut {
		c.tree.Cut++
		c.task.beginEmission().spans.Add(emitted.Span{ID: id, End: end, Step: event.NoStep, Cut: true})
	}
	return cut
}

// add appends a span. The attributes that follow are appended to the returned span.
func (c *Composer) add(name string, id, parent event.SpanID, start, end int64) *Span {
	end = max(start, end)
	if place, known := c.index[parent]; known { // whatever the clocks, a child lies inside its parent
		p := &c.tree.Spans[place]
		start, end = min(max(start, p.Start), p.End), max(min(end, p.End), p.Start)
	}
	c.index[id] = len(c.tree.Spans)
	c.steps = append(c.steps, event.NoStep)
	if n := len(c.tree.Spans); n < cap(c.tree.Spans) {
		c.tree.Spans = c.tree.Spans[:n+1]
	} else {
		c.tree.Spans = append(c.tree.Spans, Span{})
	}
	s := &c.tree.Spans[len(c.tree.Spans)-1]
	if cap(s.Events) > keptSpanEvents {
		s.Events = nil
	}
	*s = Span{ID: id, Parent: parent, Name: name, Start: start, End: end, Attributes: room(&c.attrs, attributesPerSpan), Events: s.Events[:0]}
	s.Attributes = append(s.Attributes, idAttribute(lifecycle.AttrTaskID, c.task.Events.ID))
	if c.task.Events.Name != "" {
		s.Attributes = append(s.Attributes, attribute.String(lifecycle.AttrTaskName, c.task.Events.Name))
	}
	s.Attributes = append(s.Attributes, attribute.String(lifecycle.AttrCorrelationID, c.correlation))
	return s
}

// seek keeps the index of a record's span, if the record is the searched one.
func (c *Composer) seek(r *event.Record, id event.SpanID) {
	if c.sought.Is(*r) {
		if place, whole := c.index[id]; whole {
			c.found = place
		}
	}
}

// addEvent adds an event to a span, unless a limit leaves it out.
func (c *Composer) addEvent(s *Span, event SpanEvent, cut bool) {
	switch {
	case cut:
		c.tree.SpanEventsCut++
	case len(s.Events) >= mostSpanEvents:
		s.EventsDropped++
		c.tree.EventsDropped++
	default:
		s.Events = append(s.Events, event)
	}
}

// mostSpanEvents is how many events a span can have, as in the OpenTelemetry SDKs. A spinning pass would add them without end.
const mostSpanEvents = 128

// keptSpanEvents is the length up to which the memory of a span's events is reused.
const keptSpanEvents = 16

// attributesPerSpan is enough for all spans but a task's; a span with more gets memory of its own.
const attributesPerSpan = 14

// roomAtOnce is for how many elements memory is allocated at least.
const roomAtOnce = 64 * attributesPerSpan

// room allocates an empty list with a capacity from the memory of a tree, of which used is what has been allocated.
func room[T any](used *[]T, capacity int) []T {
	n := len(*used)
	if cap(*used)-n < capacity {
		*used = make([]T, 0, max(capacity, roomAtOnce, cap(*used)))
		n = 0
	}
	*used = (*used)[:n+capacity]
	return (*used)[n : n : n+capacity]
}

func idAttribute(key string, id event.ID) attribute.KeyValue {
	if id.Integer {
		if n, ok := parseInt(id.Text); ok {
			return attribute.Int(key, n)
		}
	}
	return attribute.String(key, id.Text)
}

func (s *Span) set(a attribute.KeyValue) { s.Attributes = append(s.Attributes, a) }

func (s *Span) setText(key, text string) {
	if text != "" {
		s.set(attribute.String(key, text))
	}
}

func (s *Span) mark(key string, on bool) {
	if on {
		s.set(attribute.Bool(key, true))
	}
}

func (s *Span) outcome(status lifecycle.Status, f *event.Failure) {
	if status == "" {
		return
	}
	s.set(attribute.String(lifecycle.AttrStatus, string(status)))
	if status != lifecycle.StatusFailure {
		s.Outcome = OutcomeOk
		return
	}
	s.Outcome = OutcomeError
	if f != nil {
		s.Message = f.Message
		s.setText(lifecycle.AttrErrorType, f.Class)
	}
}
