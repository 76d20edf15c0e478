package assembly_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"pgregory.net/rapid"
)

// A duration of whole nanoseconds, told in seconds, is the length of the query's span, whatever a float makes of it.
func TestQueriesAreAsLongAsTheyTell(t *testing.T) {
	const began, end = int64(1780315200123456789), int64(2 * time.Hour)
	rapid.Check(t, func(t *rapid.T) {
		took := rapid.Int64Range(0, int64(time.Hour)).Draw(t, "took")
		var lengths []int64
		a := assembly.New(limits(), func(tree *assembly.Tree) {
			for _, s := range tree.Spans {
				if s.Name == lifecycle.SpanQuery {
					lengths = append(lengths, s.End-s.Start)
				}
			}
		})
		for i, e := range []assembly.Event{
			{Name: lifecycle.TaskStartRequested, At: began},
			{Name: lifecycle.DatabaseQueryExecuted, At: began + took, QueryDuration: float64(took) / 1e9},
			{Name: lifecycle.TaskCompleted, At: began + end},
		} {
			e.TraceID, e.TaskID, e.Identity = assembly.TraceID{1}, assembly.ID{Text: "1", Integer: true}, uint64(i)
			e.Attempt, e.JobRun = -1, -1
			a.Observe(&e, time.Unix(0, e.At))
		}
		a.Flush()
		require.Equal(t, []int64{took}, lengths)
	})
}
