// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package recent_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/attribute"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/livedata"
	"github.com/tasker-otel/otelcol-tasker/processor/spanhierarchy/internal/recent"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// treeOf returns a run of a task with one attempt.
func treeOf(task int, workflow, step string, status lifecycle.Status, class string) *tree.Tree {
	outcome, message := tree.OutcomeOk, ""
	if status == lifecycle.StatusFailure {
		outcome, message = tree.OutcomeError, "no answer"
	}
	attributes := []attribute.KeyValue{
		attribute.Int(lifecycle.AttrTaskID, int64(task)), attribute.String(lifecycle.AttrTaskName, workflow),
		attribute.String(lifecycle.AttrStatus, string(status)), attribute.Int(lifecycle.AttrRun, 1),
	}
	return &tree.Tree{
		Key: event.TraceID{byte(task), byte(task >> 8)}, Trace: event.TraceID{byte(task), byte(task >> 8)},
		Spans: []tree.Span{
			{ID: event.SpanID{1}, Name: lifecycle.SpanTask, Start: 0, End: 1e9, Outcome: outcome, Message: message,
				Attributes: append([]attribute.KeyValue{attribute.Strings(lifecycle.AttrCriticalPathSpans, []string{"0200000000000000"})}, attributes...)},
			{ID: event.SpanID{2}, Parent: event.SpanID{1}, Name: lifecycle.SpanStep, Start: 1e8, End: 6e8, Outcome: outcome, Message: message,
				Attributes: append([]attribute.KeyValue{attribute.String(lifecycle.AttrStepName, step), attribute.String(lifecycle.AttrErrorType, class)}, attributes...)},
		},
	}
}

func TestTheStoreKeepsTheLatestWithinItsBounds(t *testing.T) {
	one := treeOf(1, "w", "s", lifecycle.StatusSuccess, "").Size()
	for name, keep := range map[string]livedata.Keep{
		"tasks": {Tasks: 5, Bytes: 1 << 30}, "bytes": {Tasks: 1 << 30, Bytes: 5*one + one/2},
	} {
		t.Run(name, func(t *testing.T) {
			s := recent.New(keep)
			for i := range 100 {
				s.Add(treeOf(i, "w", "s", lifecycle.StatusSuccess, ""), noon)
			}
			finished := s.Finished(nil)
			require.Len(t, finished, 5)
			for i, f := range finished {
				require.Equal(t, fmt.Sprint(99-i), f.ID.Text)
				require.Len(t, s.Runs(f.Key), 1)
			}
			require.Empty(t, s.Runs(event.TraceID{0}))
			require.EqualValues(t, 100, s.Statistics(noon).Workflows[0].Finished.Last(1), "counts are of all")
		})
	}
	none := recent.New(livedata.Keep{})
	none.Add(treeOf(1, "w", "s", lifecycle.StatusSuccess, ""), noon)
	require.Empty(t, none.Finished(nil))
}

func TestALateSpanJoinsItsRun(t *testing.T) {
	s := recent.New(livedata.Keep{Tasks: 5, Bytes: 1 << 20})
	whole := treeOf(1, "w", "s", lifecycle.StatusSuccess, "")
	late := &tree.Tree{Key: whole.Key, Trace: whole.Trace, Spans: []tree.Span{
		{ID: event.SpanID{3}, Parent: event.SpanID{2}, Name: lifecycle.SpanQuery}}}
	s.Add(whole, noon)
	s.Add(late, noon)
	require.Len(t, s.Runs(whole.Key), 1)
	require.Len(t, s.Runs(whole.Key)[0].Tree.Spans, 3)
	require.Len(t, s.Finished(nil), 1)
}

// Parts of a run that is still open are one tree, which its task's span completes.
func TestPartsAreJoined(t *testing.T) {
	s := recent.New(livedata.Keep{Tasks: 5, Bytes: 1 << 20})
	whole := treeOf(1, "w", "s", lifecycle.StatusSuccess, "")
	first, last := *whole, *whole
	first.Part, first.Spans, last.Spans = true, whole.Spans[1:], whole.Spans[:1]
	s.Add(&first, noon)
	require.Len(t, s.Runs(whole.Key), 1)
	require.True(t, s.Runs(whole.Key)[0].Open)
	require.Empty(t, s.Finished(nil))
	s.Add(&last, noon)
	s.Add(&first, noon.Add(time.Second)) // of another run
	runs := s.Runs(whole.Key)
	require.Len(t, runs, 2)
	require.Len(t, runs[0].Tree.Spans, 2)
	require.Equal(t, lifecycle.SpanTask, runs[0].Tree.Spans[0].Name)
	require.False(t, runs[0].Open)
	require.True(t, runs[1].Open)
	require.Len(t, s.Finished(nil), 1)
	require.Equal(t, 500*time.Millisecond, s.Statistics(noon).Workflows[0].Steps[0].Critical)
}

