// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"math"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree/critical"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/sqltext"
)

const second = 1e9

func (c *Composer) taskSpan(before *history.Released, caller event.SpanID, path critical.Path) {
	n := c.run
	start, end := n.Start, n.End
	if known := c.task.out().extent; known != (extent{}) {
		start, end = min(start, known.start), max(end, known.end)
	}
	s := c.add(lifecycle.SpanTask, c.root, caller, start, end)
	if c.forgotten != nil {
		c.goOn(s, &c.forgotten.notes)
	}
	totals := c.totals()
	failure := n.Failure
	if n.Status == lifecycle.StatusFailure {
		failure = c.taskFailure()
	}
	s.outcome(n.Status, failure)
	s.set(attribute.Int(lifecycle.AttrRun, int64(c.runIndex)))
	s.set(attribute.Int(lifecycle.AttrPasses, int64(n.PassCount())))
	s.set(attribute.Int(lifecycle.AttrSteps, int64(c.distinctSteps())))
	s.set(attribute.Int(lifecycle.AttrAttempts, int64(totals.attempts)))
	s.set(attribute.Int(lifecycle.AttrRetries, int64(totals.retries)))
	s.set(attribute.Double(lifecycle.AttrQueueSeconds, float64(totals.queue)/second))
	s.set(attribute.Double(lifecycle.AttrBackoffTotal, float64(totals.backoff)/second))
	if len(path.Names) > 0 {
		s.set(attribute.Strings(lifecycle.AttrCriticalPath, path.Names))
		s.set(attribute.Strings(lifecycle.AttrCriticalPathSpans, path.Spans))
	}
	if totals.attempts > 0 && n.End > n.Start || path.Queue > 0 {
		if path.Named {
			s.set(attribute.String(lifecycle.AttrBottleneck, path.Bottleneck))
			s.set(attribute.Double(lifecycle.AttrBottleneckShare, path.Share))
		}
		s.set(attribute.Double(lifecycle.AttrCriticalSteps, float64(path.Steps)/second))
		s.set(attribute.Double(lifecycle.AttrCriticalQueue, float64(path.Queue)/second))
		s.set(attribute.Double(lifecycle.AttrCriticalBackoff, float64(path.Backoff)/second))
		s.set(attribute.Double(lifecycle.AttrCriticalOrchestration, float64(path.Orchestration)/second))
	}
	s.mark(lifecycle.AttrIncomplete, !n.Ended)
	if !n.Ended && c.tree.Reason != ReasonOpen {
		s.set(attribute.String(lifecycle.AttrReleaseReason, c.tree.Reason.String()))
	}
	s.mark(lifecycle.AttrRefusedAtCreation, c.task.Events.Refused)
	if before.Runs > 0 {
		s.Link = &Link{c.tree.Trace, before.Task}
	}
}

// taskFailure returns the error on a failed task's span: the engine's message, and the error of the last attempt that failed,
// because task.failed itself has no class.
func (c *Composer) taskFailure() *event.Failure {
	whole := event.Failure{}
	if c.run.Failure != nil {
		whole = *c.run.Failure
	}
	whole = c.lastFailure(whole)
	return &whole
}

