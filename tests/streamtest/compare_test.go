// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package streamtest

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// ideal builds the spans that Compare expects.
type ideal struct {
	spans []Span
	next  uint64
}

func (d *ideal) add(task *Task, name string, i Interval, parent *Span, attrs map[string]any) *Span {
	d.next++
	s := Span{TraceID: traceID(task.Service, task.TaskID), Name: name, Start: i.Start, End: i.End, Status: StatusUnset,
		Service: task.Service, Scope: lifecycle.ScopeSpans, Attributes: attrs}
	binary.BigEndian.PutUint64(s.SpanID[:], d.next)
	if parent != nil {
		s.ParentID = parent.SpanID
	}
	d.spans = append(d.spans, s)
	return &s
}

func (d *ideal) outcome(status string) {
	s := &d.spans[len(d.spans)-1]
	s.Status = status
	s.Attributes[lifecycle.AttrStatus] = statusText(status)
}

func idealSpans(truth []Task) []Span {
	d := &ideal{}
	for i := range truth {
		task := &truth[i]
		root := d.add(task, lifecycle.SpanTask, task.Interval, nil, map[string]any{lifecycle.AttrTaskID: task.TaskID,
			lifecycle.AttrTaskName: task.TaskName, lifecycle.AttrAttempts: int64(len(task.Attempts())),
			lifecycle.AttrPasses: int64(len(task.Orchestrations)), lifecycle.AttrRun: int64(1)})
		d.outcome(task.Status)
		before := map[int64]*Span{}
		for j, o := range task.Orchestrations {
			pass := d.add(task, lifecycle.SpanOrchestration, o.Interval, root,
				map[string]any{lifecycle.AttrCorrelationID: o.CorrelationID, lifecycle.AttrPassIndex: int64(j + 1)})
			ready := o.Start
			for _, b := range o.Batches {
				d.add(task, lifecycle.SpanDependency, Interval{Start: ready, End: b.Start - 1}, pass, nil)
				ready = b.End
				batch := d.add(task, lifecycle.SpanBatch, b.Interval, pass, map[string]any{lifecycle.AttrBatchSize: int64(len(b.Steps))})
				for _, a := range b.Steps {
					attrs := func() map[string]any {
						return map[string]any{lifecycle.AttrStepID: a.StepID, lifecycle.AttrStepName: a.StepName,
							lifecycle.AttrAttemptNumber: int64(a.Attempt), lifecycle.AttrCorrelationID: o.CorrelationID}
					}
					step := d.add(task, lifecycle.SpanStep, a.Interval, batch, attrs())
					d.outcome(a.Status)
					last := &d.spans[len(d.spans)-1]
					if a.Error != "" {
						last.Attributes[lifecycle.AttrErrorType] = a.Error
					}
					if previous := before[a.StepID]; previous != nil {
						last.Links = []Link{{previous.TraceID, previous.SpanID}}
					}
					before[a.StepID] = step
					d.add(task, lifecycle.SpanHandler, Interval{Start: a.HandlerStart, End: a.HandlerEnd}, step, attrs())
					d.outcome(a.Status)
				}
			}
			d.add(task, lifecycle.SpanFinalization, Interval{Start: o.End - 1, End: o.End}, pass, nil)
		}
		for _, w := range task.QueueWaits {
			d.add(task, lifecycle.SpanQueued, w, root, nil)
		}
		for _, b := range task.Backoffs {
			d.add(task, lifecycle.SpanBackoff, b.Interval, root, map[string]any{lifecycle.AttrStepID: b.StepID})
		}
		for range task.Queries {
			d.add(task, lifecycle.SpanQuery, Interval{Start: task.Start, End: task.Start + 1}, root, nil)
		}
	}
	return d.spans
}

func TestCompareAcceptsTheTruth(t *testing.T) {
	for _, name := range []string{OrderProcessing, Mixed, Planned} {
		_, truth, err := Load(name)
		require.NoError(t, err)
		assert.Empty(t, Compare(truth, idealSpans(truth)), name)
	}
}

