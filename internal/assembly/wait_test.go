// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// The beginning of its job ends the wait of a task, also where no event of the following pass arrived.
func TestWaitsEndWithTheJob(t *testing.T) {
	began := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC).UnixNano()
	events := []event.Event{
		{Name: lifecycle.TaskStartRequested},
		{Name: lifecycle.ObservabilityTaskEnqueue},
		{Name: lifecycle.ObservabilityTaskEnqueue, HasJob: true, JobRun: 2, QueueName: "default"},
		{Name: lifecycle.TaskBeforeTransition},
	}
	for _, test := range []struct {
		came       int
		incomplete bool
		took       time.Duration
	}{{2, true, 0}, {3, false, time.Second}, {4, false, time.Second}} {
		var found []tree.Span
		a := assembly.New(limits(), func(tree *tree.Tree) {
			for _, s := range tree.Spans {
				if s.Name == lifecycle.SpanQueued {
					found = append(found, s)
				}
			}
		})
		for i, e := range events[:test.came] {
			e.TraceID, e.TaskID, e.Identity = event.TraceID{1}, event.ID{Text: "1", Integer: true}, uint64(i)
			e.At, e.Attempt = began+int64(i)*int64(time.Second), -1
			a.Observe(&e, time.Unix(0, e.At))
		}
		a.Flush()
		require.Len(t, found, 1)
		require.Equal(t, int64(test.took), found[0].End-found[0].Start)
		incomplete := false
		for _, attribute := range found[0].Attributes {
			incomplete = incomplete || attribute.Key == lifecycle.AttrIncomplete
		}
		require.Equal(t, test.incomplete, incomplete, "after %d events", test.came)
	}
}
