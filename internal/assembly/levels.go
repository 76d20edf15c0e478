// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"math"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/critical"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/sqltext"
)

const second = 1e9

func (c *composer) taskSpan(before *releasedTask, caller event.SpanID, path critical.Path) {
	n := c.run
	start, end := n.start, n.end
	if known := c.task.out().extent; known != (extent{}) {
		start, end = min(start, known.start), max(end, known.end)
	}
	s := c.add(lifecycle.SpanTask, c.root, caller, start, end)
	if c.forgotten != nil {
		c.goOn(s, &c.forgotten.notes)
	}
	totals := c.totals()
	failure := n.failure
	if n.status == lifecycle.StatusFailure {
		failure = c.taskFailure()
	}
	s.outcome(n.status, failure)
	s.set(attribute.Int(lifecycle.AttrRun, int64(c.runIndex)))
	s.set(attribute.Int(lifecycle.AttrPasses, int64(n.passCount())))
	s.set(attribute.Int(lifecycle.AttrSteps, int64(c.distinctSteps())))
	s.set(attribute.Int(lifecycle.AttrAttempts, int64(totals.attempts)))
	s.set(attribute.Int(lifecycle.AttrRetries, int64(totals.retries)))
	s.set(attribute.Double(lifecycle.AttrQueueSeconds, float64(totals.queue)/second))
	s.set(attribute.Double(lifecycle.AttrBackoffTotal, float64(totals.backoff)/second))
	if len(path.Names) > 0 {
		s.set(attribute.Strings(lifecycle.AttrCriticalPath, path.Names))
		s.set(attribute.Strings(lifecycle.AttrCriticalPathSpans, path.Spans))
	}
	if totals.attempts > 0 && n.end > n.start || path.Queue > 0 {
		if path.Named {
			s.set(attribute.String(lifecycle.AttrBottleneck, path.Bottleneck))
			s.set(attribute.Double(lifecycle.AttrBottleneckShare, path.Share))
		}
		s.set(attribute.Double(lifecycle.AttrCriticalSteps, float64(path.Steps)/second))
		s.set(attribute.Double(lifecycle.AttrCriticalQueue, float64(path.Queue)/second))
		s.set(attribute.Double(lifecycle.AttrCriticalBackoff, float64(path.Backoff)/second))
		s.set(attribute.Double(lifecycle.AttrCriticalOrchestration, float64(path.Orchestration)/second))
	}
	s.mark(lifecycle.AttrIncomplete, !n.ended)
	if !n.ended && c.tree.Reason != ReasonOpen {
		s.set(attribute.String(lifecycle.AttrReleaseReason, c.tree.Reason.String()))
	}
	s.mark(lifecycle.AttrRefusedAtCreation, c.task.Events.Refused)
	if before.runs > 0 {
		s.Link = &Link{c.tree.Trace, before.task}
	}
}

// taskFailure returns the error on a failed task's span: the engine's message, and the error of the last attempt that failed,
// because task.failed itself has no class.
func (c *composer) taskFailure() *event.Failure {
	whole := event.Failure{}
	if c.run.failure != nil {
		whole = *c.run.failure
	}
	whole = c.lastFailure(whole)
	return &whole
}

// lastFailure completes a failure with that of the attempt that failed last.
func (c *composer) lastFailure(whole event.Failure) event.Failure {
	for i := len(c.run.attempts) - 1; i >= 0 && whole.Class == ""; i-- {
		if f := c.run.attempts[i].failure; f != nil && c.run.attempts[i].status == lifecycle.StatusFailure {
			whole.Class = f.Class
			if whole.Message == "" {
				whole.Message = f.Message
			}
		}
	}
	if before := c.forgotten; before != nil && before.failure != nil && whole.Class == "" {
		whole.Class = before.failure.Class
		if whole.Message == "" {
			whole.Message = before.failure.Message
		}
	}
	return whole
}

func (c *composer) passSpans(p *pass) {
	if c.takesPass(p) {
		c.passSpan(p)
	}
	for i := range p.searches {
		c.searchSpan(p, &p.searches[i])
	}
	for j, b := range p.batches {
		c.batchSpans(j, b, p)
	}
	c.finalizationSpan(p)
}

// takesPass reports whether the pass's span is to be added.
func (c *composer) takesPass(p *pass) bool {
	if p.out || c.going != nil && p.end >= c.going.undecided {
		return false
	}
	of := p.settled
	if c.going != nil && p.finalStatus == passFailed {
		of = c.settledFailure(p)
	}
	return c.takes(of, p.span)
}

