// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package streamtest

import (
	"fmt"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// Compare returns how the spans differ from the exact truth: missing, wrong, misplaced or superfluous ones. All spans must
// belong to the truth's tasks. An empty result means that they are equal.
func Compare(truth []Task, spans []Span) []string {
	return compareTrees(truth, spans, func(task *Task) (string, int64) { return task.Service, task.TaskID }, func(t *tree, task *Task) {
		t.compare(task)
		t.wellFormed(task.Service)
		t.reportUnclaimed()
	})
}

// compareTrees compares the tree of each task, which identity names, and reports what is of no task.
func compareTrees[T any](truth []T, spans []Span, identity func(*T) (service string, id int64), compare func(*tree, *T)) []string {
	f := &findings{}
	traces := byTrace(spans)
	for i := range truth {
		service, number := identity(&truth[i])
		id := traceID(service, number)
		t := newTree(f, fmt.Sprintf("task %s/%d", service, number), traces[id])
		delete(traces, id)
		if len(t.spans) == 0 {
			t.report("no spans")
			continue
		}
		compare(t, &truth[i])
	}
	reportUnknownTasks(f, traces)
	return f.list()
}

// reportUnknownTasks reports traces of tasks that are not in the truth.
func reportUnknownTasks(f *findings, traces map[[16]byte][]*Span) {
	for id, spans := range traces {
		f.add("trace %x is of no task; %d spans, one is %s of task %v", id, len(spans), describe(spans[0]),
			spans[0].Attributes[lifecycle.AttrTaskID])
	}
}

func (t *tree) compare(task *Task) {
	root := t.claim("the task", lifecycle.SpanTask, task.Interval, nil)
	t.outcome(root, task.Status)
	attempts := task.Attempts()
	t.attribute(root, lifecycle.AttrTaskID, task.TaskID)
	t.attribute(root, lifecycle.AttrTaskName, task.TaskName)
	t.attribute(root, lifecycle.AttrAttempts, int64(len(attempts)))
	t.attribute(root, lifecycle.AttrPasses, int64(len(task.Orchestrations)))
	t.attribute(root, lifecycle.AttrRun, int64(1))
	before := map[int64]*Span{} // last attempt by step
	for i, o := range task.Orchestrations {
		t.comparePass(i, o, root, before)
	}
	for i, wait := range task.QueueWaits {
		t.parent(t.claim(fmt.Sprintf("wait %d", i+1), lifecycle.SpanQueued, wait, nil), root)
	}
	for _, b := range task.Backoffs {
		s := t.claim(fmt.Sprintf("backoff of step %d", b.StepID), lifecycle.SpanBackoff, b.Interval, ofStep(b.StepID))
		t.parent(s, root)
	}
	t.compareQueries(task.Queries)
}

func (t *tree) comparePass(index int, o Orchestration, root *Span, before map[int64]*Span) {
	what := fmt.Sprintf("pass %d", index+1)
	pass := t.claim(what, lifecycle.SpanOrchestration, o.Interval, nil)
	t.parent(pass, root)
	t.attribute(pass, lifecycle.AttrCorrelationID, o.CorrelationID)
	t.attribute(pass, lifecycle.AttrPassIndex, int64(index+1))
	ready := o.Start // when the next batch could be found
	for j, b := range o.Batches {
		batch := t.claim(fmt.Sprintf("%s, batch %d", what, j+1), lifecycle.SpanBatch, b.Interval, nil)
		t.parent(batch, pass)
		t.attribute(batch, lifecycle.AttrBatchSize, int64(len(b.Steps)))
		for _, a := range b.Steps {
			before[a.StepID] = t.compareAttempt(a, batch, before[a.StepID])
			t.attribute(before[a.StepID], lifecycle.AttrCorrelationID, o.CorrelationID)
		}
		if s := t.claimLast(lifecycle.SpanDependency, pass, b.Start); s != nil && s.Start != ready {
			t.report("%s starts %v off", describe(s), time.Duration(s.Start-ready))
		}
		ready = b.End
	}
	if s := t.claimLast(lifecycle.SpanFinalization, pass, o.End); s != nil && (s.End != o.End || s.Start < ready) {
		t.report("%s is not at the end of its pass", describe(s))
	}
}

func (t *tree) compareAttempt(a Attempt, batch, before *Span) *Span {
	what := fmt.Sprintf("step %d (%s), attempt %d", a.StepID, a.StepName, a.Attempt)
	step := t.claim(what, lifecycle.SpanStep, a.Interval, ofStep(a.StepID))
	if step == nil {
		return nil
	}
	t.parent(step, batch)
	t.outcome(step, a.Status)
	t.attribute(step, lifecycle.AttrStepName, a.StepName)
	t.attribute(step, lifecycle.AttrAttemptNumber, int64(a.Attempt))
	if a.Error != "" {
		t.attribute(step, lifecycle.AttrErrorType, a.Error)
	} else {
		t.attribute(step, lifecycle.AttrErrorType, nil)
	}
	switch {
	case a.Attempt == 1 && len(step.Links) > 0:
		t.report("%s: a first attempt with a link", describe(step))
	case a.Attempt > 1 && (len(step.Links) != 1 || before == nil || step.Links[0] != Link{step.TraceID, before.SpanID}):
		t.report("%s: its links are %x, want one to %s", describe(step), step.Links, describe(before))
	}
	handler := t.claim(what, lifecycle.SpanHandler, Interval{Start: a.HandlerStart, End: a.HandlerEnd}, ofStep(a.StepID))
	t.parent(handler, step)
	t.outcome(handler, a.Status)
	t.attribute(handler, lifecycle.AttrAttemptNumber, int64(a.Attempt))
	return step
}

// claimLast claims a child of the pass whose times are not in the truth: the last unclaimed one that does not end after the
// given time.
func (t *tree) claimLast(name string, pass *Span, end int64) *Span {
	if pass == nil {
		return nil
	}
	var found *Span
	for _, s := range t.byName[name] {
		if !t.claimed[s] && s.ParentID == pass.SpanID && s.End <= end && (found == nil || s.End > found.End) {
			found = s
		}
	}
	if found == nil {
		t.report("%s has no %s before %s", describe(pass), name, clock(end))
		return nil
	}
	t.claimed[found] = true
	return found
}

func (t *tree) compareQueries(want int) {
	got := t.byName[lifecycle.SpanQuery]
	if len(got) != want {
		t.report("%d queries, want %d", len(got), want)
	}
	for _, s := range got {
		t.claimed[s] = true
		if parent := t.byID[s.ParentID]; parent != nil && parent.Name != lifecycle.SpanHandler &&
			parent.Name != lifecycle.SpanStep && parent.Name != lifecycle.SpanTask {
			t.report("%s is under %s", describe(s), describe(parent))
		}
	}
}

func ofStep(id int64) func(*Span) bool {
	return func(s *Span) bool {
		got, ok := s.integer(lifecycle.AttrStepID)
		return ok && got == id
	}
}
