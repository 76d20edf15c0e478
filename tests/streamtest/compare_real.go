// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package streamtest

import (
	"cmp"
	"slices"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// CompareReal returns how the spans differ from measurements around the real engine's calls. Numbers, outcomes and error
// classes must be equal; the work of an attempt must lie inside its handler's span.
func CompareReal(truth []RealTask, spans []Span) []string {
	return compareTrees(truth, spans, func(task *RealTask) (string, int64) { return task.Service, task.TaskID }, func(t *tree, task *RealTask) {
		t.compareReal(task)
		t.wellFormed(task.Service)
	})
}

func (t *tree) compareReal(task *RealTask) {
	roots := t.byName[lifecycle.SpanTask]
	t.count(lifecycle.SpanTask, 1)
	t.count(lifecycle.SpanOrchestration, len(task.Passes))
	t.count(lifecycle.SpanFinalization, len(task.Passes))
	t.count(lifecycle.SpanQueued, len(task.Passes))
	if len(roots) == 1 {
		t.attribute(roots[0], lifecycle.AttrTaskName, task.TaskName)
		if task.Status != "" {
			t.outcome(roots[0], task.Status)
		} else if roots[0].Attributes[lifecycle.AttrIncomplete] != true {
			t.report("%s never ended, but is not %s", describe(roots[0]), lifecycle.AttrIncomplete)
		}
	}
	t.compareRealBatches(task)
	t.compareRealAttempts(task)
	for _, s := range t.spans {
		if want, level := parentOf(s.Name); level {
			if parent := t.byID[s.ParentID]; parent == nil || parent.Name != want {
				t.report("%s is under %s, want a %s", describe(s), describe(parent), want)
			}
		}
	}
}

func parentOf(name string) (parent string, known bool) {
	switch name {
	case lifecycle.SpanOrchestration, lifecycle.SpanQueued, lifecycle.SpanBackoff:
		return lifecycle.SpanTask, true
	case lifecycle.SpanBatch, lifecycle.SpanDependency, lifecycle.SpanFinalization:
		return lifecycle.SpanOrchestration, true
	case lifecycle.SpanStep:
		return lifecycle.SpanBatch, true
	case lifecycle.SpanHandler:
		return lifecycle.SpanStep, true
	}
	return "", false
}

func (t *tree) count(name string, want int) {
	if got := len(t.byName[name]); got != want {
		t.report("%d %s, want %d", got, name, want)
	}
}

// compareRealBatches compares the steps of each batch, in order of time.
func (t *tree) compareRealBatches(task *RealTask) {
	got := sortedByStart(t.byName[lifecycle.SpanBatch])
	if len(got) != len(task.Batches) {
		t.report("%d batches, want %d", len(got), len(task.Batches))
		return
	}
	steps := map[[8]byte][]int64{}
	for _, s := range t.byName[lifecycle.SpanStep] {
		id, _ := s.integer(lifecycle.AttrStepID)
		steps[s.ParentID] = append(steps[s.ParentID], id)
	}
	for i, batch := range got {
		ids := steps[batch.SpanID]
		slices.Sort(ids)
		if want := slices.Sorted(slices.Values(task.Batches[i].StepIDs)); !slices.Equal(ids, want) {
			t.report("%s ran the steps %v, want %v", describe(batch), ids, want)
		}
	}
}

func (t *tree) compareRealAttempts(task *RealTask) {
	t.count(lifecycle.SpanStep, len(task.Attempts))
	t.count(lifecycle.SpanHandler, len(task.Attempts))
	for _, a := range task.Attempts {
		var step *Span
		for _, s := range t.byName[lifecycle.SpanStep] {
			number, _ := s.integer(lifecycle.AttrAttemptNumber)
			if ofStep(a.StepID)(s) && number == int64(a.Attempt) && !t.claimed[s] {
				step = s
				t.claimed[s] = true
				break
			}
		}
		if step == nil {
			t.report("no span for step %d (%s), attempt %d", a.StepID, a.StepName, a.Attempt)
			continue
		}
		t.attribute(step, lifecycle.AttrStepName, a.StepName)
		t.outcome(step, a.Status)
		if a.Error != "" {
			t.attribute(step, lifecycle.AttrErrorType, a.Error)
		}
		if (a.Attempt > 1) != (len(step.Links) == 1) {
			t.report("%s has %d links", describe(step), len(step.Links))
		}
		t.workInside(a, step)
	}
}

func (t *tree) workInside(a RealAttempt, step *Span) {
	for _, h := range t.byName[lifecycle.SpanHandler] {
		if h.ParentID != step.SpanID {
			continue
		}
		if a.WorkStart < h.Start || a.WorkEnd > h.End {
			t.report("%s does not hold its work of %s to %s", describe(h), clock(a.WorkStart), clock(a.WorkEnd))
		}
		return
	}
	t.report("%s has no handler", describe(step))
}

func sortedByStart(spans []*Span) []*Span {
	return slices.SortedFunc(slices.Values(spans), func(a, b *Span) int { return cmp.Compare(a.Start, b.Start) })
}