// lastFailure completes a failure with that of the attempt that failed last.
func (c *Composer) lastFailure(whole event.Failure) event.Failure {
	for i := len(c.run.Attempts) - 1; i >= 0 && whole.Class == ""; i-- {
		if f := c.run.Attempts[i].Failure; f != nil && c.run.Attempts[i].Status == lifecycle.StatusFailure {
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

func (c *Composer) passSpans(p *history.Pass) {
	if c.takesPass(p) {
		c.passSpan(p)
	}
	for i := range p.Searches {
		c.searchSpan(p, &p.Searches[i])
	}
	for j, b := range p.Batches {
		c.batchSpans(j, b, p)
	}
	c.finalizationSpan(p)
}

// takesPass reports whether the pass's span is to be added.
func (c *Composer) takesPass(p *history.Pass) bool {
	if p.Out || c.going != nil && p.End >= c.going.Undecided {
		return false
	}
	of := p.Settled
	if c.going != nil && p.FinalStatus == passFailed {
		of = c.going.Failure(c.run, p)
	}
	return c.takes(of, p.Span)
}

// passFailed is the final status of a pass in which the task failed.
const passFailed = "error"

func (c *Composer) passSpan(p *history.Pass) {
	start, end := c.holding(p.Span, p.Start, p.End)
	s := c.add(lifecycle.SpanOrchestration, p.Span, c.root, start, end)
	s.set(attribute.Int(lifecycle.AttrPassIndex, int64(p.Index)))
	if before := c.forgotten; before != nil && p == c.run.Passes[0] {
		c.goOn(s, &before.inPass)
	}
	s.setText(lifecycle.AttrFinalStatus, p.FinalStatus)
	if p.FinalStatus == passFailed {
		s.outcome(lifecycle.StatusFailure, c.taskFailure())
	} else if p.Ends > 0 {
		s.Outcome = OutcomeOk
	}
	s.mark(lifecycle.AttrSynthesized, p.Synthesized)
	s.mark(lifecycle.AttrIncomplete, p.Ends == 0)
}

func (c *Composer) searchSpan(p *history.Pass, search *history.Search) {
	id := c.spanID(lifecycle.SpanDependency, "", unused(&c.begins.search, search.End))
	search.Span = id
	if !c.takes(search.Settled, id) || c.cuts(search.Cut, id, search.End) {
		return
	}
	start := max(search.Start, p.Start)
	c.names(lifecycle.SpanOrchestration, p.Span, c.root, start, search.End)
	c.add(lifecycle.SpanDependency, id, p.Span, start, search.End)
}

func (c *Composer) finalizationSpan(p *history.Pass) {
	if p.Finalizations == 0 || p.Out {
		return
	}
	id := c.spanID(lifecycle.SpanFinalization, "", unused(&c.begins.finalization, p.Finalizing))
	if !c.takes(p.Settled, id) {
		return
	}
	c.names(lifecycle.SpanOrchestration, p.Span, c.root, p.Finalizing, p.End)
	s := c.add(lifecycle.SpanFinalization, id, p.Span, p.Finalizing, p.End)
	s.setText(lifecycle.AttrFinalStatus, p.FinalStatus)
	s.mark(lifecycle.AttrIncomplete, p.Ends == 0)
	if p.Ends > 0 {
		s.Outcome = OutcomeOk
	}
}

func (c *Composer) batchSpans(j int, b *history.Batch, p *history.Pass) {
	if len(b.Attempts) > 0 {
		c.task.out().spans.Restore(b.Span)
	}
	if c.takes(b.Settled, b.Span) && !c.cuts(b.Cut && len(b.Attempts) == 0, b.Span, b.End) {
		c.batchSpan(j, b, p)
	}
	for _, a := range b.Attempts {
		if c.takes(a.Settled, a.Span) {
			c.attemptSpans(a, p)
		}
	}
}

func (c *Composer) batchSpan(j int, b *history.Batch, p *history.Pass) {
	start, end := c.holding(b.Span, b.Start, b.End)
	c.names(lifecycle.SpanOrchestration, p.Span, c.root, start, end)
	s := c.add(lifecycle.SpanBatch, b.Span, p.Span, start, end)
	s.set(attribute.Int(lifecycle.AttrBatchIndex, int64(p.BatchesBefore+j+1)))
	s.set(attribute.Int(lifecycle.AttrBatchSize, int64(len(b.Attempts))))
	s.setText(lifecycle.AttrProcessingMode, b.Mode)
	s.mark(lifecycle.AttrSynthesized, b.Synthesized)
	s.mark(lifecycle.AttrIncomplete, !b.Announced)
	if b.Announced {
		s.Outcome = OutcomeOk
	}
}

func (c *Composer) attemptSpans(a *history.Attempt, p *history.Pass) {
	c.names(lifecycle.SpanBatch, a.Batch.Span, p.Span, a.Start, a.End)
	c.names(lifecycle.SpanOrchestration, p.Span, c.root, a.Start, a.End)
	s := c.add(lifecycle.SpanStep, a.Span, a.Batch.Span, a.Start, a.End)
	c.steps[len(c.steps)-1] = a.Step
	c.describeStep(s, a)
	if correlationID := c.task.Events.CorrelationID(a.CorrelationID); a.CorrelationID != p.CorrelationID {
		s.setText(lifecycle.AttrThreadCorrelationID, correlationID)
	}
	s.outcome(a.Status, a.Failure)
	s.mark(lifecycle.AttrSynthesized, a.Synthesized)
	s.mark(lifecycle.AttrIncomplete, a.Running())
	if a.Status == lifecycle.StatusFailure && a.Failure != nil {
		c.addEvent(s, c.exception(a), a.FailureCut)
	}
	if a.Previous != (event.SpanID{}) {
		s.Link = &Link{c.tree.Trace, a.Previous}
	}
	start, end := a.Handling()
	h := c.add(lifecycle.SpanHandler, a.Work, a.Span, start, end)
	c.describeStep(h, a)
	h.outcome(a.Status, a.Failure)
	h.mark(lifecycle.AttrSynthesized, a.Handler == 0)
	h.mark(lifecycle.AttrIncomplete, a.Running())
}

// describeStep adds the attributes of a step's attempt to the span.
func (c *Composer) describeStep(s *Span, a *history.Attempt) {
	st := &c.task.Events.Steps[a.Step]
	s.set(idAttribute(lifecycle.AttrStepID, st.ID))
	s.setText(lifecycle.AttrStepName, st.Name)
	s.set(attribute.Int(lifecycle.AttrAttemptNumber, int64(a.Number)))
}

func (c *Composer) exception(a *history.Attempt) SpanEvent {
	event := SpanEvent{Name: "exception", At: a.FirstEnd, Attributes: room(&c.attrs, 3)}
	if a.Failure.Class != "" {
		event.Attributes = append(event.Attributes, attribute.String(lifecycle.AttrExceptionType, a.Failure.Class))
	}
	if a.Failure.Message != "" {
		event.Attributes = append(event.Attributes, attribute.String(lifecycle.AttrExceptionMessage, a.Failure.Message))
	}
	if a.Failure.Backtrace != "" {
		event.Attributes = append(event.Attributes, attribute.String(lifecycle.AttrExceptionStacktrace, a.Failure.Backtrace))
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
func (c *Composer) query(r *event.Record) {
	query := c.task.Events.Detail(r)
	start := beginning(r.At, query.Seconds)
	parent := c.root
	var of *history.Attempt
	if a := c.attemptAt(r); a != nil {
		if handler, end := a.Handling(); handler <= start && r.At <= end {
			parent, of = a.Work, a
		} else if a.Start <= start && r.At <= a.End {
			parent, of = a.Span, a
		}
	}
	if of != nil {
		c.inside(of.Pass)
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
func (c *Composer) within(at int64) int64 {
	if c.going != nil {
		return max(at, c.run.Start)
	}
	return min(max(at, c.run.Start), c.run.End)
}

// settledQuery reports whether it is decided in which span a query happened, and so its parent: no attempt that may contain it is
// still open.
func (c *Composer) settledQuery(r *event.Record, parent event.SpanID) history.Settled {
	if c.going == nil {
		return history.Settled{Ended: true}
	}
	of := history.Settled{Ended: len(c.run.Passes) > 0}
	for _, a := range c.around.at(c, r.At) {
		if r.Step != event.NoStep && a.Step != r.Step || c.over(a, r.At) {
			continue
		}
		if !a.Settled.Ended {
			return history.Settled{}
		}
		of.WaitFor(a.Settled)
	}
	if p := c.passAt(r.At); p != nil {
		of.WaitFor(c.going.Beginning(p))
	}
	if parent == c.root && r.At >= c.going.Undecided {
		of.Ended = false
	}
	return of
}
