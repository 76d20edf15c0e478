package assembly

import (
	"math"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/sqltext"
	"go.opentelemetry.io/collector/pdata/pcommon"
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
	own         string         // the task's
	last        []attemptTail  // by step: the attempt before
	index       map[SpanID]int // places of the tree's spans
	sought      recordKey      // of a late event; its span is looked for
	found       int            // the place of that span, or -1
}

// compose makes the tree of one run. previous is the task's span of the run before, if there was one.
func (c *composer) compose(t *task, n *run, tail *tail, reason Reason, limits *Limits) *Tree {
	*c = composer{tree: Tree{Trace: t.trace, Resource: t.resource, Reason: reason, Spans: c.tree.Spans[:0]}, attrs: c.attrs[:0], task: t, run: n, limits: limits, last: c.last[:0], index: c.index, sought: c.sought, found: -1}
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
	var caller SpanID
	if trace, span, ok := lifecycle.ParseTraceparent(t.parent); ok {
		c.tree.Trace, caller = TraceID(trace), SpanID(span)
	}
	c.own = c.taskCorrelation()
	c.outside()
	path := criticalPath(t, n)
	c.taskSpan(tail, caller, path)
	for i, p := range n.passes {
		c.inside(p)
		c.queued(i, p)
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
	tail.parent = c.task.parent
	tail.attempts = tail.attempts[:0]
	for _, a := range c.last {
		if a.number > 0 {
			tail.attempts = append(tail.attempts, a)
		}
	}
}

// spanID is the id of a span that no span of the tree has yet. Where a coarse clock lets two of a kind begin at once, the
// later one is hashed with the next nanosecond.
func (c *composer) spanID(level, id string, begin int64) SpanID {
	for {
		span := SpanID(lifecycle.SpanID(pcommon.TraceID(c.task.trace), level, id, begin))
		if _, taken := c.index[span]; !taken {
			return span
		}
		begin++
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
	if c.bytes+size > c.limits.BytesPerTree {
		c.tree.NotesCut++
		return
	}
	c.bytes += size
	s.Notes = append(s.Notes, note)
}

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

const second = 1e9

func (c *composer) taskSpan(tail *tail, caller SpanID, path criticalChain) {
	n := c.run
	s := c.add(lifecycle.SpanTask, c.root, caller, n.start, n.end)
	retries := 0
	steps := make([]bool, len(c.task.steps))
	distinct := int64(0)
	for _, a := range n.attempts {
		if a.number > 1 {
			retries++
		}
		if !steps[a.step] {
			steps[a.step] = true
			distinct++
		}
	}
	failure := n.failure
	if n.status == lifecycle.StatusFailure {
		failure = c.taskFailure()
	}
	s.outcome(n.status, failure)
	s.set(Int(lifecycle.AttrRun, int64(c.runIndex)))
	s.set(Int(lifecycle.AttrPasses, int64(len(n.passes))))
	s.set(Int(lifecycle.AttrSteps, distinct))
	s.set(Int(lifecycle.AttrAttempts, int64(len(n.attempts))))
	s.set(Int(lifecycle.AttrRetries, int64(retries)))
	s.set(Double(lifecycle.AttrQueueSeconds, float64(c.queueTime())/second))
	s.set(Double(lifecycle.AttrBackoffTotal, float64(c.backoffTime())/second))
	if len(path.names) > 0 {
		s.set(Strings(lifecycle.AttrCriticalPath, path.names))
	}
	if len(path.names) > 0 || path.queue > 0 {
		s.set(String(lifecycle.AttrBottleneck, path.bottleneck))
		s.set(Double(lifecycle.AttrBottleneckShare, path.share))
		s.set(Double(lifecycle.AttrCriticalSteps, float64(path.steps)/second))
		s.set(Double(lifecycle.AttrCriticalQueue, float64(path.queue)/second))
		s.set(Double(lifecycle.AttrCriticalBackoff, float64(path.backoff)/second))
		s.set(Double(lifecycle.AttrCriticalOrchestration, float64(path.orchestration)/second))
	}
	s.mark(lifecycle.AttrIncomplete, !n.ended)
	if !n.ended {
		s.set(String(lifecycle.AttrReleaseReason, c.tree.Reason.String()))
	}
	s.mark(lifecycle.AttrRefusedAtCreation, c.task.refused)
	if tail.runs > 0 {
		s.Link = &Link{c.tree.Trace, tail.task}
	}
}

// taskFailure is what a failed task's span says: the engine's message, and the error of the last attempt that failed,
// because task.failed itself has no class.
func (c *composer) taskFailure() *failure {
	whole := failure{}
	if c.run.failure != nil {
		whole = *c.run.failure
	}
	for i := len(c.run.attempts) - 1; i >= 0 && whole.class == ""; i-- {
		if f := c.run.attempts[i].failure; f != nil && c.run.attempts[i].status == lifecycle.StatusFailure {
			whole.class = f.class
			if whole.message == "" {
				whole.message = f.message
			}
		}
	}
	return &whole
}

func (c *composer) passSpans(i int, p *pass) {
	p.span = c.spanID(lifecycle.SpanOrchestration, "", p.start)
	id := p.span
	s := c.add(lifecycle.SpanOrchestration, id, c.root, p.start, p.end)
	s.set(Int(lifecycle.AttrPassIndex, int64(i+1)))
	s.setText(lifecycle.AttrFinalStatus, p.finalStatus)
	if p.finalStatus == "error" {
		s.outcome(lifecycle.StatusFailure, c.taskFailure())
	} else if p.ends > 0 {
		s.Outcome = OutcomeOk
	}
	s.mark(lifecycle.AttrSynthesized, p.synthesized)
	s.mark(lifecycle.AttrIncomplete, p.ends == 0)
	for _, search := range p.searches {
		start := max(search.start, p.start)
		c.add(lifecycle.SpanDependency, c.spanID(lifecycle.SpanDependency, "", search.end), id, start, search.end)
	}
	for j, b := range p.batches {
		c.batchSpans(j, b, p, id)
	}
	if p.finalizations > 0 {
		f := c.add(lifecycle.SpanFinalization, c.spanID(lifecycle.SpanFinalization, "", p.finalizing), id, p.finalizing, p.end)
		f.setText(lifecycle.AttrFinalStatus, p.finalStatus)
		f.mark(lifecycle.AttrIncomplete, p.ends == 0)
		if p.ends > 0 {
			f.Outcome = OutcomeOk
		}
	}
}

func (c *composer) batchSpans(j int, b *batch, p *pass, parent SpanID) {
	b.span = c.spanID(lifecycle.SpanBatch, "", b.start)
	id := b.span
	s := c.add(lifecycle.SpanBatch, id, parent, b.start, b.end)
	s.set(Int(lifecycle.AttrBatchIndex, int64(j+1)))
	s.set(Int(lifecycle.AttrBatchSize, int64(len(b.attempts))))
	s.setText(lifecycle.AttrProcessingMode, b.mode)
	s.mark(lifecycle.AttrSynthesized, b.synthesized)
	s.mark(lifecycle.AttrIncomplete, !b.announced)
	if b.announced {
		s.Outcome = OutcomeOk
	}
	for _, a := range b.attempts {
		c.attemptSpans(a, p, id)
	}
}

func (c *composer) attemptSpans(a *attempt, p *pass, parent SpanID) {
	st := &c.task.steps[a.step]
	a.span = c.spanID(lifecycle.SpanStep, st.id.Text, a.start)
	before := c.last[a.step]
	c.last[a.step] = attemptTail{a.step, a.number, a.span}
	s := c.add(lifecycle.SpanStep, a.span, parent, a.start, a.end)
	c.describeStep(s, a)
	if thread := c.task.thread(a.thread); a.thread != p.thread {
		s.setText(lifecycle.AttrThreadCorrelationID, thread)
	}
	s.outcome(a.status, a.failure)
	s.mark(lifecycle.AttrSynthesized, a.synthesized)
	s.mark(lifecycle.AttrIncomplete, a.running())
	s.mark(lifecycle.AttrOnCriticalPath, a.critical)
	if a.status == lifecycle.StatusFailure && a.failure != nil {
		c.bytes += int64(2 * len(a.failure.message))
		c.note(s, exception(a))
	}
	if before.number > 0 {
		s.Link = &Link{c.tree.Trace, before.span}
	}
	start, end := a.handling()
	a.work = c.spanID(lifecycle.SpanHandler, st.id.Text, start)
	h := c.add(lifecycle.SpanHandler, a.work, a.span, start, end)
	c.describeStep(h, a)
	h.outcome(a.status, a.failure)
	h.mark(lifecycle.AttrSynthesized, a.handler == 0)
	h.mark(lifecycle.AttrIncomplete, a.running())
}

// describeStep says which attempt of which step the span is.
func (c *composer) describeStep(s *Span, a *attempt) {
	st := &c.task.steps[a.step]
	s.set(idAttribute(lifecycle.AttrStepID, st.id))
	s.setText(lifecycle.AttrStepName, st.name)
	s.set(Int(lifecycle.AttrAttemptNumber, int64(a.number)))
}

func exception(a *attempt) Note {
	note := Note{Name: "exception", At: a.firstEnd}
	if a.failure.class != "" {
		note.Attributes = append(note.Attributes, String(lifecycle.AttrExceptionType, a.failure.class))
	}
	if a.failure.message != "" {
		note.Attributes = append(note.Attributes, String(lifecycle.AttrExceptionMessage, a.failure.message))
	}
	if a.failure.trace != "" {
		note.Attributes = append(note.Attributes, String(lifecycle.AttrExceptionStacktrace, a.failure.trace))
	}
	return note
}

// query adds a span for a query under the innermost span that holds it whole: handler, step or task.
func (c *composer) query(r *record) {
	told := c.task.detail(r)
	// A duration is a whole number of nanoseconds, which the product can miss by a hair.
	start := r.at - int64(math.Round(told.seconds*second))
	parent := c.root
	var of *attempt
	if a := c.attemptAt(r); a != nil {
		if handler, end := a.handling(); handler <= start && r.at <= end {
			parent, of = a.work, a
		} else if a.start <= start && r.at <= a.end {
			parent, of = a.span, a
		}
	}
	if of != nil {
		c.inside(of.pass)
	} else {
		c.inside(c.passAt(r.at))
	}
	id := c.spanID(lifecycle.SpanQuery, queryKey(r), r.at)
	s := c.add(lifecycle.SpanQuery, id, parent, c.within(start), c.within(r.at))
	c.seek(r, id)
	if of != nil {
		c.describeStep(s, of)
	}
	c.bytes += int64(len(told.word))
	operation, table := sqltext.Describe(told.word)
	s.setText(lifecycle.AttrDBOperationName, operation)
	s.setText(lifecycle.AttrDBCollectionName, table)
	s.setText(lifecycle.AttrDBQueryText, told.word)
	s.Outcome = OutcomeOk
}

// within is the time, or the end of the run that is nearer to it.
func (c *composer) within(at int64) int64 { return min(max(at, c.run.start), c.run.end) }

// handling is when the handler worked, as far as events tell.
func (a *attempt) handling() (start, end int64) {
	start, end = a.handler, a.firstEnd
	if start == 0 {
		start = a.lastRequest
	}
	if end == 0 {
		end = a.end
	}
	return start, end
}
