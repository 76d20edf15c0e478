// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly/critical"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
)

func TestCriticalRun(t *testing.T) {
	of := &composer{task: &treeTask{historyTask: historyTask{Events: event.Set{Steps: []event.Step{{ID: event.ID{Text: "7"}, Shape: &event.Shape{Name: "reserve"}}, {ID: event.ID{Text: "8"}, Shape: &event.Shape{Name: "charge", Deps: []string{"reserve"}}}}}}}}
	first, second := &batch{}, &batch{}
	failed := &attempt{step: 0, batch: first, start: 20, end: 30, span: event.SpanID{1}, backoff: &event.Record{At: 29}}
	retried := &attempt{step: 0, batch: second, start: 60, end: 70, span: event.SpanID{2}, before: failed}
	n := &run{
		start: 5, end: 80, attempts: []*attempt{failed, retried}, records: []event.Record{{Kind: event.Enqueued, At: 5}},
		passes: []*pass{{start: 12, end: 40, job: &event.Record{At: 10}}, {start: 50, end: 80}},
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