// passFailed is the final status of a pass in which the task failed.
const passFailed = "error"

// settledFailure reports whether the error on the span of a pass in which the task failed is final: its message is that of the
// first announcement of the failure that has one.
func (c *composer) settledFailure(p *pass) settled {
	of := p.settled
	of.ended = of.ended && c.run.ended
	if (c.run.failure == nil || c.run.failure.Message == "") && c.run.countAnnounced().ends < finalizationAnnouncements {
		of.waitFor(c.going.after(true, p.arrived))
	}
	return of
}

func (c *composer) passSpan(p *pass) {
	start, end := c.holding(p.span, p.start, p.end)
	s := c.add(lifecycle.SpanOrchestration, p.span, c.root, start, end)
	s.set(attribute.Int(lifecycle.AttrPassIndex, int64(p.index)))
	if before := c.forgotten; before != nil && p == c.run.passes[0] {
		c.goOn(s, &before.inPass)
	}
	s.setText(lifecycle.AttrFinalStatus, p.finalStatus)
	if p.finalStatus == passFailed {
		s.outcome(lifecycle.StatusFailure, c.taskFailure())
	} else if p.ends > 0 {
		s.Outcome = OutcomeOk
	}
	s.mark(lifecycle.AttrSynthesized, p.synthesized)
	s.mark(lifecycle.AttrIncomplete, p.ends == 0)
}

func (c *composer) searchSpan(p *pass, search *search) {
	id := c.spanID(lifecycle.SpanDependency, "", unused(&c.begins.search, search.end))
	search.span = id
	if !c.takes(search.settled, id) || c.cuts(search.cut, id, search.end) {
		return
	}
	start := max(search.start, p.start)
	c.names(lifecycle.SpanOrchestration, p.span, c.root, start, search.end)
	c.add(lifecycle.SpanDependency, id, p.span, start, search.end)
}

func (c *composer) finalizationSpan(p *pass) {
	if p.finalizations == 0 || p.out {
		return
	}
	id := c.spanID(lifecycle.SpanFinalization, "", unused(&c.begins.finalization, p.finalizing))
	if !c.takes(p.settled, id) {
		return
	}
	c.names(lifecycle.SpanOrchestration, p.span, c.root, p.finalizing, p.end)
	s := c.add(lifecycle.SpanFinalization, id, p.span, p.finalizing, p.end)
	s.setText(lifecycle.AttrFinalStatus, p.finalStatus)
	s.mark(lifecycle.AttrIncomplete, p.ends == 0)
	if p.ends > 0 {
		s.Outcome = OutcomeOk
	}
}

func (c *composer) batchSpans(j int, b *batch, p *pass) {
	if len(b.attempts) > 0 {
		c.task.out().spans.Restore(b.span)
	}
	if c.takes(b.settled, b.span) && !c.cuts(b.cut && len(b.attempts) == 0, b.span, b.end) {
		c.batchSpan(j, b, p)
	}
	for _, a := range b.attempts {
		if c.takes(a.settled, a.span) {
			c.attemptSpans(a, p)
		}
	}
}

func (c *composer) batchSpan(j int, b *batch, p *pass) {
	start, end := c.holding(b.span, b.start, b.end)
	c.names(lifecycle.SpanOrchestration, p.span, c.root, start, end)
	s := c.add(lifecycle.SpanBatch, b.span, p.span, start, end)
	s.set(attribute.Int(lifecycle.AttrBatchIndex, int64(p.batchesBefore+j+1)))
	s.set(attribute.Int(lifecycle.AttrBatchSize, int64(len(b.attempts))))
	s.setText(lifecycle.AttrProcessingMode, b.mode)
	s.mark(lifecycle.AttrSynthesized, b.synthesized)
	s.mark(lifecycle.AttrIncomplete, !b.announced)
	if b.announced {
		s.Outcome = OutcomeOk
	}
}

