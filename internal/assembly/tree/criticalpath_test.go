// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package tree

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/history"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree/critical"
)

func TestCriticalRun(t *testing.T) {
	of := &Composer{task: &Task{Source: history.Source{Events: event.Set{Steps: []event.Step{{ID: event.ID{Text: "7"}, Shape: &event.Shape{Name: "reserve"}}, {ID: event.ID{Text: "8"}, Shape: &event.Shape{Name: "charge", Deps: []string{"reserve"}}}}}}}}
	first, second := &history.Batch{}, &history.Batch{}
	failed := &history.Attempt{Step: 0, Batch: first, Start: 20, End: 30, Span: event.SpanID{1}, Backoff: &event.Record{At: 29}}
	retried := &history.Attempt{Step: 0, Batch: second, Start: 60, End: 70, Span: event.SpanID{2}, Before: failed}
	n := &history.Run{
		Start: 5, End: 80, Attempts: []*history.Attempt{failed, retried}, Records: []event.Record{{Kind: event.Enqueued, At: 5}},
		Passes: []*history.Pass{{Start: 12, End: 40, Job: &event.Record{At: 10}}, {Start: 50, End: 80}},
	}
	of.run = n
	got := of.criticalRun()
	require.Equal(t, critical.Step{Name: "charge", ID: "8", Deps: []string{"reserve"}}, got.Step(1))
	got.Step = nil
	require.Equal(t, &critical.Run{
		Start: 5, End: 80, Queued: []critical.Interval{{Start: 5, End: 10}, {Start: 40, End: 50}},
		Attempts: []critical.Attempt{
			{Step: 0, Span: event.SpanID{1}, Start: 20, End: 30, FirstBatch: true},
			{Step: 0, Span: event.SpanID{2}, Start: 60, End: 70, HasBackoff: true, BackoffAt: 29},
		},
	}, got)
}
