package assembly

import (
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// composer turns a run into spans. Its memory is used again for the next tree.
type composer struct {
	tree   Tree
	attrs  []Attribute // room for the attributes of all spans of the tree
	task   *task
	run    *run
	limits *Limits
	bytes  int64 // of the tree so far, about

	root     SpanID
	runIndex int
	// correlation is the id of spans that are added, that of the pass at hand or, outside passes, the task's own.
	correlation string
	pass        *pass
	own         string        // the task's
	last        []attemptTail // by step: the attempt before
	begins      begins
	index       map[SpanID]int // places of the tree's spans
	sought      recordKey      // of a late event; its span is looked for
	found       int            // the place of that span, or -1
}

// compose makes the tree of one run. previous is the task's span of the run before, if there was one.
func (c *composer) compose(t *task, n *run, tail *tail, reason Reason, limits *Limits) *Tree {
	*c = composer{tree: Tree{Trace: t.trace, Key: t.trace, steps: t.steps, Resource: t.resource, Reason: reason, Spans: c.tree.Spans[:0]}, attrs: c.attrs[:0], task: t, run: n, limits: limits, last: c.last[:0], begins: c.begins, index: c.index, sought: c.sought, found: -1}
	if c.index == nil {
		c.index = map[SpanID]int{}
	}
	clear(c.index)
	c.runIndex = tail.runs + 1
	for i := range t.steps {
		c.last = append(c.last, attemptTail{step: int16(i)})
	}
	for _, a := range tail.attempts {
		c.last[a.step] = a
	}
	if c.runIndex == 1 {
		c.root = c.spanID(lifecycle.SpanTask, "", 0)
	} else {
		c.root = c.spanID(lifecycle.SpanTask, "", n.start)
	}
	c.identify()
	var caller SpanID
	if trace, span, ok := lifecycle.ParseTraceparent(t.callerOf(n)); ok {
		c.tree.Trace, caller = TraceID(trace), SpanID(span)
	}
	c.own = c.taskCorrelation()
	c.outside()
	path := criticalPath(t, n)
	c.taskSpan(tail, caller, path)
	for i, p := range n.passes {
		c.inside(p)
		c.queued(i)
		c.passSpans(i, p)
	}
	c.outside()
	c.queuedWithoutPass()
	c.backoffs()
	c.attach()
	if c.tree.Cut > 0 || c.tree.NotesCut > 0 {
		c.tree.Spans[0].truncated()
	}
	c.follow(tail)
	return &c.tree
}

// follow moves the tail past the run.
func (c *composer) follow(tail *tail) {
	tail.runs = c.runIndex
	tail.end = c.run.end
	tail.status = c.run.status
	tail.task = c.root
	tail.parent = c.task.callerOf(c.run)
	tail.attempts = tail.attempts[:0]
	for _, a := range c.last {
		if a.number > 0 {
			tail.attempts = append(tail.attempts, a)
		}
	}
}

// add appends a span unless the tree is full. The attributes that follow are appended to the returned span.
func (c *composer) add(name string, id, parent SpanID, start, end int64) *Span {
	if len(c.tree.Spans) > 0 && (len(c.tree.Spans) >= c.limits.SpansPerTree || c.bytes >= c.limits.BytesPerTree) {
		c.tree.Cut++
		return &Span{}
	}
	c.bytes += bytesPerSpan
	end = max(start, end)
	if place, known := c.index[parent]; known { // whatever clocks say, a child lies inside its parent
		p := &c.tree.Spans[place]
		start, end = min(max(start, p.Start), p.End), max(min(end, p.End), p.Start)
	}
	c.index[id] = len(c.tree.Spans)
	c.tree.Spans = append(c.tree.Spans, Span{})
	s := &c.tree.Spans[len(c.tree.Spans)-1]
	*s = Span{ID: id, Parent: parent, Name: name, Start: start, End: end, Attributes: c.room()}
	s.Attributes = append(s.Attributes, idAttribute(lifecycle.AttrTaskID, c.task.id))
	if c.task.name != "" {
		s.Attributes = append(s.Attributes, String(lifecycle.AttrTaskName, c.task.name))
	}
	s.Attributes = append(s.Attributes, String(lifecycle.AttrCorrelationID, c.correlation))
	return s
}

// seek keeps the place of the span of a record, if it is the one that is looked for.
func (c *composer) seek(r *record, id SpanID) {
	if c.sought.is(*r) {
		if place, whole := c.index[id]; whole {
			c.found = place
		}
	}
}

// note adds an event to a span unless the tree is full.
func (c *composer) note(s *Span, note Note) {
	size := int64(bytesPerNote + len(note.Name))
	for i := range note.Attributes {
		v := &note.Attributes[i].Value
		size += int64(len(note.Attributes[i].Key) + len(v.Text) + 8)
		for _, text := range v.Strings {
			size += int64(len(text) + 2)
		}
	}
	if len(s.Notes) >= mostNotes {
		s.NotesDropped++
		c.tree.NotesDropped++
		return
	}
	if c.bytes+size > c.limits.BytesPerTree {
		c.tree.NotesCut++
		return
	}
	c.bytes += size
	s.Notes = append(s.Notes, note)
}

// mostNotes is how many events a span can have, as in the SDKs of OpenTelemetry. A pass that spins would collect them without
// end.
const mostNotes = 128

// What a span and a note take on the wire, about, beside the texts that only some have.
const (
	bytesPerSpan = 512
	bytesPerNote = 32
)

// attributesPerSpan is more than all but a task's span have; one that has more gets memory of its own.
const attributesPerSpan = 14

// room cuts an empty list with room for a span's attributes from the tree's memory.
func (c *composer) room() []Attribute {
	n := len(c.attrs)
	if cap(c.attrs)-n < attributesPerSpan {
		c.attrs = make([]Attribute, 0, max(64*attributesPerSpan, cap(c.attrs)))
		n = 0
	}
	c.attrs = c.attrs[:n+attributesPerSpan]
	return c.attrs[n : n : n+attributesPerSpan]
}

func idAttribute(key string, id ID) Attribute {
	if id.Integer {
		if n, ok := parseInt(id.Text); ok {
			return Int(key, n)
		}
	}
	return String(key, id.Text)
}

// truncated says on a task's span that its tree is not whole.
func (s *Span) truncated() { s.mark(lifecycle.AttrTruncated, true) }

func (s *Span) set(a Attribute) { s.Attributes = append(s.Attributes, a) }

func (s *Span) setText(key, text string) {
	if text != "" {
		s.set(String(key, text))
	}
}

func (s *Span) mark(key string, on bool) {
	if on {
		s.set(Bool(key, true))
	}
}

func (s *Span) outcome(status lifecycle.Status, f *failure) {
	if status == "" {
		return
	}
	s.set(String(lifecycle.AttrStatus, string(status)))
	if status != lifecycle.StatusFailure {
		s.Outcome = OutcomeOk
		return
	}
	s.Outcome = OutcomeError
	if f != nil {
		s.Message = f.message
		s.setText(lifecycle.AttrErrorType, f.class)
	}
}