func (c *composer) attemptSpans(a *attempt, p *pass) {
	c.names(lifecycle.SpanBatch, a.batch.span, p.span, a.start, a.end)
	c.names(lifecycle.SpanOrchestration, p.span, c.root, a.start, a.end)
	s := c.add(lifecycle.SpanStep, a.span, a.batch.span, a.start, a.end)
	c.steps[len(c.steps)-1] = a.step
	c.describeStep(s, a)
	if correlationID := c.task.Events.CorrelationID(a.correlationID); a.correlationID != p.correlationID {
		s.setText(lifecycle.AttrThreadCorrelationID, correlationID)
	}
	s.outcome(a.status, a.failure)
	s.mark(lifecycle.AttrSynthesized, a.synthesized)
	s.mark(lifecycle.AttrIncomplete, a.running())
	if a.status == lifecycle.StatusFailure && a.failure != nil {
		c.addEvent(s, exception(a), a.failureCut)
	}
	if a.previous != (event.SpanID{}) {
		s.Link = &Link{c.tree.Trace, a.previous}
	}
	start, end := a.handling()
	h := c.add(lifecycle.SpanHandler, a.work, a.span, start, end)
	c.describeStep(h, a)
	h.outcome(a.status, a.failure)
	h.mark(lifecycle.AttrSynthesized, a.handler == 0)
	h.mark(lifecycle.AttrIncomplete, a.running())
}

// describeStep adds the attributes of a step's attempt to the span.
func (c *composer) describeStep(s *Span, a *attempt) {
	st := &c.task.Events.Steps[a.step]
	s.set(idAttribute(lifecycle.AttrStepID, st.ID))
	s.setText(lifecycle.AttrStepName, st.Name)
	s.set(attribute.Int(lifecycle.AttrAttemptNumber, int64(a.number)))
}

func exception(a *attempt) SpanEvent {
	event := SpanEvent{Name: "exception", At: a.firstEnd}
	if a.failure.Class != "" {
		event.Attributes = append(event.Attributes, attribute.String(lifecycle.AttrExceptionType, a.failure.Class))
	}
	if a.failure.Message != "" {
		event.Attributes = append(event.Attributes, attribute.String(lifecycle.AttrExceptionMessage, a.failure.Message))
	}
	if a.failure.Backtrace != "" {
		event.Attributes = append(event.Attributes, attribute.String(lifecycle.AttrExceptionStacktrace, a.failure.Backtrace))
	}
	return event
}

// beginning returns the start of something with an end and a duration in seconds. The duration is rounded to nanoseconds, because
// the product can be inexact. A negative or NaN duration counts as zero.
func beginning(end int64, seconds float64) int64 {
	switch took := math.Round(seconds * second); {
	case took >= float64(end):
		return 0
	case took > 0:
		return end - int64(took)
	}
	return end
}

// query adds a span for a query under the innermost span that contains it: handler, step or task.
func (c *composer) query(r *event.Record) {
	query := c.task.Events.Detail(r)
	start := beginning(r.At, query.Seconds)
	parent := c.root
	var of *attempt
	if a := c.attemptAt(r); a != nil {
		if handler, end := a.handling(); handler <= start && r.At <= end {
			parent, of = a.work, a
		} else if a.start <= start && r.At <= a.end {
			parent, of = a.span, a
		}
	}
	if of != nil {
		c.inside(of.pass)
	} else {
		c.inside(c.passAt(r.At))
	}
	id := c.spanID(lifecycle.SpanQuery, queryKey(r), r.At)
	if !c.takes(c.settledQuery(r, parent), id) || c.cuts(r.Cut, id, r.At) {
		return
	}
	s := c.add(lifecycle.SpanQuery, id, parent, c.within(start), c.within(r.At))
	c.seek(r, id)
	if of != nil {
		c.describeStep(s, of)
	}
	operation, table := sqltext.Describe(query.Statement())
	s.setText(lifecycle.AttrDBOperationName, operation)
	s.setText(lifecycle.AttrDBCollectionName, table)
	s.setText(lifecycle.AttrDBQueryText, query.Statement())
	s.Outcome = OutcomeOk
}

// within limits the time to the run.
func (c *composer) within(at int64) int64 {
	if c.going != nil {
		return max(at, c.run.start)
	}
	return min(max(at, c.run.start), c.run.end)
}

// settledQuery reports whether it is decided in which span a query happened, and so its parent: no attempt that may contain it is
// still open.
func (c *composer) settledQuery(r *event.Record, parent event.SpanID) settled {
	if c.going == nil {
		return settled{ended: true}
	}
	of := settled{ended: len(c.run.passes) > 0}
	for _, a := range c.around.at(c, r.At) {
		if r.Step != event.NoStep && a.step != r.Step || c.over(a, r.At) {
			continue
		}
		if !a.settled.ended {
			return settled{}
		}
		of.waitFor(a.settled)
	}
	if p := c.passAt(r.At); p != nil {
		of.waitFor(c.going.after(true, p.beginning))
	}
	if parent == c.root && r.At >= c.going.undecided {
		of.ended = false
	}
	return of
}