// TestCompareFinds modifies one span of a correct result at a time.
func TestCompareFinds(t *testing.T) {
	of := func(spans []Span, name string) *Span {
		return &spans[slices.IndexFunc(spans, func(s Span) bool { return s.Name == name })]
	}
	retry := func(spans []Span) *Span {
		return &spans[slices.IndexFunc(spans, func(s Span) bool { return len(s.Links) > 0 })]
	}
	for name, test := range map[string]struct {
		spoil func([]Span) []Span
		want  string
	}{
		"nothing at all":  {func([]Span) []Span { return nil }, "no spans"},
		"a span twice":    {func(s []Span) []Span { return append(s, s[5]) }, "is twice"},
		"one too many":    {func(s []Span) []Span { e := *of(s, lifecycle.SpanStep); e.SpanID[0] = 9; return append(s, e) }, "one too many"},
		"one too few":     {func(s []Span) []Span { return slices.Delete(s, len(s)-1, len(s)) }, "no tasker.task.queued"},
		"late start":      {func(s []Span) []Span { of(s, lifecycle.SpanStep).Start++; return s }, "starts 1ns and ends 0s off"},
		"early end":       {func(s []Span) []Span { of(s, lifecycle.SpanHandler).End--; return s }, "ends -1ns off"},
		"wrong parent":    {func(s []Span) []Span { of(s, lifecycle.SpanBatch).ParentID = s[0].SpanID; return s }, "its parent is"},
		"orphan":          {func(s []Span) []Span { of(s, lifecycle.SpanBatch).ParentID[0] = 9; return s }, "is not in the trace"},
		"root in between": {func(s []Span) []Span { of(s, lifecycle.SpanBatch).ParentID = [8]byte{}; return s }, "has no parent"},
		"outside parent":  {func(s []Span) []Span { of(s, lifecycle.SpanDependency).End += 1e12; return s }, "is not inside its parent"},
		"status code":     {func(s []Span) []Span { of(s, lifecycle.SpanStep).Status = OutcomeError; return s }, "status code is error"},
		"status":          {func(s []Span) []Span { delete(s[0].Attributes, lifecycle.AttrStatus); return s }, "tasker.status is <nil>"},
		"error type":      {func(s []Span) []Span { of(s, lifecycle.SpanStep).Attributes["error.type"] = "X"; return s }, "error.type is X"},
		"attempt number":  {func(s []Span) []Span { retry(s).Attributes[lifecycle.AttrAttemptNumber] = int64(1); return s }, "tasker.attempt_number is 1, want 2"},
		"lost link":       {func(s []Span) []Span { retry(s).Links = nil; return s }, "its links are"},
		"wrong link":      {func(s []Span) []Span { retry(s).Links[0].SpanID[0] = 9; return s }, "its links are"},
		"correlation": {func(s []Span) []Span {
			of(s, lifecycle.SpanOrchestration).Attributes[lifecycle.AttrCorrelationID] = "x"
			return s
		}, "tasker.correlation_id is x"},
		"stranger":   {func(s []Span) []Span { s[0].TraceID[0]++; return s }, "is of no task"},
		"event span": {func(s []Span) []Span { s[0].Scope = lifecycle.ScopeEvents; return s }, `scope "tasker.events"`},
		"service":    {func(s []Span) []Span { s[0].Service = "x"; return s }, `service "x"`},
		"incomplete": {func(s []Span) []Span { s[0].Attributes[lifecycle.AttrIncomplete] = true; return s }, "tasker.incomplete is true"},
	} {
		t.Run(name, func(t *testing.T) {
			_, truth, err := Load(Mixed)
			require.NoError(t, err)
			assert.Contains(t, strings.Join(Compare(truth, test.spoil(idealSpans(truth))), "\n"), test.want)
		})
	}
}

func TestFindingsAreBounded(t *testing.T) {
	_, truth, err := Load(Mixed)
	require.NoError(t, err)
	spans := idealSpans(truth)
	for i := range spans {
		spans[i].End++
	}
	got := Compare(truth, spans)
	assert.Len(t, got, maxDifferences+1)
	assert.Contains(t, got[maxDifferences], "more")
}

// idealReal uses the measured times as those of the spans.
func idealReal(truth []RealTask) []Span {
	var modelled []Task
	for _, r := range truth {
		task := Task{Service: r.Service, TaskID: r.TaskID, TaskName: r.TaskName, Status: r.Status}
		for _, pass := range r.Passes {
			o := Orchestration{Interval: pass}
			for _, batch := range r.Batches {
				if batch.Start < pass.Start || batch.End > pass.End {
					continue
				}
				b := Batch{Interval: batch.Interval}
				for _, a := range r.Attempts {
					if a.Start >= batch.Start && a.End <= batch.End {
						b.Steps = append(b.Steps, Attempt{Interval: a.Interval, StepID: a.StepID, StepName: a.StepName, Attempt: a.Attempt,
							HandlerStart: a.WorkStart, HandlerEnd: a.WorkEnd, Status: a.Status, Error: a.Error})
					}
				}
				o.Batches = append(o.Batches, b)
			}
			task.Orchestrations = append(task.Orchestrations, o)
			task.QueueWaits = append(task.QueueWaits, Interval{Start: pass.Start, End: pass.Start})
		}
		task.Start, task.End = r.Passes[0].Start, r.Passes[len(r.Passes)-1].End
		modelled = append(modelled, task)
	}
	return idealSpans(modelled)
}

func TestCompareReal(t *testing.T) {
	for _, name := range []string{RealLinear, RealRetry} {
		_, truth, err := LoadReal(name)
		require.NoError(t, err)
		spans := idealReal(truth)
		assert.Empty(t, CompareReal(truth, spans), name)
		for i := range spans {
			if spans[i].Name == lifecycle.SpanHandler {
				spans[i].End--
				break
			}
		}
		assert.Contains(t, strings.Join(CompareReal(truth, spans), "\n"), "does not hold its work", name)
		assert.Contains(t, strings.Join(CompareReal(truth, spans[1:]), "\n"), "0 tasker.task.execution, want 1", name)
	}
}

func TestFromTraces(t *testing.T) {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "shop")
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName("a")
	span := ss.Spans().AppendEmpty()
	span.SetName("b")
	span.SetSpanID([8]byte{1})
	span.SetStartTimestamp(3)
	span.SetEndTimestamp(5)
	span.Status().SetCode(ptrace.StatusCodeError)
	span.Status().SetMessage("no")
	span.Attributes().PutInt("n", 1)
	span.Links().AppendEmpty().SetSpanID([8]byte{2})
	span.Events().AppendEmpty().SetName("e")
	assert.Equal(t, []Span{{SpanID: [8]byte{1}, Name: "b", Start: 3, End: 5, Status: OutcomeError, Message: "no",
		Attributes: map[string]any{"n": int64(1)}, Links: []Link{{SpanID: [8]byte{2}}},
		Events: []SpanEvent{{Name: "e", Attributes: map[string]any{}}}, Service: "shop", Scope: "a"}}, FromTraces(td))
}