func TestSearch(t *testing.T) {
	s := recent.New(livedata.Keep{Tasks: 5, Bytes: 1 << 20})
	s.Add(treeOf(17, "process_order", "charge", lifecycle.StatusFailure, "Gateway::Timeout"), noon)
	for _, text := range []string{"17", "PROCESS", "charge", "timeout", "no answer", "110000"} {
		require.Len(t, s.Finished(assembly.NewSearch(text)), 1, text)
	}
	for _, text := range []string{"1", "7", "refund"} {
		require.Empty(t, s.Finished(assembly.NewSearch(text)), text)
	}
}

func TestStatisticsAreOfTheLastHour(t *testing.T) {
	s := recent.New(livedata.Keep{})
	for minute := range 90 {
		now := noon.Add(time.Duration(minute) * time.Minute)
		s.Add(treeOf(1, "order", "charge_001", lifecycle.StatusFailure, "Timeout"), now)
		s.Add(treeOf(2, "order", "charge_002", lifecycle.StatusSuccess, ""), now)
	}
	r := s.Statistics(noon.Add(89 * time.Minute))
	require.Len(t, r.Workflows, 1)
	w := r.Workflows[0]
	require.EqualValues(t, 120, w.Finished.Last(60))
	require.EqualValues(t, 30, w.Finished.Last(15))
	require.EqualValues(t, 15, w.Failed.Last(15))
	require.EqualValues(t, 15, w.FailedAttempts.Last(15))
	require.Len(t, w.Steps, 1, "numbered steps are one")
	require.Equal(t, "charge", w.Steps[0].Name)
	require.EqualValues(t, 120, w.Steps[0].Executions.Last(60))
	require.Equal(t, w.Total/2, w.Steps[0].Critical)
	require.Len(t, r.Failures, 1)
	require.Equal(t, "no answer", r.Failures[0].Message)
	require.EqualValues(t, 60, r.Failures[0].Attempts.Last(60))

	later := s.Statistics(noon.Add(300 * time.Minute))
	require.Zero(t, later.Workflows[0].Finished.Last(60))
	require.Empty(t, later.Failures)
}

func TestStatisticsAreBounded(t *testing.T) {
	s := recent.New(livedata.Keep{})
	for i := range 2000 {
		s.Add(treeOf(i, "w", fmt.Sprintf("step-%d", i), lifecycle.StatusFailure, "E"), noon)
		s.Add(treeOf(i, fmt.Sprintf("workflow-%d", i), "s", lifecycle.StatusFailure, "E"), noon.Add(time.Second))
	}
	r := s.Statistics(noon.Add(time.Second))
	require.Len(t, r.Workflows, 200)
	require.LessOrEqual(t, len(r.Failures), 500)
	require.Positive(t, r.Left)
	for _, w := range r.Workflows {
		require.LessOrEqual(t, len(w.Steps), 200)
		require.LessOrEqual(t, len(w.Durations), 512)
	}
}

// With too many successful runs in a second, all are counted, and the failed ones are kept.
func TestACrowdIsCountedAndNotAllKept(t *testing.T) {
	s := recent.New(livedata.Keep{Tasks: 1000, Bytes: 1 << 30})
	for i := range 900 {
		s.Add(treeOf(i, "w", "s", lifecycle.StatusSuccess, ""), noon)
	}
	for i := range 300 {
		s.Add(treeOf(2000+i, "w", "s", lifecycle.StatusFailure, "E"), noon)
	}
	w := s.Statistics(noon).Workflows[0]
	require.EqualValues(t, 1200, w.Finished.Last(1))
	require.Equal(t, 1200*500*time.Millisecond, w.Steps[0].Critical)
	require.Len(t, s.Finished(nil), 200+300)
	s.Add(treeOf(5000, "w", "s", lifecycle.StatusSuccess, ""), noon.Add(time.Second))
	require.Len(t, s.Finished(nil), 501)
}
