// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package assembly_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/event"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

const (
	queriedFrom = int64(1780315200123456789)
	queriedAt   = queriedFrom + int64(time.Hour)
)

// queried returns the span of a query of a task that runs for two hours.
func queried(t require.TestingT, seconds float64) tree.Span {
	var found []tree.Span
	a := assembly.New(limits(), func(tree *tree.Tree) {
		for _, s := range tree.Spans {
			if s.Name == lifecycle.SpanQuery {
				found = append(found, s)
			}
		}
	})
	for i, e := range []event.Event{
		{Name: lifecycle.TaskStartRequested, At: queriedFrom},
		{Name: lifecycle.DatabaseQueryExecuted, At: queriedAt, QueryDuration: seconds},
		{Name: lifecycle.TaskCompleted, At: queriedAt + int64(time.Hour)},
	} {
		e.TraceID, e.TaskID, e.Identity = event.TraceID{1}, event.ID{Text: "1", Integer: true}, uint64(i)
		e.Attempt, e.JobRun = -1, -1
		a.Observe(&e, time.Unix(0, e.At))
	}
	a.Flush()
	require.Len(t, found, 1)
	return found[0]
}

// A duration of whole nanoseconds, reported in seconds, is exactly the length of the query's span, despite float rounding.
func TestQueriesLastAsLongAsReported(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		took := rapid.Int64Range(0, int64(time.Hour)).Draw(t, "took")
		s := queried(t, float64(took)/1e9)
		require.Equal(t, took, s.End-s.Start)
	})
}

func TestQueriesOfImpossibleLength(t *testing.T) {
	for seconds, start := range map[float64]int64{
		-1: queriedAt, math.Inf(-1): queriedAt, math.NaN(): queriedAt, 1e300: queriedFrom, math.Inf(1): queriedFrom, 7200: queriedFrom,
	} {
		s := queried(t, seconds)
		require.Equal(t, []int64{start, queriedAt}, []int64{s.Start, s.End}, seconds)
	}
}
